internal import ArgumentParser
internal import CommandLineSupport
internal import KafkaClient

/// `kstream consume TOPIC`: writes the records of a topic to standard output.
struct ConsumeCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "consume",
        abstract: "Writes the records of a topic to standard output.",
        discussion: """
            Writes the value of each record and a line feed, or, with --json, each record as one JSON object on a line:

              {"topic":"t","partition":0,"offset":7,"timestamp":1700000000000,
               "key":"k","value":"v","headers":[{"key":"h","value":"x"}]}

            timestamp is in milliseconds since 1970 (UTC), or null. key and value are null where the record has none: a value \
            of null is a tombstone. What is not UTF-8 stands in base64 under keyBase64 or valueBase64 instead.

            Follows the topic until it is interrupted, unless --count, --exit-at-end or a range says where to end. Records \
            of one partition come in their order; partitions come as they arrive.

            With --group it is a member of that consumer group: it reads the partitions it is given from where the group \
            stands, and commits what was written. --from start or end then says where a group begins that has no offset. \
            While the group has no partition for it, that is said on standard error; with --exit-at-end it then ends after 10 s.

            --timeout is for the first contact with a broker and for each question to one. When all brokers go away later, that \
            is said on standard error, and the command goes on trying until they are back or it is interrupted.

            An offset is: start, end, N (the record with this offset), +N (N records behind the oldest), -N (N records before \
            the end); A:B is from A until before B.

            Examples:
              kstream consume orders --exit-at-end
              kstream consume orders --from -10 --json | jq .value
              kstream consume orders --from 100:200 --partition 3
              kstream consume orders --group billing --count 50
            """
    )

    @Argument(help: "The topic to read.", transform: TopicName.init(checking:))
    var topic: TopicName

    @Option(
        parsing: .unconditional,
        help: ArgumentHelp(
            "Where to begin: start, end, N, +N, -N or A:B. (default: start)",
            valueName: "offset"
        )
    )
    var from: OffsetRange?

    // Unconditional, so that -1 is taken for a number and refused by what it is.
    @Option(parsing: .unconditional, help: ArgumentHelp("End after this many records.", valueName: "n"))
    var count: Int?

    @Flag(help: "End when everything that is there has been read.")
    var exitAtEnd = false

    @Flag(help: "Write one JSON object a line.")
    var json = false

    @Option(help: ArgumentHelp("Write the key and SEP before each value.", valueName: "sep"))
    var keySeparator: String?

    @Option(
        help: ArgumentHelp("Read as a member of this consumer group, and commit.", valueName: "group"),
        transform: GroupName.init(checking:)
    )
    var group: GroupName?

    @Option(
        parsing: .unconditionalSingleValue,
        help: "A partition to read; may be repeated. Without it, all partitions."
    )
    var partition: [Int32] = []

    @OptionGroup var connection: ConnectionOptions

    func validate() throws {
        if let count = self.count, count < 1 { throw ValidationError("--count must be at least 1, not \(count).") }
        try self.partition.checkNumbers()
        if let from = self.from, from.isImpossible {
            throw ValidationError("--from \(from) ends before it begins: A:B is from A until before B.")
        }
        guard self.keySeparator != "" else { throw ValidationError("--key-separator must not be empty.") }
        if self.json, self.keySeparator != nil {
            throw ValidationError("--key-separator and --json exclude each other: JSON has the key.")
        }
        try self.connection.checkProperties(reserved: ConnectionOptions.reservedByConsumers)
        guard self.group != nil else { return }
        guard self.partition.isEmpty else {
            throw ValidationError("--group and --partition exclude each other: the group shares out the partitions.")
        }
        guard [nil, .init(from: .start), .init(from: .end)].contains(self.from) else {
            throw ValidationError(
                "--group goes on where the group stands: --from can only be start or end with it. "
                    + "To move a group, use: kstream seek"
            )
        }
    }

    func run() async throws {
        let format = RecordFormat(isJSON: self.json, keySeparator: self.keySeparator)
        let written = RecordWriter(format: format, limit: self.count)
        if let group = self.group {
            try await self.consume(asMemberOf: group.value, writer: written)
        } else {
            try await self.consumeAssigned(writer: written)
        }
        if Task.isCancelled, self.count != nil || self.exitAtEnd || self.from?.upper != nil {
            throw ExitStatus.interrupted
        }
        if written.count == 0, !Task.isCancelled {
            writeToStandardError("\(self.topic.value): there is no record to show\n")
            throw ExitStatus.nothingMatched
        }
    }

    /// What both ways of reading share.
    func makeConfiguration(group: String?) throws -> KafkaConsumer.Configuration {
        var configuration = KafkaConsumer.Configuration(
            bootstrapServers: try self.connection.servers,
            group: group
        )
        configuration.clientID = "kstream-consume"
        configuration.connectTimeout = self.connection.timeoutDuration
        configuration.reportsEndOfPartition = true
        if self.exitAtEnd || self.from?.upper != nil {
            // The end of a partition shows in an answer without records, which the broker holds back for this long.
            configuration.fetchMaxWait = .milliseconds(50)
        }
        // Interrupted, it is to end within seconds.
        configuration.closeTimeout = .seconds(4)
        let notices = ConnectionNotices()
        configuration.onConnectionChange = { notices.tell($0) }
        configuration.additional = self.connection.additional
        return configuration
    }
}

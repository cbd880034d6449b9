internal import ArgumentParser
internal import CommandLineSupport
internal import KafkaClient

/// `kstream produce TOPIC`: sends the lines of standard input.
struct ProduceCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "produce",
        abstract: "Sends each line of standard input as a record.",
        discussion: """
            A line is a value, without its line feed and otherwise as it is; an empty line is an empty value. Lines are sent \
            as they come, many at a time when many are there. Input packed by xz or gzip is \
            unpacked. Ends when all are acknowledged by the broker.

            A record that could not be delivered is said on standard error with its line number. Exit status 4 when some \
            were delivered and some not.

            --timeout is for the first contact with a broker. When all brokers go away later, that is said on standard error, and \
            the records wait for them: for 2 minutes each, or -X message.timeout.ms=N. When they are over and no broker is back, \
            the command ends with status 4, or 3 when nothing was delivered; the rest of the input is not read.

            A line may have up to 16 MiB; a longer one ends the reading, with status 4. How large a record may be is up to the \
            broker, and -X message.max.bytes=N (default 1,000,000): one that is larger is skipped, and counts as not delivered.

            Examples:
              kstream produce orders -b localhost:9092 < orders.jsonl
              echo '42=paid' | kstream produce states --key-separator =
            """
    )

    @Argument(help: "The topic to send to.", transform: TopicName.init(checking:))
    var topic: TopicName

    @Option(
        help: ArgumentHelp(
            "Splits each line at its first SEP into key and value.",
            discussion: "A line without SEP is not sent, and counts as not delivered.",
            valueName: "sep"
        )
    )
    var keySeparator: String?

    @OptionGroup var connection: ConnectionOptions

    func validate() throws {
        guard self.keySeparator != "" else { throw ValidationError("--key-separator must not be empty.") }
        guard self.keySeparator?.utf8.contains(UInt8(ascii: "\n")) != true else {
            throw ValidationError("--key-separator must not hold a line feed: lines are split there.")
        }
        try self.connection.checkProperties(reserved: ConnectionOptions.reservedByProducers)
    }

    func run() async throws {
        var configuration = KafkaProducer.Configuration(bootstrapServers: try self.connection.servers)
        configuration.clientID = "kstream-produce"
        configuration.linger = .milliseconds(1)
        // What was read is given its delivery time-out; after an interrupt nobody wants to wait for that.
        configuration.closeTimeout = .seconds(3)
        let notices = ConnectionNotices()
        configuration.onConnectionChange = { notices.tell($0) }
        configuration.additional = self.connection.additional
        let lines = RecordLines(topic: self.topic.value, keySeparator: self.keySeparator)
        let tally = DeliveryTally(isDisconnected: { notices.isLost })
        try await withKafkaProducer(configuration, logger: self.connection.logger) { producer in
            try await self.connect(producer)
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { try await self.produce(lines, with: producer, tally: tally) }
                // Also while the input waits for somebody to type.
                group.addTask { await tally.waitUntilHopeless() }
                try await group.next()
                group.cancelAll()
                try await group.waitForAll()
            }
        }
        writeToStandardError(tally.summary(topic: self.topic.value) + "\n")
        if Task.isCancelled { throw ExitStatus.interrupted }
        if let status = tally.status { throw status }
    }

    /// Fails within the time-out when no broker answers, before any line is read.
    private func connect(_ producer: KafkaProducer) async throws {
        do {
            _ = try await producer.partitions(of: self.topic.value, timeout: self.connection.timeoutDuration)
        } catch let error as KafkaError where error.code == .leaderUnavailable {
            // The topic is being created by this very question: the records wait for its leader.
        }
    }

    /// Reads the next lines while those before them are on their way.
    private func produce(_ lines: RecordLines, with producer: KafkaProducer, tally: DeliveryTally) async throws {
        // A person who types needs no bar between the lines.
        let showsProgress = Terminal.isStandardErrorInteractive && !Terminal.isStandardInputInteractive
        let progress = showsProgress ? ProgressBar(label: "produce \(self.topic.value)", total: nil) : nil
        defer { progress?.finish() }
        try await withLines(of: "-", lineEnd: .lineFeed) { input in
            var iterator = input.batches(ofAtMost: 10_000).makeAsyncIterator()
            var batch = try await Self.next(&iterator, lines: lines, firstLine: 1, tally: tally)
            while let current = batch, !tally.isHopeless {
                async let delivered: Void = tally.deliver(current, with: producer)
                let next = try await Self.next(&iterator, lines: lines, firstLine: current.nextLine, tally: tally)
                try await delivered
                progress?.update(tally.delivered)
                batch = next
            }
        }
    }

    /// The next batch; `nil` at the end, after an interrupt, and where the input can't be read any further.
    private static func next(
        _ iterator: inout InputLineBatches.Iterator,
        lines: RecordLines,
        firstLine: Int,
        tally: DeliveryTally
    ) async throws -> RecordBatch? {
        var firstLine = firstLine
        while true {
            do {
                guard let found = try await iterator.next() else { return nil }
                return lines.batch(of: found, firstLine: firstLine)
            } catch InputError.lineTooLong(_, let line, let limit) {
                let reason = "it is longer than \(limit.grouped) bytes, so it was not sent"
                tally.count([], of: RecordBatch(refused: [(line, reason)], nextLine: line + 1))
                firstLine = line + 1
            } catch is CancellationError {
                return nil
            } catch let error as InputError {
                tally.stop(because: "\(error)")
                return nil
            }
        }
    }
}

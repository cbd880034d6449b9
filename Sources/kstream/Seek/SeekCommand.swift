internal import ArgumentParser
internal import CommandLineSupport
internal import KafkaClient

/// `kstream seek GROUP TOPIC --to ...`: moves the committed offsets of a consumer group.
struct SeekCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "seek",
        abstract: "Moves a consumer group to another place in a topic.",
        discussion: """
            Commits the offset at which the group's consumers will go on, for every partition of the topic or for those \
            given, and prints the old and the new ones. Stop the group's consumers first: while the group has members, the \
            broker refuses. Either every offset given is in its partition, or nothing is changed.

            An offset is: start, end, N (the record with this offset), +N (N records behind the oldest), -N (N records \
            before the end).

            Examples:
              kstream seek billing orders --to start
              kstream seek billing orders --partition 3 --to 1500
            """
    )

    @Argument(help: "The consumer group.", transform: GroupName.init(checking:))
    var group: GroupName

    @Argument(help: "The topic.", transform: TopicName.init(checking:))
    var topic: TopicName

    @Option(
        parsing: .unconditional,
        help: ArgumentHelp("Where the group goes on: start, end, N, +N or -N.", valueName: "offset")
    )
    var to: OffsetPosition

    @Option(
        parsing: .unconditionalSingleValue,
        help: "A partition to move; may be repeated. Without it, all partitions."
    )
    var partition: [Int32] = []

    @OptionGroup var connection: ConnectionOptions

    func validate() throws {
        try self.partition.checkNumbers()
        try self.connection.checkProperties(reserved: Self.reservedProperties)
    }

    /// Properties that `seek` needs as they are, with what to do instead.
    static let reservedProperties = ConnectionOptions.reservedByConsumers.merging(
        ["group.id": "the group is the first argument", "auto.offset.reset": "use --to"]
    ) { $1 }

    func run() async throws {
        var configuration = KafkaConsumer.Configuration(
            bootstrapServers: try self.connection.servers,
            group: self.group.value
        )
        configuration.clientID = "kstream-seek"
        configuration.commitPolicy = .manual
        configuration.additional = self.connection.additional
        let moves = try await withKafkaConsumer(configuration, logger: self.connection.logger) { consumer in
            let moves = try await self.moves(consumer)
            try self.check(moves)
            try await self.commit(moves, consumer)
            return moves
        }
        try await StandardOutput.shared.write(Self.table(of: moves).rendered(color: Terminal.colorsStandardOutput))
    }

    /// What is to be moved, from where to where.
    private func moves(_ consumer: KafkaConsumer) async throws -> [OffsetMove] {
        let timeout = self.connection.timeoutDuration
        let partitions = try await consumer.partitions(of: self.topic.value, timeout: timeout)
            .chosen(self.partition, of: self.topic.value)
        let old = try await consumer.committedOffsets(for: partitions, timeout: timeout)
        var moves: [OffsetMove] = []
        for partition in partitions {
            let watermarks = try await consumer.watermarks(of: partition, timeout: timeout)
            moves.append(
                OffsetMove(
                    partition: partition,
                    old: old[partition],
                    new: self.to.offset(in: watermarks),
                    watermarks: watermarks
                )
            )
        }
        return moves
    }

    private func check(_ moves: [OffsetMove]) throws {
        let outside = moves.filter { !$0.isInRange }
        guard !outside.isEmpty else { return }
        let ranges = outside.map { move in
            "\(move.partition) holds offsets \(move.watermarks.low) to \(move.watermarks.high)"
        }
        throw CommandFailure(
            "\(self.to) is outside of the log, so nothing was changed: \(ranges.joined(separator: ", ")). "
                + "Use an offset in this range, or --partition for the partitions that have it."
        )
    }

    private func commit(_ moves: [OffsetMove], _ consumer: KafkaConsumer) async throws {
        do {
            try await consumer.commit(Dictionary(moves.map { ($0.partition, $0.new) }) { first, _ in first })
        } catch {
            guard error.code == .groupMembership else { throw error }
            throw CommandFailure(
                "the group \(self.group.value) has members, so nothing was changed "
                    + "(\(error.message)). Stop its consumers, then run this again."
            )
        }
    }

    static func table(of moves: [OffsetMove]) -> TextTable {
        var table = TextTable(columns: [
            .init("PARTITION"),
            .init("OLD", alignment: .right),
            .init("NEW", alignment: .right),
            .init("END", alignment: .right),
        ])
        for move in moves {
            table.append([
                TextTable.Cell("\(move.partition)"),
                move.old.map { TextTable.Cell("\($0)") } ?? TextTable.Cell("none", style: .faint),
                TextTable.Cell("\(move.new)"),
                TextTable.Cell("\(move.watermarks.high)"),
            ])
        }
        return table
    }
}

/// A change of a group's committed offset in one partition.
struct OffsetMove: Hashable {
    var partition: KafkaTopicPartition
    var old: Int64?
    var new: Int64
    var watermarks: KafkaWatermarks

    /// Whether the new offset is that of a record or of the end.
    var isInRange: Bool { self.new >= self.watermarks.low && self.new <= self.watermarks.high }
}

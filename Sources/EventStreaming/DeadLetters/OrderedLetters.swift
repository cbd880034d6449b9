internal import KafkaClient
internal import Logging
internal import Synchronization

/// What a processor in ordered mode knows of the dead letters of the partitions that it has.
final class OrderedLetters: Sendable {
    private struct State {
        var partitions: [KafkaTopicPartition: PartitionLetters] = [:]
        /// The transaction in hand. Weak, since it keeps its producer from being closed.
        weak var transaction: KafkaTransaction?
    }

    private let processor: String
    private let policy: DeadLetterPolicy
    private let reader: TopicReader
    private let logger: Logger
    private let state = Mutex(State())

    /// How long an open transaction may keep what is known from being complete.
    private static let patience = Duration.seconds(120)

    /// - Returns: `nil` for a processor that is not in ordered mode.
    init?(_ configuration: ProcessorConfiguration, logger: Logger) {
        guard let policy = configuration.deadLetters, policy.isOrdered else { return nil }
        self.processor = configuration.name
        self.policy = policy
        self.reader = TopicReader(configuration.consumer, patience: Self.patience, logger: logger)
        self.logger = logger
    }

    /// Hears of partitions that come and go.
    func observe(_ configuration: inout KafkaConsumer.Configuration) {
        let (onAssigned, onRevoked, onLost) = (configuration.onAssigned, configuration.onRevoked, configuration.onLost)
        configuration.onAssigned = { rebalance in
            self.came(rebalance.partitions)
            await onAssigned?(rebalance)
        }
        configuration.onRevoked = { rebalance in
            self.went(rebalance.partitions)
            await onRevoked?(rebalance)
        }
        configuration.onLost = { rebalance in
            self.went(rebalance.partitions)
            await onLost?(rebalance)
        }
    }

    private func came(_ partitions: Set<KafkaTopicPartition>) {
        let new = partitions.map { source in
            let place = KafkaTopicPartition(topic: self.policy.topic(source.topic), partition: source.partition)
            let letters = PartitionLetters(source: source, place: place, processor: self.processor) { empty in
                try await self.restored(empty, from: place)
            }
            return (source, letters)
        }
        self.replace(new.map { ($0, $1) })
    }

    private func went(_ partitions: Set<KafkaTopicPartition>) {
        self.replace(partitions.map { ($0, nil) })
    }

    private func replace(_ partitions: [(KafkaTopicPartition, PartitionLetters?)]) {
        let dropped = self.state.withLock { state in
            partitions.compactMap { source, letters in
                defer { state.partitions[source] = letters }
                return state.partitions[source]
            }
        }
        dropped.forEach { $0.drop() }
    }

    private func restored(_ empty: BlockedKeys, from place: KafkaTopicPartition) async throws -> BlockedKeys {
        guard let watermarks = try await self.reader.watermarks(of: [place])[place] else { return empty }
        var known = empty
        try await self.reader.read([place: watermarks.low..<max(watermarks.low, watermarks.high)]) { record in
            known.apply(DeadLetterEntry(record.headers), key: record.key, offset: record.offset)
            try self.checkRoom(known, in: place)
            return true
        }
        if known.count > 0 {
            self.logger.notice(
                "keys are blocked by dead letters",
                metadata: ["letters": "\(known.count)", "in": "\(place)"]
            )
        }
        return known
    }

    /// - Throws: ``ProcessorError`` when there are too many letters.
    func checkRoom(_ known: BlockedKeys, in place: KafkaTopicPartition) throws(ProcessorError) {
        guard known.count > self.policy.maxWaiting else { return }
        throw ProcessorError(
            .stopped,
            processor: self.processor,
            message:
                "more than \(self.policy.maxWaiting) letters wait in \(place): raise `deadLetters.maxWaiting` to go on, "
                + "and replay them"
        )
    }

    /// What is known of a partition's letters; `nil` when it was given up.
    func letters(of source: KafkaTopicPartition) async throws -> PartitionLetters? {
        guard let letters = self.state.withLock({ $0.partitions[source] }) else { return nil }
        do {
            try await letters.restored()
        } catch let error as ProcessorError {
            throw error
        } catch is CancellationError where Task.isCancelled {
            throw CancellationError()
        } catch {
            throw ProcessorError(
                .stopped,
                processor: self.processor,
                message:
                    "the dead letters in \(letters.place) can't be read, so it is not known which keys wait: \(error)",
                cause: error
            )
        }
        return letters.isDropped ? nil : letters
    }

    /// Messages are handled in a transaction: of another one before it is known then what became of it, since a first attempt
    /// follows a commit, and any other one an abort.
    func begin(_ transaction: KafkaTransaction) {
        let ended: [PartitionLetters] = self.state.withLock { state in
            guard state.transaction !== transaction else { return [] }
            state.transaction = transaction
            return Array(state.partitions.values)
        }
        for letters in ended { letters.transactionEnded(isCommitted: transaction.attempt == 1) }
    }
}

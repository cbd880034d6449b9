package import KafkaClient
package import Logging
internal import Synchronization

/// Reads what partitions hold at a moment, from one offset of each to another, without a group.
package struct TopicReader: Sendable {
    private let configuration: KafkaConsumer.Configuration
    private let logger: Logger
    /// How long nothing may come.
    private let patience: Duration

    /// - Parameters:
    ///   - configuration: whose brokers, security and sizes count.
    ///   - patience: how long nothing may come before reading fails.
    package init(_ configuration: KafkaConsumer.Configuration, patience: Duration, logger: Logger) {
        var configuration = configuration
        configuration.group = nil
        configuration.groupInstanceID = nil
        configuration.isolationLevel = .readCommitted
        configuration.autoOffsetReset = .earliest
        configuration.commitPolicy = .manual
        configuration.reportsEndOfPartition = true
        configuration.metrics = nil
        configuration.onAssigned = nil
        configuration.onRevoked = nil
        configuration.onLost = nil
        configuration.onOffsetReset = nil
        configuration.tracing = nil
        self.configuration = configuration
        self.patience = patience
        self.logger = logger
    }

    /// What the logs hold now, with what open transactions have written: whoever reads all committed records up to there misses
    /// nothing that was committed before, also where a transaction's mark has not reached the partition yet.
    package func watermarks(
        of partitions: some Sequence<KafkaTopicPartition>
    ) async throws -> [KafkaTopicPartition: KafkaWatermarks] {
        var configuration = self.configuration
        configuration.isolationLevel = .readUncommitted
        return try await withKafkaConsumer(configuration, logger: self.logger) { consumer in
            var watermarks: [KafkaTopicPartition: KafkaWatermarks] = [:]
            for partition in partitions {
                watermarks[partition] = try await consumer.watermarks(of: partition, timeout: .seconds(30))
            }
            return watermarks
        }
    }

    /// The numbers of a topic's partitions.
    package func partitions(of topic: String) async throws -> [Int32] {
        try await withKafkaConsumer(self.configuration, logger: self.logger) { consumer in
            try await consumer.partitions(of: topic, timeout: .seconds(30))
        }
    }

    /// Reads the committed records of ranges of offsets; those of a partition come in their order.
    ///
    /// - Parameter body: takes a record, and answers whether to go on.
    /// - Throws: ``PatienceExceeded`` when nothing comes for too long; what `body` throws; `KafkaError`.
    package func read(
        _ ranges: [KafkaTopicPartition: Range<Int64>],
        _ body: (KafkaConsumerRecord) async throws -> Bool
    ) async throws {
        var left = ranges.filter { !$0.value.isEmpty }
        guard !left.isEmpty else { return }
        let starts = left.mapValues { KafkaOffset.absolute($0.lowerBound) }
        let consumer = try KafkaConsumer(configuration: self.configuration, logger: self.logger)
        let alarm = Alarm(patience: self.patience)
        let watch = Task { await alarm.watch { await consumer.close() } }
        let outcome: Result<Void, any Error>
        do {
            try await consumer.assign(starts)
            batches: for try await batch in consumer.batches {
                // How long `body` takes does not count.
                alarm.hold()
                for record in batch {
                    let partition = record.topicPartition
                    guard let end = left[partition]?.upperBound else { continue }
                    if record.offset < end, try await !body(record) { left = [:] }
                    if record.offset >= end - 1 { left[partition] = nil }
                    if left.isEmpty { break batches }
                }
                for (partition, end) in batch.endOfPartitions where end >= left[partition]?.upperBound ?? .max {
                    left[partition] = nil
                }
                if left.isEmpty { break }
                alarm.reset()
            }
            outcome = .success(())
        } catch {
            outcome = .failure(error)
        }
        watch.cancel()
        await consumer.close()
        try outcome.get()
        try Task.checkCancellation()
        guard left.isEmpty else { throw PatienceExceeded(partitions: left.keys.sorted(), patience: self.patience) }
    }

    /// The end was not reached.
    package struct PatienceExceeded: Error, CustomStringConvertible {
        package var partitions: [KafkaTopicPartition]
        package var patience: Duration

        package var description: String {
            let names = self.partitions.map(\.description).joined(separator: ", ")
            return "nothing came for \(self.patience) before the end of \(names): a transaction may be open"
        }
    }

    /// Goes off when it is not reset in time, nor held.
    private final class Alarm: Sendable {
        private let deadline: Mutex<ContinuousClock.Instant?>
        private let patience: Duration

        init(patience: Duration) {
            self.patience = patience
            self.deadline = Mutex(.now + patience)
        }

        func reset() { self.deadline.withLock { $0 = .now + self.patience } }

        func hold() { self.deadline.withLock { $0 = nil } }

        func watch(_ goesOff: () async -> Void) async {
            while !Task.isCancelled {
                let deadline = self.deadline.withLock { $0 } ?? .now + self.patience
                guard deadline > .now else { return await goesOff() }
                try? await Task.sleep(until: deadline)
            }
        }
    }
}

internal import CLibrdkafka
internal import Dispatch
internal import Logging
internal import Metrics
internal import Synchronization

/// Turns librdkafka's statistics, and counts of the client's own, into metrics.
///
/// The pump hands over the document; it is read, and metrics are set, on a queue of its own, so that neither a large
/// document nor a slow backend holds up delivery reports. While one report is being made, others are left out: nothing
/// piles up, and counts are totals, so nothing is missed.
///
/// Unchecked, because the registry is confined to the queue.
final class ClientMetrics: @unchecked Sendable {
    enum Role: Sendable {
        case producer
        case consumer(group: String?, isolation: KafkaConsumer.IsolationLevel)
    }

    /// What the client itself counts, since it was made.
    struct Counts: Sendable, Equatable {
        var failedRecords: Int64 = 0
        var commits: Int64 = 0
        var failedCommits: Int64 = 0
        var lostPartitions: Int64 = 0
    }

    /// What a consumer knows of itself at the time of a report.
    struct ConsumerView: Sendable {
        var assignment: Set<KafkaTopicPartition>
        var queuedRecords: Int
    }

    private struct State {
        var counts = Counts()
        /// The offset of the first record that is not processed yet, of partitions where that is known.
        var positions: [KafkaTopicPartition: Int64] = [:]
        var isReporting = false
        var isClosed = false
    }

    private let role: Role
    private let logger: Logger
    private let queue: DispatchQueue
    private let state = Mutex(State())
    private var registry: MetricRegistry
    private var hasFailed = false

    init(_ configuration: KafkaMetrics, role: Role, client: String, logger: Logger) {
        self.role = role
        self.logger = logger
        self.queue = DispatchQueue(label: "kafka.metrics.\(client)", qos: .utility)
        var labels = configuration.labels.sorted { $0.key < $1.key }.map { MetricRegistry.Label($0.key, $0.value) }
        labels.append(.init("client", client))
        if case .consumer(let group?, _) = role {
            labels.append(.init("group", group))
        }
        self.registry = MetricRegistry(
            factory: configuration.factory ?? MetricsSystem.factory,
            prefix: configuration.prefix,
            labels: labels
        )
    }

    // MARK: Counting

    /// Changes the client's own counts.
    func count(_ change: (inout Counts) -> Void) {
        self.state.withLock { change(&$0.counts) }
    }

    /// Takes note of where a consumer is.
    func processed(_ positions: some Sequence<(partition: KafkaTopicPartition, offset: Int64)>) {
        self.state.withLock { state in
            for position in positions { state.positions[position.partition] = position.offset }
        }
    }

    /// Takes note of where a consumer begins, for partitions of which nothing is processed yet.
    func handedOut(_ batch: KafkaConsumerBatch) {
        self.state.withLock { state in
            let new = batch.partitions.filter { state.positions[$0] == nil }
            guard !new.isEmpty else { return }
            for (partition, offset) in batch.firstOffsets(of: new) { state.positions[partition] = offset }
        }
    }

    /// Forgets where a consumer was: partitions were assigned, or their position changed.
    func forgetPositions(of partitions: some Sequence<KafkaTopicPartition>) {
        self.state.withLock { state in
            for partition in partitions { state.positions[partition] = nil }
        }
    }

    // MARK: Reporting

    /// Reports the statistics of an event, on the pump.
    func report(_ event: OpaquePointer, consumer: ConsumerView? = nil) {
        guard let text = rd_kafka_event_stats(event) else { return }
        let begins = self.state.withLock { state in
            guard !state.isReporting, !state.isClosed else { return false }
            state.isReporting = true
            return true
        }
        guard begins else { return }
        // The event is gone when the queue comes to it.
        var count = 0
        while text[count] != 0 { count += 1 }
        let json = Array(UnsafeRawBufferPointer(start: text, count: count))
        self.queue.async {
            self.report(json, consumer: consumer)
            self.state.withLock { $0.isReporting = false }
        }
    }

    private func report(_ json: [UInt8], consumer: ConsumerView?) {
        let (counts, positions, isClosed) = self.state.withLock { ($0.counts, $0.positions, $0.isClosed) }
        guard !isClosed else { return }
        do throws(JSONReader.Failure) {
            let report = MetricsReport(
                statistics: try StatisticsSnapshot(json),
                counts: counts,
                positions: positions,
                consumer: consumer
            )
            report.write(to: &self.registry, as: self.role)
        } catch {
            // Once: the next document will have the same fault.
            if !self.hasFailed {
                self.logger.warning("librdkafka's statistics can't be read, so metrics are missing: \(error)")
            }
            self.hasFailed = true
        }
    }

    /// Destroys all metrics.
    func close() {
        self.state.withLock { $0.isClosed = true }
        self.queue.async { self.registry.destroy() }
    }
}

extension KafkaConsumerBatch {
    /// The offsets of the first records of partitions.
    func firstOffsets(of partitions: [KafkaTopicPartition]) -> [KafkaTopicPartition: Int64] {
        var offsets: [KafkaTopicPartition: Int64] = [:]
        for index in 0..<self.count where offsets.count < partitions.count {
            let partition = self.partition(at: index)
            if offsets[partition] == nil, partitions.contains(partition) {
                offsets[partition] = self.message(at: index).pointee.offset
            }
        }
        return offsets
    }
}

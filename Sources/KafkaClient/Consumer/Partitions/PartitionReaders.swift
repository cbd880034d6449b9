internal import CLibrdkafka
internal import Synchronization

/// The partitions of a consumer that reads each apart from the others, by streams or by a processor.
///
/// Made when the first of these is asked for; from then on the data queue of the consumer is not used any more.
final class PartitionReaders: RebalanceListener {
    private struct Guarded {
        /// The partitions that are not given up, in the order in which they were assigned.
        var channels: [PartitionChannel] = []
        var nextID = 0
        var isClosing = false
    }

    /// Refers to this object too, until the consumer is closed.
    private let core: ConsumerCore
    private let guarded = Mutex(Guarded())
    let processor = RecordProcessor()

    init(core: ConsumerCore) {
        self.core = core
    }

    // MARK: What the group gives and takes, on the pump

    func assigned(_ partitions: Set<KafkaTopicPartition>) {
        guard let client = self.core.handle.withLock({ $0 }) else { return }
        // librdkafka respects what was done to a queue before its partition is assigned.
        let known = partitions.sorted().filter { self.core.partitionQueues[$0] != nil }
        for partition in known {
            rd_kafka_queue_forward(self.core.partitionQueues[partition], nil)
        }
        var fetched = self.core.takeShared(client)
        for partition in known {
            self.add(partition, fetched: fetched.removeValue(forKey: partition) ?? [], client: client)
        }
        self.core.signal.signal()
    }

    private func add(_ partition: KafkaTopicPartition, fetched: [KafkaConsumerBatch], client: ClientHandle) {
        guard let ownership = self.core.state.withLock({ $0.ownedSince[partition] }) else { return }
        if let channel = self.channel(of: partition), !channel.isOver, channel.ownership == ownership {
            // Started anew at a place that was found out meanwhile: its stream goes on.
            channel.append(fetched)
            return
        }
        // Told again, the partition was moved elsewhere.
        self.remove([partition])
        guard let queue = rd_kafka_queue_get_partition(client.pointer, partition.topic, partition.partition)
        else { return }
        let isPaused = self.core.isPaused(partition)
        let id = self.guarded.withLock { guarded in
            defer { guarded.nextID += 1 }
            return guarded.nextID
        }
        let channel = PartitionChannel(
            partition,
            id: id,
            ownership: ownership,
            queue: queue,
            fetched: fetched,
            core: self.core
        )
        channel.setPaused(isPaused)
        let isClosing = self.guarded.withLock { guarded in
            guarded.channels.append(channel)
            return guarded.isClosing
        }
        if isClosing {
            channel.end()
        }
    }

    func revoking(_ partitions: Set<KafkaTopicPartition>) {
        for channel in self.channels(of: partitions) {
            self.end(channel)
        }
    }

    func gaveUp(_ partitions: Set<KafkaTopicPartition>) {
        self.remove(partitions)
        // Why they were lost may be for the reader of partitions to hear.
        self.core.signal.signal()
    }

    private func remove(_ partitions: Set<KafkaTopicPartition>) {
        for channel in self.channels(of: partitions) {
            self.end(channel)
            channel.release()
        }
        self.guarded.withLock { $0.channels.removeAll { partitions.contains($0.partition) } }
    }

    private func end(_ channel: PartitionChannel) {
        channel.end()
        self.processor.end(channel)
    }

    private func channels(of partitions: Set<KafkaTopicPartition>) -> [PartitionChannel] {
        self.all.filter { partitions.contains($0.partition) }
    }

    private func channel(of partition: KafkaTopicPartition) -> PartitionChannel? {
        self.all.first { $0.partition == partition }
    }

    private var all: [PartitionChannel] { self.guarded.withLock { $0.channels } }

    /// Whether records of a partition may be handed out.
    func isReading(_ partition: KafkaTopicPartition) -> Bool {
        self.channel(of: partition)?.isOver == false
    }

    /// How many records, ends of partitions and errors wait to be read, of each partition.
    var queuedCounts: [KafkaTopicPartition: Int] {
        self.all.reduce(into: [:]) { $0[$1.partition] = $1.queuedCount }
    }

    // MARK: Control

    /// Nothing is handed out of paused partitions.
    func setPaused(_ partitions: Set<KafkaTopicPartition>, _ isPaused: Bool) {
        for channel in self.channels(of: partitions) {
            channel.setPaused(isPaused)
            self.processor.setPaused(channel, isPaused)
        }
    }

    /// Stores what is processed, in the middle of batches too.
    func storeProcessed() {
        for channel in self.all {
            channel.storeProcessed()
        }
        self.processor.storeProcessed()
    }

    /// Nothing is handed out any more; what is in hand may be finished.
    func close() {
        self.guarded.withLock { $0.isClosing = true }
        for channel in self.all {
            self.end(channel)
        }
    }

    /// Gives back what belongs to librdkafka.
    func release() {
        for channel in self.all {
            channel.release()
        }
        self.guarded.withLock { $0.channels = [] }
    }

    // MARK: Reading

    /// The next partition in the order of assignment that is not given up; waits for it.
    ///
    /// - Parameter id: the number of the partition before it, or -1.
    /// - Returns: `nil` when the consumer is closed or the task is cancelled.
    func nextChannel(after id: Int, readerID: Int) async throws(KafkaError) -> PartitionChannel? {
        guard try self.core.beginReadingPartitions(readerID: readerID) else { return nil }
        while true {
            if let channel = self.all.first(where: { $0.id > id && !$0.isOver }) {
                self.core.state.withLock { $0.readerEndsWaiting() }
                return channel
            }
            switch self.core.state.withLock({ $0.readerLooks(isCancelled: Task.isCancelled) }) {
            case nil: await self.core.signal.wait()
            case .fail(let error): throw error
            case .end, .deliver, .poll: return nil
            }
        }
    }

    /// Runs `body` for each partition, in a task of its own that is cancelled when another one throws.
    ///
    /// - Parameter stopped: when this happens, all of them are cancelled.
    /// - Throws: what `body` throws, and ``KafkaError`` for what will not go away by itself.
    func forEachChannel(
        until stopped: Completion = Completion(),
        _ body: @escaping @Sendable (PartitionChannel) async throws -> Void
    ) async throws {
        // The loop runs in a task of its own: when one of its children throws, a task group cancels the others, but does not
        // wake its own body.
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask {
                try await self.forEach(stopped: stopped, body)
            }
            group.addTask {
                _ = await stopped.waitUnlessCancelled()
            }
            defer { group.cancelAll() }
            try await group.next()
            group.cancelAll()
            try await group.waitForAll()
        }
    }

    private func forEach(
        stopped: Completion,
        _ body: @escaping @Sendable (PartitionChannel) async throws -> Void
    ) async throws {
        try await withThrowingDiscardingTaskGroup { group in
            let reader = BatchReader(source: self.core)
            var id = -1
            while let channel = try await self.nextChannel(after: id, readerID: reader.id) {
                id = channel.id
                group.addTask {
                    do {
                        try await body(channel)
                    } catch {
                        stopped.complete()
                        throw error
                    }
                }
            }
        }
    }
}

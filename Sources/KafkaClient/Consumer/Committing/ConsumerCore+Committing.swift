internal import CLibrdkafka
internal import Dispatch
internal import Synchronization

/// What is processed, and its commits.
extension ConsumerCore {
    static let commitOperation = "commit"

    /// Decides and stores what was processed, with nothing in between: no partition is given up meanwhile.
    func storing<R>(_ decide: (inout State) -> (R, [State.Position])) -> R {
        self.betweenDrains {
            let (result, positions) = self.state.withLock { decide(&$0) }
            self.store(positions)
            return result
        }
    }

    /// Marks positions for the next commit.
    private func store(_ positions: [State.Position]) {
        self.metrics?.processed(positions)
        guard self.configuration.group != nil, !positions.isEmpty, let client = self.handle.withLock({ $0 }) else {
            return
        }
        self.commits.process(positions)
        // librdkafka commits nothing by itself, but tells in its statistics what is stored.
        let list = PartitionList(capacity: positions.count)
        for position in positions {
            list.append(position.partition, offset: position.offset)
        }
        _ = rd_kafka_offsets_store(client.pointer, list.pointer)
    }

    /// Marks what is processed so far for the next commit.
    func storeProcessed() {
        self.readers.withLock { $0 }?.storeProcessed()
        self.storing { ((), $0.takeProcessed()) }
    }

    // MARK: Automatic commits

    /// Commits what is processed when so many records are, if that was asked for.
    func commitByCount() {
        guard let limit = self.configuration.commitCount, self.state.withLock({ $0.takeCommitDue(limit) }),
            let client = self.handle.withLock({ $0 })
        else { return }
        client.pump.dispatchQueue.async { self.commits.requestProcessed(client: client) }
    }

    /// Commits what is processed when the interval is over. On the pump.
    func commitByTime(_ client: ClientHandle, now: ContinuousClock.Instant) {
        guard let interval = self.configuration.commitInterval, now - self.lastCommitTime >= interval * 9 / 10 else {
            return
        }
        self.lastCommitTime = now
        self.state.withLock { _ = $0.takeCommitDue(0) }
        self.commits.requestProcessed(client: client)
    }

    // MARK: Commits that the application asks for

    /// Commits what was processed.
    func commit() async throws(KafkaError) {
        let client = try self.committingClient(operation: Self.commitOperation)
        self.storeProcessed()
        try await self.commits.commit(nil, rewinds: false, client: client, operation: Self.commitOperation) {}
    }

    /// Commits that everything up to the last of these records of a batch is processed.
    func commit(
        _ offsets: [KafkaTopicPartition: Int64],
        of batch: KafkaConsumerBatch
    ) async throws(KafkaError) {
        try await self.commit(offsets, of: batch, rewinds: false)
    }

    /// Commits positions, which may be lower than what was committed.
    func commit(_ offsets: [KafkaTopicPartition: Int64]) async throws(KafkaError) {
        try await self.commit(offsets, of: nil, rewinds: true)
    }

    private func commit(
        _ offsets: [KafkaTopicPartition: Int64],
        of batch: KafkaConsumerBatch?,
        rewinds: Bool
    ) async throws(KafkaError) {
        let operation = Self.commitOperation
        let client = try self.committingClient(operation: operation)
        try self.checkOwned(offsets.keys, in: batch, operation: operation)
        try self.check(offsets, operation: operation)
        guard !offsets.isEmpty else { return }
        try await self.commits.commit(offsets, rewinds: rewinds, client: client, operation: operation) {
            () throws(KafkaError) in
            // Again, on the pump, where partitions are given up.
            try self.checkOwned(offsets.keys, in: batch, operation: operation)
            self.storing { ((), $0.committing(offsets, rewinds: rewinds)) }
            if rewinds { self.commits.rewind(offsets) }
        }
    }

    // MARK: Checks

    /// Offsets of partitions that can exist.
    func check(_ offsets: [KafkaTopicPartition: Int64], operation: String) throws(KafkaError) {
        try TopicName.check(offsets.keys, operation: operation)
        for (partition, offset) in offsets where offset < 0 {
            throw KafkaError(
                .invalidState,
                operation: operation,
                topic: partition.topic,
                partition: partition.partition,
                message: "\(offset) is not an offset"
            )
        }
    }

    /// - Throws: `groupMembership` for a partition that this consumer may not commit.
    func checkOwned(
        _ partitions: some Sequence<KafkaTopicPartition>,
        in batch: KafkaConsumerBatch? = nil,
        operation: String
    ) throws(KafkaError) {
        guard let foreign = self.partitionNotOwned(of: partitions, in: batch) else { return }
        throw .notOwned(foreign, operation: operation)
    }

    /// The first of the partitions that this consumer may not commit.
    func partitionNotOwned(
        of partitions: some Sequence<KafkaTopicPartition>,
        in batch: KafkaConsumerBatch?
    ) -> KafkaTopicPartition? {
        self.state.withLock { $0.partitionNotOwned(of: partitions, in: batch) }
    }
}

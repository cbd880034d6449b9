internal import Synchronization

/// Commits that the application asks for.
extension ConsumerCore {
    static let commitOperation = "commit"

    /// Commits what was processed.
    func commit() async throws(KafkaError) {
        let client = try self.committingClient(operation: Self.commitOperation)
        self.storeProcessed()
        try await self.commits.commit(nil, client: client, operation: Self.commitOperation)
    }

    /// Commits positions.
    ///
    /// - Parameter batch: what they are behind of, if it is records.
    func commit(
        _ offsets: [KafkaTopicPartition: Int64],
        of batch: KafkaConsumerBatch?
    ) async throws(KafkaError) {
        let operation = Self.commitOperation
        let client = try self.committingClient(operation: operation)
        if let foreign = self.partitionNotOwned(of: offsets.keys, in: batch) {
            throw KafkaError(
                .groupMembership,
                operation: operation,
                topic: foreign.topic,
                partition: foreign.partition,
                message: "the partition is not assigned to this consumer (any more), so its offset is not committed"
            )
        }
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
        guard !offsets.isEmpty else { return }
        self.storeExplicit(offsets)
        try await self.commits.commit(offsets, client: client, operation: operation)
    }
}

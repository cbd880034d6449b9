internal import CLibrdkafka
internal import Synchronization

/// What transactions need to know of a consumer whose positions they commit.
extension ConsumerCore {
    /// Only a consumer that commits nothing by itself can have its positions committed in transactions.
    func checkTransactionalCommits(operation: String) throws(KafkaError) {
        _ = try self.committingClient(operation: operation)
        guard self.configuration.commitPolicy == .manual else {
            throw KafkaError(
                .invalidState,
                operation: operation,
                message: "the consumer also commits by itself: set its `commitPolicy` to `.manual`"
            )
        }
    }

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

    func checkOwned(
        _ partitions: some Sequence<KafkaTopicPartition>,
        in batch: KafkaConsumerBatch?,
        operation: String
    ) throws(KafkaError) {
        guard let foreign = self.partitionNotOwned(of: partitions, in: batch) else { return }
        throw KafkaError(
            .groupMembership,
            operation: operation,
            topic: foreign.topic,
            partition: foreign.partition,
            message: "the partition is not assigned to this consumer (any more), so its offset is not committed"
        )
    }

    /// Who this consumer is in its group now. librdkafka asks a thread of its own, which may take a moment.
    func groupMetadata(operation: String) async throws -> ConsumerGroupMetadata {
        try await self.committingClient(operation: operation).blocking { client throws(KafkaError) in
            guard let metadata = rd_kafka_consumer_group_metadata(client.pointer) else {
                throw KafkaError.closed(operation: operation)
            }
            return ConsumerGroupMetadata(taking: metadata)
        }
    }

    /// The part of a batch in hand whose partitions are still owned; `nil` when none is.
    func stillOwned(of batch: KafkaConsumerBatch) -> KafkaConsumerBatch? {
        let foreign = batch.partitions.filter { self.partitionNotOwned(of: CollectionOfOne($0), in: batch) != nil }
        return foreign.isEmpty ? batch : batch.selecting { !foreign.contains($0) }
    }
}

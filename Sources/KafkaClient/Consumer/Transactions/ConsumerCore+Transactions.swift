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

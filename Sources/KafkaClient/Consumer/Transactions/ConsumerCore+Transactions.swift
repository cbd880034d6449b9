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
    ///
    /// - Throws: `groupMembership` for a subscribed consumer that is no member at the moment. The brokers would take
    ///   offsets that name no member from anybody, and it may not know yet that it has lost its partitions.
    func groupMetadata(operation: String) async throws -> ConsumerGroupMetadata {
        let isMember = self.state.withLock { if case .topics = $0.subscription { true } else { false } }
        return try await self.committingClient(operation: operation).blocking { client throws(KafkaError) in
            guard let pointer = rd_kafka_consumer_group_metadata(client.pointer) else {
                throw KafkaError.closed(operation: operation)
            }
            let metadata = ConsumerGroupMetadata(taking: pointer)
            // Asked afterwards: it gets another id only when it has given up what it had.
            guard !isMember || Self.hasMemberID(client) else {
                throw KafkaError(
                    .groupMembership,
                    operation: operation,
                    message: "the consumer is no member of its group at the moment, so its offsets are not committed"
                )
            }
            return metadata
        }
    }

    private static func hasMemberID(_ client: ClientHandle) -> Bool {
        guard let id = rd_kafka_memberid(client.pointer) else { return false }
        defer { rd_kafka_mem_free(client.pointer, id) }
        return id.pointee != 0
    }

    /// Whether a partition is owned, and has been without a break since a batch was handed out.
    func isStillOwned(_ partition: KafkaTopicPartition, in batch: KafkaConsumerBatch) -> Bool {
        self.partitionNotOwned(of: CollectionOfOne(partition), in: batch) == nil
    }

    /// The part of a batch in hand whose partitions are still owned; `nil` when none is.
    func stillOwned(of batch: KafkaConsumerBatch) -> KafkaConsumerBatch? {
        let foreign = batch.partitions.filter { !self.isStillOwned($0, in: batch) }
        return foreign.isEmpty ? batch : batch.selecting { !foreign.contains($0) }
    }
}

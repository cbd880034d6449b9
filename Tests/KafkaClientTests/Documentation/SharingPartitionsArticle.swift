import KafkaClient
import Logging

// The code of the article "Sharing partitions", which `ArticleTests` compares with the article. It is compiled, not run.

private actor Cache {
    func load(_ partitions: Set<KafkaTopicPartition>) {}
    func flush(_ partitions: Set<KafkaTopicPartition>) {}
    func drop(_ partitions: Set<KafkaTopicPartition>) {}
}

private func hooks(_ configuration: inout KafkaConsumer.Configuration, _ cache: Cache, _ logger: Logger) {
    configuration.onAssigned = { rebalance in
        await cache.load(rebalance.partitions)
    }
    configuration.onRevoked = { rebalance in
        await cache.flush(rebalance.partitions)
        do {
            try await rebalance.commit()
        } catch {
            logger.warning("\(error)")
        }
    }
    configuration.onLost = { rebalance in
        await cache.drop(rebalance.partitions)
    }

    configuration.groupInstanceID = "billing-1"
}

private func pausing(_ consumer: KafkaConsumer, _ partitions: Set<KafkaTopicPartition>) async throws {
    try await consumer.pause(partitions)
    try await consumer.resume(partitions)
}

import EmbeddedKafka
import KafkaClient

extension KafkaProducer.Configuration {
    /// The defaults for a cluster, with a transactional id.
    static func transactional(_ cluster: EmbeddedKafkaCluster, _ id: String) -> Self {
        var configuration = Self.test(cluster)
        configuration.transactionalID = id
        return configuration
    }
}

extension KafkaConsumer.Configuration {
    /// A member of a group whose positions only transactions commit.
    static func manual(_ cluster: EmbeddedKafkaCluster, group: String) -> Self {
        var configuration = Self.test(cluster, group: group)
        configuration.commitPolicy = .manual
        return configuration
    }
}

extension EmbeddedKafkaCluster {
    /// The values of a topic of one partition, as a new reader finds them now.
    func values(
        of topic: String,
        partitions: Int = 1,
        _ isolationLevel: KafkaConsumer.IsolationLevel = .readCommitted
    ) async throws -> [String] {
        try await self.allRecords(of: topic, partitions: partitions, isolationLevel).map { $0.valueString ?? "" }
    }

    /// What a group has committed of a topic of one partition.
    func committed(_ topic: String, group: String) async throws -> Int64? {
        let place = KafkaTopicPartition(topic: topic, partition: 0)
        return try await withConsumer(.test(self, group: group)) { consumer in
            try await consumer.committedOffsets(for: [place])[place]
        }
    }
}

/// What a body of a test throws.
struct Refusal: Error, Equatable {}

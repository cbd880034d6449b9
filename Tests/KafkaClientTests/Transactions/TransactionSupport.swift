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
        var configuration = KafkaConsumer.Configuration.test(self)
        configuration.reportsEndOfPartition = true
        configuration.isolationLevel = isolationLevel
        let all = (0..<Int32(partitions)).map { KafkaTopicPartition(topic: topic, partition: $0) }
        return try await withConsumer(configuration, assigned: all.reduce(into: [:]) { $0[$1] = .beginning }) {
            consumer in
            var values: [String] = []
            var ended: Set<KafkaTopicPartition> = []
            for try await batch in consumer.batches {
                values += batch.map { $0.valueString ?? "" }
                ended.formUnion(batch.endOfPartitions.keys)
                if ended.count == partitions { break }
            }
            return values
        }
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

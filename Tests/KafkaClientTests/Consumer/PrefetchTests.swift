import EmbeddedKafka
import TestSupport
import Testing

@testable import KafkaClient

/// However slow the reader is, what waits for it stays within its bounds (promise 5), and nothing is lost by it.
@Suite(.timeLimit(.minutes(1)))
struct PrefetchTests {
    /// Compression is off, so that what is stored is what is fetched.
    private func fill(
        _ topic: String,
        partitions: Int32,
        records: Int,
        bytes: Int,
        cluster: EmbeddedKafkaCluster
    ) async throws {
        let value = String(repeating: "x", count: bytes)
        // Brokers answer with whole batches: small ones.
        var configuration = KafkaProducer.Configuration.test(cluster)
        configuration.maxBatchRecords = 50
        try await withProducer(configuration) { producer in
            for partition in 0..<partitions {
                try await producer.fill(topic, partition: partition, values: Array(repeating: value, count: records))
            }
        }
    }

    @Test func bytesAreBounded() async throws {
        try await withTopic(partitions: 4) { cluster, topic in
            // 12 MB in all; one fetch brings at most 100 kB of each partition.
            try await self.fill(topic, partitions: 4, records: 3_000, bytes: 1_000, cluster: cluster)
            var configuration = KafkaConsumer.Configuration.test(cluster)
            configuration.maxPrefetchedBytes = 1_000_000
            configuration.maxPartitionFetchBytes = 100_000
            configuration.maxBatchRecords = 10
            try await self.expectBound(2_000, records: 12_000, topic: topic, configuration: configuration)
        }
    }

    @Test func recordsAreBounded() async throws {
        try await withTopic(partitions: 4) { cluster, topic in
            try await self.fill(topic, partitions: 4, records: 3_000, bytes: 10, cluster: cluster)
            var configuration = KafkaConsumer.Configuration.test(cluster)
            configuration.maxPrefetchedRecords = 500
            configuration.maxPartitionFetchBytes = 10_000
            configuration.maxBatchRecords = 10
            try await self.expectBound(4_000, records: 12_000, topic: topic, configuration: configuration)
        }
    }

    /// Holds the first batch until fetching has stopped, then reads all.
    ///
    /// - Parameter bound: the configured bound and what one more fetch of each partition may bring.
    private func expectBound(
        _ bound: Int,
        records: Int,
        topic: String,
        configuration: KafkaConsumer.Configuration
    ) async throws {
        let partitions = (0..<Int32(4)).map { KafkaTopicPartition(topic: topic, partition: $0) }
        try await withConsumer(configuration, assigned: partitions.reduce(into: [:]) { $0[$1] = .beginning }) {
            consumer in
            var iterator = consumer.batches.makeAsyncIterator()
            let first = try await iterator.next()
            var count = try #require(first).count
            try await eventually("records are fetched while the reader is busy") { consumer.core.queuedCount > 0 }
            try await always(for: .seconds(1), "at most \(bound) records wait") {
                consumer.core.queuedCount <= bound
            }
            while count < records {
                let batch = try await iterator.next()
                count += try #require(batch).count
            }
            #expect(count == records)
        }
    }
}

import Foundation
import KafkaClient
import KafkaMockCluster
import Logging

/// The cluster that the integration tests run on: the one that `KSTREAM_BOOTSTRAP_SERVERS` names, else a mock in the
/// process. Every test has topics and groups of its own, so that a cluster can be used again and again.
struct IntegrationCluster: Sendable {
    let bootstrapServers: [String]
    /// Whether the cluster was named from outside.
    let isExternal: Bool
    private let mock: MockCluster?

    static let shared = Result {
        let named = ProcessInfo.processInfo.environment["KSTREAM_BOOTSTRAP_SERVERS"] ?? ""
        if !named.isEmpty {
            let servers = named.split(separator: ",").map(String.init)
            return IntegrationCluster(bootstrapServers: servers, isExternal: true, mock: nil)
        }
        let mock = try MockCluster(brokers: 3)
        return IntegrationCluster(bootstrapServers: mock.bootstrapServers, isExternal: false, mock: mock)
    }

    var logger: Logger { Logger(label: "test") { _ in SwiftLogNoOpLogHandler() } }

    /// A name that no other test and no earlier run has used.
    func uniqueName(_ purpose: String) -> String {
        "integration-\(purpose)-\(UUID().uuidString.lowercased())"
    }

    /// Creates a topic, in a cluster from outside by the brokers' automatic creation.
    ///
    /// - Returns: the topic's partitions.
    func createTopic(_ name: String, partitions: Int = 4) async throws -> [KafkaTopicPartition] {
        try self.mock?.createTopic(name, partitions: partitions)
        return try await withKafkaProducer(self.producer, logger: self.logger) { producer in
            if self.isExternal {
                // A first record creates the topic and waits until it has leaders.
                _ = try await producer.send(.init(topic: name, value: "first"))
            }
            return try await producer.partitions(of: name, timeout: .seconds(20))
                .map { KafkaTopicPartition(topic: name, partition: $0) }
        }
    }

    var producer: KafkaProducer.Configuration {
        KafkaProducer.Configuration(bootstrapServers: self.bootstrapServers)
    }

    func consumer(group: String? = nil) -> KafkaConsumer.Configuration {
        var configuration = KafkaConsumer.Configuration(bootstrapServers: self.bootstrapServers, group: group)
        // A mock answers an empty fetch only at the end of the wait.
        configuration.fetchMaxWait = .milliseconds(20)
        configuration.sessionTimeout = .seconds(6)
        return configuration
    }

    /// All records of partitions, read to their ends.
    func readAll(_ partitions: [KafkaTopicPartition]) async throws -> [KafkaRecord] {
        var configuration = self.consumer()
        configuration.reportsEndOfPartition = true
        let beginnings = Dictionary(uniqueKeysWithValues: partitions.map { ($0, KafkaOffset.beginning) })
        return try await withKafkaConsumer(configuration, assigned: beginnings, logger: self.logger) { consumer in
            var records: [KafkaRecord] = []
            var open = Set(partitions)
            for try await batch in consumer.batches {
                records += batch.map { $0.detached() }
                open.subtract(batch.endOfPartitions.keys)
                if open.isEmpty { break }
            }
            return records
        }
    }
}

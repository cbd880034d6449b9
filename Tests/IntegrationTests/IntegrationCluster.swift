import EmbeddedKafka
import Foundation
import KafkaClient
import Logging

/// The cluster that the integration tests run on: the one that `KSTREAM_BOOTSTRAP_SERVERS` names, else one in this
/// process. Every test has topics and groups of its own, so that a cluster can be used again and again.
struct IntegrationCluster: Sendable {
    let bootstrapServers: [String]
    /// Whether the cluster was named from outside.
    let isExternal: Bool
    private let embedded: EmbeddedKafkaCluster?

    /// The cluster of this run, which is started once and ends with the process.
    static var shared: IntegrationCluster {
        get async throws { try await self.start.value }
    }

    private static let start = Task {
        let named = ProcessInfo.processInfo.environment["KSTREAM_BOOTSTRAP_SERVERS"] ?? ""
        if !named.isEmpty {
            let servers = named.split(separator: ",").map(String.init)
            return IntegrationCluster(bootstrapServers: servers, isExternal: true, embedded: nil)
        }
        let cluster = try EmbeddedKafkaCluster(configuration: .init(nodes: 3))
        try await cluster.start()
        return IntegrationCluster(bootstrapServers: cluster.bootstrapServers, isExternal: false, embedded: cluster)
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
        try await self.embedded?.createTopic(name, partitions: partitions)
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

import EmbeddedKafka
import EventSourcing
import EventSourcingSQLite
import EventStreaming
import Foundation
import KafkaClient
import Logging
import Synchronization
import TestAccounts
import TestSupport

/// Runs `body` with a folder that is removed afterwards.
func withTemporaryFolder<R>(_ body: (String) async throws -> R) async throws -> R {
    let folder = FileManager.default.temporaryDirectory.appending(path: "kstream-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    return try await body(folder.path)
}

/// A cluster that tests share, with a name of one test for its topics and groups.
struct Shop: Sendable {
    let cluster: EmbeddedKafkaCluster
    let name: String

    private static let start = Task {
        let cluster = try EmbeddedKafkaCluster()
        try await cluster.start()
        return cluster
    }
    private static let number = Atomic<Int>(0)

    /// Makes topics with suffixes behind the name.
    static func make(_ topics: String..., partitions: Int = 3) async throws -> Shop {
        let cluster = try await self.start.value
        let shop = Shop(cluster: cluster, name: "shop-\(self.number.add(1, ordering: .relaxed).newValue)")
        for topic in topics { try await cluster.createTopic(shop.topic(topic), partitions: partitions) }
        return shop
    }

    func topic(_ suffix: String) -> String { "\(self.name).\(suffix)" }

    var servers: [String] { self.cluster.bootstrapServers }

    var logger: Logger { Logger(label: "test") { _ in SwiftLogNoOpLogHandler() } }

    var consuming: KafkaConsumer.Configuration {
        var configuration = KafkaConsumer.Configuration(bootstrapServers: self.servers)
        configuration.sessionTimeout = .seconds(6)
        configuration.heartbeatInterval = .milliseconds(100)
        configuration.fetchMaxWait = .milliseconds(20)
        return configuration
    }

    /// Sends records, and waits for all of them.
    @discardableResult
    func send(_ records: [KafkaProducerRecord]) async throws -> [KafkaRecordMetadata] {
        try await withKafkaProducer(.init(bootstrapServers: self.servers), logger: self.logger) { producer in
            try await producer.send(contentsOf: records).map { try $0.get() }
        }
    }

    /// All committed records of a topic, by partition and offset.
    func records(of suffix: String) async throws -> [KafkaRecord] {
        let topic = self.topic(suffix)
        let reader = TopicReader(self.consuming, patience: .seconds(30), logger: self.logger)
        let places = try await reader.partitions(of: topic).map { KafkaTopicPartition(topic: topic, partition: $0) }
        let ranges = try await reader.watermarks(of: places).mapValues { $0.low..<$0.high }
        let records = Collected<KafkaRecord>()
        try await reader.read(ranges) { record in
            records.append(record.detached())
            return true
        }
        return records.elements.sorted { ($0.partition, $0.offset) < ($1.partition, $1.offset) }
    }

    /// The events of accounts of a topic.
    func events(of suffix: String = "events") async throws -> [RecordedEvent<AccountEvent>] {
        let registry = EventRegistry.accounts()
        return try await self.records(of: suffix).map { record in
            guard let stored = EntityEventRecord.read(.made(record)), let event = try registry.recorded(stored) else {
                throw DeadlineExceeded(description: "the record \(record) is no event")
            }
            return event
        }
    }
}

/// Deposits in accounts, as records: number `n` puts `n + 1` into account `n % accounts`.
func deposits(_ numbers: Range<Int>, accounts: Int = 7, to topic: String) throws -> [KafkaProducerRecord] {
    let registry = EventRegistry.accounts()
    return try numbers.map { number in
        EntityEventRecord.record(
            of: try registry.encode(.deposited(number + 1), source: "/test", id: "deposit-\(number)"),
            entity: EntityID("account", "\(number % accounts)"),
            sequence: Int64(number / accounts + 1),
            topic: topic
        )
    }
}

/// What is in the accounts after deposits.
func expectedBalances(after count: Int, accounts: Int = 7) -> [String: Int] {
    Dictionary((0..<count).map { ("\($0 % accounts)", $0 + 1) }) { $0 + $1 }
}

/// Runs something until `body` has returned, and tells what ended it when that was an error.
func withRunning<R>(
    _ run: @escaping @Sendable () async throws -> Void,
    _ body: () async throws -> R
) async throws -> R {
    let task = Task { try await run() }
    do {
        let result = try await body()
        task.cancel()
        try await task.value
        return result
    } catch {
        task.cancel()
        // Why it ended tells more than that nothing came.
        try await task.value
        throw error
    }
}

extension SQLiteReadModel {
    /// Waits until records that were sent are seen.
    func see(_ sent: [KafkaRecordMetadata]) async throws {
        let missing = try await self.wait(for: PositionToken(sent), timeout: .seconds(60))
        guard missing.isEmpty else { throw DeadlineExceeded(description: "not seen within a minute: \(missing)") }
    }
}

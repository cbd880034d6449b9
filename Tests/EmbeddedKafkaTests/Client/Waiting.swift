import Foundation

@testable import EmbeddedKafka

struct ConditionNeverHeld: Error {}

/// Asks again and again until a condition holds. What it asks goes through the broker's event loop, which works meanwhile.
func eventually(_ condition: () async throws -> Bool) async throws {
    let end = ContinuousClock.now.advanced(by: .seconds(20))
    while try await !condition() {
        guard ContinuousClock.now < end else { throw ConditionNeverHeld() }
        await Task.yield()
    }
}

/// Runs a test with an empty folder, which is removed afterwards.
func withDataDirectory<Result>(_ body: (String) async throws -> Result) async throws -> Result {
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent("cluster-\(UUID().uuidString)").path
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(atPath: folder) }
    return try await body(folder)
}

/// Runs a test with a cluster and a connection to its first node.
func withClient<Result>(
    _ configuration: EmbeddedKafkaCluster.Configuration = .init(),
    _ body: (EmbeddedKafkaCluster, TestClient) async throws -> Result
) async throws -> Result {
    try await withEmbeddedKafka(configuration) { cluster in
        let client = try await TestClient.connect(to: cluster)
        let result = try await body(cluster, client)
        try await client.close()
        return result
    }
}

extension EmbeddedKafkaCluster {
    /// How many fetches wait for records.
    var waitingFetches: Int {
        get async throws { try await self.onBroker { $0.fetchWaiters.all.count } }
    }

    /// How many connections there are.
    var connections: Int {
        get async throws { try await self.onBroker { $0.connectionCount } }
    }

    /// How many requests came, of all APIs.
    var requests: Int {
        get async throws { try await self.onBroker { $0.requestCounts.values.reduce(0, +) } }
    }
}

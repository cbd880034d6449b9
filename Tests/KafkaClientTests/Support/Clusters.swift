import KafkaClient
import KafkaMockCluster
import Synchronization

/// Runs `body` with a cluster of its own, for tests that break it or change its timing.
func withCluster<R>(
    brokers: Int = 1,
    topics: [String: Int] = [:],
    _ body: (MockCluster) async throws -> R
) async throws -> R {
    let cluster = try MockCluster(brokers: brokers)
    for (topic, partitions) in topics {
        try cluster.createTopic(topic, partitions: partitions)
    }
    return try await body(cluster)
}

/// Runs `body` with the cluster that tests share which leave it as it is, and with a new topic there.
func withTopic<R>(
    partitions: Int = 1,
    _ body: (MockCluster, String) async throws -> R
) async throws -> R {
    let cluster = try SharedCluster.cluster.get()
    let topic = uniqueName("topic")
    try cluster.createTopic(topic, partitions: partitions)
    return try await body(cluster, topic)
}

/// A name that no other test has.
func uniqueName(_ prefix: String) -> String {
    "\(prefix)-\(SharedCluster.nextNumber.add(1, ordering: .relaxed).newValue)"
}

private enum SharedCluster {
    static let cluster = Result { try MockCluster() }
    static let nextNumber = Atomic<Int>(0)
}

extension KafkaProducer.Configuration {
    /// The defaults for a cluster, with short time-outs.
    static func test(_ cluster: MockCluster) -> Self {
        var configuration = Self(bootstrapServers: cluster.bootstrapServers)
        configuration.closeTimeout = .seconds(10)
        return configuration
    }
}

extension KafkaConsumer.Configuration {
    /// The defaults for a cluster, save that the mock answers an empty fetch only after `fetchMaxWait` and gives members
    /// of a group their session time-out, less a second, to join again.
    static func test(_ cluster: MockCluster, group: String? = nil) -> Self {
        var configuration = Self(bootstrapServers: cluster.bootstrapServers, group: group)
        configuration.fetchMaxWait = .milliseconds(10)
        configuration.sessionTimeout = .seconds(6)
        configuration.heartbeatInterval = .milliseconds(100)
        return configuration
    }
}

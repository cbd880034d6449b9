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

/// Runs `body` with a cluster whose topics are led by a broker that can be stopped, and moved to another one later.
///
/// A broker of the mock that is started again must get its old port back, and aborts the process when that is taken
/// meanwhile. So tests that need a broker to come back let the other one take over.
func withStoppableLeader<R>(
    topics: [String: Int],
    _ body: (MockCluster) async throws -> R
) async throws -> R {
    try await withCluster(brokers: 2, topics: topics) { cluster in
        for (topic, partitions) in topics {
            for partition in 0..<Int32(partitions) {
                try cluster.setLeader(of: topic, partition: partition, broker: 2)
            }
        }
        return try await body(cluster)
    }
}

extension MockCluster {
    /// Stops the leader of the topics of ``withStoppableLeader(topics:_:)``.
    func stopLeader() throws {
        try self.stopBroker(2)
    }

    /// Lets the other broker lead a partition.
    func restoreLeader(of topic: String = "t", partition: Int32 = 0) throws {
        try self.setLeader(of: topic, partition: partition, broker: 1)
    }
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
        // So that a new leader is soon found.
        configuration.additional["reconnect.backoff.max.ms"] = "100"
        configuration.additional["topic.metadata.refresh.interval.ms"] = "300"
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

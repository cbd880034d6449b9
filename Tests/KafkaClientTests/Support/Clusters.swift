import EmbeddedKafka
import KafkaClient
import Synchronization

/// Runs `body` with a cluster of its own, for tests that break it or change its timing.
func withCluster<R>(
    nodes: Int = 1,
    topics: [String: Int] = [:],
    _ change: (inout EmbeddedKafkaCluster.Configuration) -> Void = { _ in },
    _ body: (EmbeddedKafkaCluster) async throws -> R
) async throws -> R {
    var configuration = EmbeddedKafkaCluster.Configuration(nodes: nodes)
    change(&configuration)
    return try await withEmbeddedKafka(configuration) { cluster in
        for (topic, partitions) in topics {
            try await cluster.createTopic(topic, partitions: partitions)
        }
        return try await body(cluster)
    }
}

/// Runs `body` with the cluster that tests share which leave it as it is, and with a new topic there.
func withTopic<R>(
    partitions: Int = 1,
    settings: [String: String] = [:],
    _ body: (EmbeddedKafkaCluster, String) async throws -> R
) async throws -> R {
    let cluster = try await SharedCluster.start.value
    let topic = uniqueName("topic")
    try await cluster.createTopic(topic, partitions: partitions, settings: settings)
    return try await body(cluster, topic)
}

/// A name that no other test has.
func uniqueName(_ prefix: String) -> String {
    "\(prefix)-\(SharedCluster.nextNumber.add(1, ordering: .relaxed).newValue)"
}

private enum SharedCluster {
    /// Started once; it ends with the process.
    static let start = Task {
        let cluster = try EmbeddedKafkaCluster()
        try await cluster.start()
        return cluster
    }
    static let nextNumber = Atomic<Int>(0)
}

extension EmbeddedKafkaCluster {
    /// The next requests of an API are answered with these errors, one each.
    func failNext(_ api: EmbeddedKafkaFault.API, with errors: [EmbeddedKafkaFault.Effect]) async throws {
        for error in errors {
            _ = try await self.faults.add(.init(api, error))
        }
    }

    /// Requests take effect, and are not answered within the time of a test.
    func holdBackAnswers(
        of api: EmbeddedKafkaFault.API? = nil
    ) async throws -> Handle {
        try await self.faults.add(.init(api, .delay(.seconds(600)), times: nil))
    }

    /// Counts requests and harms none.
    func observe(_ api: EmbeddedKafkaFault.API, group: String? = nil) async throws -> Handle {
        try await self.faults.add(.init(api, .delay(.zero), group: group, times: nil))
    }
}

extension EmbeddedKafkaFault.Effect {
    // Errors of the protocol (Kafka protocol guide, "Error codes").
    static let leaderNotAvailable = Self.error(5)
    static let notLeaderForPartition = Self.error(6)
    static let requestTimedOut = Self.error(7)
    static let coordinatorLoadInProgress = Self.error(14)
    static let notEnoughReplicas = Self.error(19)
    static let topicAuthorizationFailed = Self.error(29)
    static let groupAuthorizationFailed = Self.error(30)
}

extension KafkaProducer.Configuration {
    /// The defaults for a cluster, with short time-outs.
    static func test(_ cluster: EmbeddedKafkaCluster) -> Self {
        var configuration = Self(bootstrapServers: cluster.bootstrapServers)
        configuration.closeTimeout = .seconds(10)
        // So that a node that is back, and a new leader, are soon found.
        configuration.additional["reconnect.backoff.max.ms"] = "100"
        configuration.additional["topic.metadata.refresh.interval.ms"] = "300"
        return configuration
    }
}

extension KafkaConsumer.Configuration {
    /// The defaults for a cluster, save that members of a group soon learn of others.
    static func test(_ cluster: EmbeddedKafkaCluster, group: String? = nil) -> Self {
        var configuration = Self(bootstrapServers: cluster.bootstrapServers, group: group)
        configuration.sessionTimeout = .seconds(6)
        configuration.heartbeatInterval = .milliseconds(100)
        return configuration
    }
}

/// A topic to be made.
public struct KafkaNewTopic: Sendable, Hashable {
    /// The name: 1 to 249 of the characters a-z A-Z 0-9 . _ -
    public var name: String
    /// How many partitions; `nil` for as many as the brokers give by default (`num.partitions`).
    public var partitions: Int?
    /// On how many brokers each partition is; `nil` for what the brokers give by default (`default.replication.factor`).
    public var replicationFactor: Int?
    /// The brokers of each partition by their ids, the preferred leader first, instead of ``partitions`` and
    /// ``replicationFactor``. Default: the cluster chooses.
    public var replicas: [[Int32]]?
    /// Settings, such as `cleanup.policy` or `retention.ms`. Others are as the brokers have them by default.
    public var settings: [String: String]

    /// Describes a topic to be made.
    public init(
        _ name: String,
        partitions: Int? = nil,
        replicationFactor: Int? = nil,
        settings: [String: String] = [:]
    ) {
        self.name = name
        self.partitions = partitions
        self.replicationFactor = replicationFactor
        self.settings = settings
    }

    /// Describes a topic to be made on certain brokers.
    ///
    /// - Parameter replicas: the brokers of each partition by their ids, the preferred leader first.
    public init(_ name: String, replicas: [[Int32]], settings: [String: String] = [:]) {
        self.name = name
        self.replicas = replicas
        self.settings = settings
    }
}

/// Partitions to be added to a topic.
public struct KafkaNewPartitions: Sendable, Hashable {
    /// The name of the topic.
    public var topic: String
    /// How many partitions the topic has then.
    public var total: Int
    /// The brokers of each new partition by their ids, the preferred leader first. Default: the cluster chooses.
    public var replicas: [[Int32]]?

    /// Describes partitions to be added.
    public init(topic: String, total: Int, replicas: [[Int32]]? = nil) {
        self.topic = topic
        self.total = total
        self.replicas = replicas
    }
}

/// A topic and where its partitions are.
public struct KafkaTopicDescription: Sendable, Hashable {
    /// A partition and where it is.
    public struct Partition: Sendable, Hashable {
        /// The number of the partition, from 0.
        public var partition: Int32
        /// The broker that leads it; `nil` when there is none at the moment.
        public var leader: Int32?
        /// The brokers that have it, the preferred leader first.
        public var replicas: [Int32]
        /// The brokers that have all of it.
        public var inSyncReplicas: [Int32]

        /// Describes a partition.
        public init(partition: Int32, leader: Int32?, replicas: [Int32], inSyncReplicas: [Int32]) {
            self.partition = partition
            self.leader = leader
            self.replicas = replicas
            self.inSyncReplicas = inSyncReplicas
        }
    }

    /// The name of the topic.
    public var name: String
    /// The partitions in the order of their numbers.
    public var partitions: [Partition]

    /// Whether the brokers keep their own state in this topic. Kafka knows them by name.
    public var isInternal: Bool { Self.internalNames.contains(self.name) }

    private static let internalNames: Set<String> = [
        "__consumer_offsets", "__transaction_state", "__share_group_state", "__cluster_metadata",
    ]

    /// Describes a topic.
    public init(name: String, partitions: [Partition]) {
        self.name = name
        self.partitions = partitions
    }
}

internal import CLibrdkafka

/// What a consumer group is doing.
public enum KafkaGroupState: String, Sendable, Hashable, CaseIterable {
    /// Something that the loaded librdkafka does not know.
    case unknown = "Unknown"
    /// Members are joining.
    case preparingRebalance = "PreparingRebalance"
    /// The partitions are being shared out.
    case completingRebalance = "CompletingRebalance"
    /// Each member has its share.
    case stable = "Stable"
    /// There is no such group, or it is being removed.
    case dead = "Dead"
    /// The group has no members, but offsets.
    case empty = "Empty"
    /// The broker is working out shares (KIP-848).
    case assigning = "Assigning"
    /// Members are moving to their new shares (KIP-848).
    case reconciling = "Reconciling"

    init(_ state: rd_kafka_consumer_group_state_t) {
        let name = rd_kafka_consumer_group_state_name(state).map { String(cString: $0) } ?? ""
        self = Self(rawValue: name) ?? .unknown
    }
}

/// A consumer group in a list.
public struct KafkaGroupListing: Sendable, Hashable {
    /// The name of the group.
    public var group: String
    /// What it is doing; `unknown` where the broker is older than 2.6 (KIP-518).
    public var state: KafkaGroupState
    /// Whether it only has offsets that somebody committed from outside: no consumer ever joined it.
    public var isSimple: Bool

    /// The protocol of its members: `consumer`, or nothing for a simple group. Groups of other protocols, such as those of
    /// Kafka Connect, are not consumer groups.
    public var protocolType: String { self.isSimple ? "" : "consumer" }

    /// Describes a group.
    public init(group: String, state: KafkaGroupState, isSimple: Bool) {
        self.group = group
        self.state = state
        self.isSimple = isSimple
    }
}

/// A consumer group and its members.
public struct KafkaGroupDescription: Sendable, Hashable {
    /// A member of a group.
    public struct Member: Sendable, Hashable {
        /// The id that the group's coordinator gave it.
        public var memberID: String
        /// The name of a static member (``KafkaConsumer/Configuration/groupInstanceID``); `nil` for others.
        public var groupInstanceID: String?
        /// What the client calls itself.
        public var clientID: String
        /// Where it connects from, such as `/10.0.0.7`.
        public var host: String
        /// The partitions that it reads.
        public var assignment: Set<KafkaTopicPartition>

        /// Describes a member.
        public init(
            memberID: String,
            groupInstanceID: String?,
            clientID: String,
            host: String,
            assignment: Set<KafkaTopicPartition>
        ) {
            self.memberID = memberID
            self.groupInstanceID = groupInstanceID
            self.clientID = clientID
            self.host = host
            self.assignment = assignment
        }
    }

    /// The name of the group.
    public var group: String
    /// What it is doing; `dead` when there is no such group.
    public var state: KafkaGroupState
    /// Whether it only has offsets that somebody committed from outside.
    public var isSimple: Bool
    /// How the members share partitions, such as `cooperative-sticky`; empty without members.
    public var assignor: String
    /// The broker that coordinates the group; `nil` when there is none at the moment.
    public var coordinator: KafkaNode?
    /// The members.
    public var members: [Member]

    /// Describes a group.
    public init(
        group: String,
        state: KafkaGroupState,
        isSimple: Bool,
        assignor: String,
        coordinator: KafkaNode?,
        members: [Member]
    ) {
        self.group = group
        self.state = state
        self.isSimple = isSimple
        self.assignor = assignor
        self.coordinator = coordinator
        self.members = members
    }
}

/// An offset that a group has committed.
public struct KafkaCommittedOffset: Sendable, Hashable {
    /// The offset of the next record to be processed.
    public var offset: Int64
    /// What was committed with it; empty when nothing was.
    public var metadata: String

    /// Describes a committed offset.
    public init(offset: Int64, metadata: String = "") {
        self.offset = offset
        self.metadata = metadata
    }
}

/// A topic: a name, an id that a topic of the same name made later does not share, settings, and partitions.
final class Topic {
    /// The longest name, in characters.
    static let maxNameLength = 249

    let name: String
    let id: WireUUID
    /// What was set; the rest has its default.
    private(set) var settings: [String: String]
    private(set) var partitions: [Partition]

    init(name: String, id: WireUUID, settings: [String: String], partitions: [Partition]) {
        self.name = name
        self.id = id
        self.settings = settings
        self.partitions = partitions
    }

    /// Kafka's own topics, which clients hide.
    var isInternal: Bool { self.name.hasPrefix("__consumer_offsets") || self.name.hasPrefix("__transaction_state") }

    func partition(_ number: Int32) -> Partition? {
        self.partitions.indices.contains(Int(number)) ? self.partitions[Int(number)] : nil
    }

    func add(_ partitions: [Partition]) {
        self.partitions += partitions
    }

    func change(settings: [String: String], log: LogConfiguration) {
        self.settings = settings
        for partition in self.partitions { partition.log.configuration = log }
    }

    /// Whether a topic may have this name (Kafka's `Topic.validate`).
    static func isValid(name: String) -> Bool {
        guard !name.isEmpty, name.utf8.count <= self.maxNameLength, name != ".", name != ".." else { return false }
        return name.utf8.allSatisfy { byte in
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "."), UInt8(ascii: "_"), UInt8(ascii: "-"):
                true
            default: false
            }
        }
    }
}

/// A partition of a topic: its log and who leads it.
///
/// There is one copy of the log, whatever the replicas: they say which nodes may lead.
final class Partition {
    let id: TopicPartition
    let log: PartitionLog
    /// The nodes that may lead, the preferred one first.
    let replicas: [Int32]
    /// `nil` while every replica is stopped.
    private(set) var leader: Int32?
    /// Grows with every change of the leader.
    private(set) var leaderEpoch: Int32

    init(id: TopicPartition, log: PartitionLog, replicas: [Int32], leader: Int32?, leaderEpoch: Int32) {
        self.id = id
        self.log = log
        self.replicas = replicas
        self.leader = leader
        self.leaderEpoch = leaderEpoch
        log.beginLeaderEpoch(leaderEpoch)
    }

    func lead(by node: Int32?) {
        guard node != self.leader else { return }
        self.leader = node
        self.leaderEpoch += 1
        self.log.beginLeaderEpoch(self.leaderEpoch)
    }
}

internal import NIOCore

/// The cluster's topics. What it is told is in the journal before it is done.
final class TopicCatalog {
    /// Why a topic can't be made or changed, as a client is told.
    struct Refusal: Error {
        let code: ErrorCode
        let message: String
    }

    /// What all topics have unless they say otherwise.
    struct Defaults {
        var partitions: Int
        var retentionMilliseconds: Int64
        var retentionBytes: Int64
    }

    private static let journalPrefix = "topic/"

    private(set) var topics: [String: Topic] = [:]
    private let defaults: Defaults
    private let logs: LogStore
    private let journal: Journal
    /// Where the next topic's replicas begin, so that leaders spread over the nodes.
    private var nextNode = 0

    init(defaults: Defaults, logs: LogStore, journal: Journal) {
        self.defaults = defaults
        self.logs = logs
        self.journal = journal
    }

    func partition(_ id: TopicPartition) -> Partition? {
        self.topics[id.topic]?.partition(id.partition)
    }

    var partitionCount: Int { self.topics.values.reduce(0) { $0 + $1.partitions.count } }

    // MARK: Making and removing

    /// Makes a topic.
    /// - Parameters:
    ///   - partitions: `nil` for as many as the cluster gives by default.
    ///   - replicas: The replicas of each partition; `nil` to spread `replicationFactor` of them over the nodes.
    ///   - isTrial: Only says whether it could be done.
    func create(
        _ name: String,
        partitions count: Int?,
        replicationFactor: Int?,
        replicas assigned: [[Int32]]? = nil,
        settings: [String: String] = [:],
        nodes: [Int32],
        now: Int64,
        isTrial: Bool = false
    ) throws -> Topic? {
        guard Topic.isValid(name: name) else {
            throw Refusal(
                code: .invalidTopic,
                message: "Topic name '\(name)' is illegal: 1 to \(Topic.maxNameLength) of a-z, A-Z, 0-9, '.', '_', '-'."
            )
        }
        guard self.topics[name] == nil else {
            throw Refusal(code: .topicAlreadyExists, message: "Topic '\(name)' already exists.")
        }
        let replicas = try self.replicas(count: count, factor: replicationFactor, assigned: assigned, nodes: nodes)
        let log = try self.logConfiguration(settings)
        if isTrial { return nil }
        var partitions: [Partition] = []
        for (number, nodes) in replicas.enumerated() {
            let id = TopicPartition(name, Int32(number))
            partitions.append(
                Partition(
                    id: id,
                    log: try self.logs.open(id, configuration: log, now: now),
                    replicas: nodes,
                    leader: nodes.first,
                    leaderEpoch: 0
                )
            )
        }
        let topic = Topic(
            name: name,
            id: .random(),
            settings: settings,
            partitions: partitions
        )
        self.topics[name] = topic
        try self.save(topic)
        return topic
    }

    func delete(_ topic: Topic) throws {
        self.topics[topic.name] = nil
        try self.journal.put(key: Self.key(topic.name), value: nil)
        for partition in topic.partitions { try partition.log.delete() }
    }

    /// Adds partitions until there are `count`.
    func grow(
        _ topic: Topic,
        to count: Int,
        replicas assigned: [[Int32]]?,
        nodes: [Int32],
        now: Int64,
        isTrial: Bool
    ) throws {
        let added = count - topic.partitions.count
        guard added > 0 else {
            throw Refusal(
                code: .invalidPartitions,
                message:
                    "Topic '\(topic.name)' has \(topic.partitions.count) partitions, \(count) would not be an increase."
            )
        }
        let factor = topic.partitions.first?.replicas.count ?? 1
        let replicas = try self.replicas(count: added, factor: factor, assigned: assigned, nodes: nodes)
        guard replicas.count == added else {
            throw Refusal(
                code: .invalidReplicaAssignment,
                message: "\(replicas.count) assignments for \(added) partitions."
            )
        }
        if isTrial { return }
        let log = try self.logConfiguration(topic.settings)
        topic.add(
            try replicas.enumerated().map { offset, nodes in
                let id = TopicPartition(topic.name, Int32(topic.partitions.count + offset))
                return Partition(
                    id: id,
                    log: try self.logs.open(id, configuration: log, now: now),
                    replicas: nodes,
                    leader: nodes.first,
                    leaderEpoch: 0
                )
            }
        )
        try self.save(topic)
    }

    private func replicas(
        count: Int?,
        factor: Int?,
        assigned: [[Int32]]?,
        nodes: [Int32]
    ) throws -> [[Int32]] {
        if let assigned {
            let isFit = assigned.allSatisfy { replicas in
                !replicas.isEmpty && Set(replicas).count == replicas.count && replicas.allSatisfy(nodes.contains)
            }
            guard isFit, !assigned.isEmpty, Set(assigned.map(\.count)).count == 1 else {
                throw Refusal(
                    code: .invalidReplicaAssignment,
                    message: "Every partition needs the same number of replicas, on nodes that exist, each once."
                )
            }
            try self.checkRoom(for: assigned.count)
            return assigned
        }
        let count = count ?? self.defaults.partitions
        let factor = factor ?? min(3, nodes.count)
        guard count > 0 else {
            throw Refusal(code: .invalidPartitions, message: "Number of partitions must be larger than 0.")
        }
        try self.checkRoom(for: count)
        guard factor > 0, factor <= nodes.count else {
            throw Refusal(
                code: .invalidReplicationFactor,
                message: "Replication factor \(factor) is not possible with \(nodes.count) nodes."
            )
        }
        let first = self.nextNode
        self.nextNode = (self.nextNode + 1) % nodes.count
        return (0..<count).map { partition in
            (0..<factor).map { nodes[(first + partition + $0) % nodes.count] }
        }
    }

    private func checkRoom(for count: Int) throws {
        guard count <= Broker.maxPartitions, self.partitionCount + count <= Broker.maxPartitions else {
            throw Refusal(
                code: .invalidPartitions,
                message:
                    "An embedded cluster holds \(Broker.maxPartitions) partitions, \(self.partitionCount) are in use."
            )
        }
    }

    // MARK: Settings

    /// Changes a topic's settings to exactly these.
    func change(_ topic: Topic, settings: [String: String]) throws {
        topic.change(settings: settings, log: try self.logConfiguration(settings))
        try self.save(topic)
    }

    /// What a setting is for a topic that does not set it.
    func defaultValue(of setting: TopicSetting) -> String {
        switch setting.name {
        case "retention.ms": "\(self.defaults.retentionMilliseconds)"
        case "retention.bytes": "\(self.defaults.retentionBytes)"
        default: setting.defaultValue
        }
    }

    /// What the settings mean for a log.
    func logConfiguration(_ settings: [String: String]) throws -> LogConfiguration {
        for (name, value) in settings {
            guard let setting = TopicSetting.all[name] else {
                throw Refusal(code: .invalidConfig, message: "Unknown topic config name: \(name)")
            }
            guard setting.accepts(value) else {
                throw Refusal(code: .invalidConfig, message: "Invalid value \(value) for configuration \(name)")
            }
        }
        func text(_ name: String) -> String {
            settings[name] ?? TopicSetting.all[name].map(self.defaultValue) ?? ""
        }
        func number(_ name: String) -> Int64 { Int64(text(name)) ?? 0 }
        let policies = TopicSetting.words(of: text("cleanup.policy"))
        var configuration = LogConfiguration()
        configuration.maxMessageBytes = Int(number("max.message.bytes"))
        configuration.segmentBytes = Int(number("segment.bytes"))
        configuration.segmentMilliseconds = number("segment.ms")
        configuration.retentionBytes = number("retention.bytes")
        configuration.retentionMilliseconds = number("retention.ms")
        configuration.cleanupPolicy = []
        if policies.contains("delete") { configuration.cleanupPolicy.insert(.delete) }
        if policies.contains("compact") { configuration.cleanupPolicy.insert(.compact) }
        configuration.deleteRetentionMilliseconds = number("delete.retention.ms")
        configuration.minCompactionLagMilliseconds = number("min.compaction.lag.ms")
        configuration.minCleanableDirtyRatio = Double(text("min.cleanable.dirty.ratio")) ?? 0.5
        configuration.timestampBeforeMaxMilliseconds = number("message.timestamp.before.max.ms")
        configuration.timestampAfterMaxMilliseconds = number("message.timestamp.after.max.ms")
        configuration.usesLogAppendTime = text("message.timestamp.type") == "LogAppendTime"
        return configuration
    }

    // MARK: The journal

    private static func key(_ name: String) -> ByteBuffer { ByteBuffer(string: self.journalPrefix + name) }

    /// Writes what a topic is to the journal.
    func save(_ topic: Topic) throws {
        var writer = WireWriter(isFlexible: true)
        writer.int8(1)
        writer.uuid(topic.id)
        writer.array(topic.settings.sorted { $0.key < $1.key }) { writer, setting in
            writer.string(setting.key)
            writer.string(setting.value)
        }
        writer.array(topic.partitions) { writer, partition in
            writer.int32s(partition.replicas)
            writer.int32(partition.leader ?? -1)
            writer.int32(partition.leaderEpoch)
        }
        try self.journal.put(key: Self.key(topic.name), value: writer.buffer)
    }

    /// Takes a topic back from the journal and opens its logs.
    /// - Returns: Whether the entry was one of a topic.
    func restore(key: ByteBuffer, value: ByteBuffer, now: Int64) throws -> Bool {
        let text = String(buffer: key)
        guard text.hasPrefix(Self.journalPrefix) else { return false }
        let name = String(text.dropFirst(Self.journalPrefix.count))
        var reader = WireReader(value, isFlexible: true)
        guard try reader.int8() == 1, Topic.isValid(name: name) else {
            throw WireError("an entry for topic '\(name)' of a newer version")
        }
        let id = try reader.uuid()
        let settings = try reader.array { (reader: inout WireReader) throws(WireError) in
            (try reader.string(), try reader.string())
        }
        let places = try reader.array { (reader: inout WireReader) throws(WireError) in
            (replicas: try reader.int32s(), leader: try reader.int32(), epoch: try reader.int32())
        }
        let configuration = try self.logConfiguration(Dictionary(settings) { $1 })
        let partitions = try places.enumerated().map { number, place in
            let id = TopicPartition(name, Int32(number))
            return Partition(
                id: id,
                log: try self.logs.open(id, configuration: configuration, now: now),
                replicas: place.replicas,
                leader: place.leader < 0 ? nil : place.leader,
                leaderEpoch: place.epoch
            )
        }
        self.topics[name] = Topic(
            name: name,
            id: id,
            settings: Dictionary(settings) { $1 },
            partitions: partitions
        )
        return true
    }

    /// Removes everything, on disk too. The next topic's leader is what the first one's was.
    func removeAll() throws {
        for topic in Array(self.topics.values) { try self.delete(topic) }
        self.nextNode = 0
    }
}

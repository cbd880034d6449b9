/// The faults of a cluster and how often each has happened. The first that fits a request is the one that happens.
struct FaultTable {
    /// What a request is about, as far as a fault can ask.
    struct Subject {
        var api: APIKey
        var node: Int32 = 0
        var clientID = ""
        var partitions: [TopicPartition] = []
        var topics: [String] = []
        var group: String?
        var transactionalID: String?
    }

    private struct Entry {
        let id: UInt64
        let fault: EmbeddedKafkaFault
        var skipped = 0
        var count = 0

        var isUsedUp: Bool { self.fault.times.map { self.count >= $0 } ?? false }
    }

    private var entries: [Entry] = []
    private var nextID: UInt64 = 1

    var isEmpty: Bool { self.entries.isEmpty }

    mutating func add(_ fault: EmbeddedKafkaFault) -> UInt64 {
        defer { self.nextID += 1 }
        self.entries.append(Entry(id: self.nextID, fault: fault))
        return self.nextID
    }

    mutating func remove(_ id: UInt64) {
        self.entries.removeAll { $0.id == id }
    }

    mutating func removeAll() {
        self.entries = []
    }

    func contains(_ id: UInt64) -> Bool {
        self.entries.contains { $0.id == id }
    }

    /// How often a fault has happened.
    func count(of id: UInt64) -> Int {
        self.entries.first { $0.id == id }?.count ?? 0
    }

    /// What happens to a request, and to which fault that counts.
    mutating func effect(on subject: Subject) -> (effect: EmbeddedKafkaFault.Effect, id: UInt64)? {
        for index in self.entries.indices where !self.entries[index].isUsedUp {
            guard Self.fits(self.entries[index].fault, subject) else { continue }
            guard self.entries[index].skipped >= self.entries[index].fault.skipping else {
                self.entries[index].skipped += 1
                continue
            }
            self.entries[index].count += 1
            return (self.entries[index].fault.effect, self.entries[index].id)
        }
        return nil
    }

    private static func fits(_ fault: EmbeddedKafkaFault, _ subject: Subject) -> Bool {
        if let api = fault.api, api.key != subject.api.rawValue { return false }
        if let node = fault.node, node != subject.node { return false }
        if let clientID = fault.clientID, clientID != subject.clientID { return false }
        if let group = fault.group, group != subject.group { return false }
        if let id = fault.transactionalID, id != subject.transactionalID { return false }
        guard fault.topic != nil || fault.partition != nil else { return true }
        if fault.partition == nil, let topic = fault.topic, subject.topics.contains(topic) { return true }
        return subject.partitions.contains { partition in
            (fault.topic ?? partition.topic) == partition.topic
                && (fault.partition ?? partition.partition) == partition.partition
        }
    }
}

/// The committed offsets of all groups, and those that transactions have yet to commit.
///
/// Offsets don't expire: a test broker that forgets would be a riddle.
struct OffsetStore {
    /// What the journal is told about.
    enum Key: Hashable {
        case committed(group: String, TopicPartition)
        case pending(producerID: Int64, group: String, TopicPartition)
    }

    /// An offset and its place among all commits: the outcome of a transaction must not overwrite what was committed after
    /// the transaction's own offset.
    struct Entry: Hashable {
        var offset: CommittedOffset
        var sequence: Int64
    }

    struct Group {
        var committed: [TopicPartition: Entry] = [:]
        /// By producer id.
        var pending: [Int64: [TopicPartition: Entry]] = [:]

        var isEmpty: Bool { self.committed.isEmpty && self.pending.isEmpty }
    }

    var groups: [String: Group] = [:]
    var changes: ChangedKeys<Key>
    var lastSequence: Int64 = 0

    init(keepsChanges: Bool) {
        self.changes = ChangedKeys(isKept: keepsChanges)
    }

    // MARK: Looking

    func hasOffsets(group: String) -> Bool {
        self.groups[group]?.isEmpty == false
    }

    func committed(group: String, _ partition: TopicPartition) -> CommittedOffset? {
        self.groups[group]?.committed[partition]?.offset
    }

    func committedPartitions(group: String) -> [TopicPartition] {
        self.groups[group]?.committed.keys.sorted() ?? []
    }

    /// Whether a transaction may still change the partition's offset (KIP-447).
    func isUnstable(group: String, _ partition: TopicPartition) -> Bool {
        self.groups[group]?.pending.values.contains { $0[partition] != nil } ?? false
    }

    // MARK: Committing

    mutating func commit(group: String, _ partition: TopicPartition, _ offset: CommittedOffset) {
        self.lastSequence &+= 1
        self.groups[group, default: Group()].committed[partition] = Entry(offset: offset, sequence: self.lastSequence)
        self.changes.insert(.committed(group: group, partition))
    }

    /// Remembers an offset until the producer's transaction ends.
    mutating func commit(group: String, _ partition: TopicPartition, _ offset: CommittedOffset, producerID: Int64) {
        self.lastSequence &+= 1
        let entry = Entry(offset: offset, sequence: self.lastSequence)
        self.groups[group, default: Group()].pending[producerID, default: [:]][partition] = entry
        self.changes.insert(.pending(producerID: producerID, group: group, partition))
    }

    /// The producer's transaction has ended. Done twice it changes nothing.
    mutating func complete(producerID: Int64, group: String, commit: Bool) {
        guard let pending = self.groups[group]?.pending.removeValue(forKey: producerID) else { return }
        for (partition, entry) in pending.sorted(by: { $0.key < $1.key }) {
            self.changes.insert(.pending(producerID: producerID, group: group, partition))
            let present = self.groups[group]?.committed[partition]?.sequence ?? .min
            if commit, entry.sequence > present {
                self.groups[group]?.committed[partition] = entry
                self.changes.insert(.committed(group: group, partition))
            }
        }
        self.dropIfEmpty(group)
    }

    // MARK: Removing

    mutating func remove(group: String, _ partition: TopicPartition) {
        guard var offsets = self.groups[group] else { return }
        if offsets.committed.removeValue(forKey: partition) != nil {
            self.changes.insert(.committed(group: group, partition))
        }
        for producerID in Array(offsets.pending.keys)
        where offsets.pending[producerID]?.removeValue(forKey: partition) != nil {
            self.changes.insert(.pending(producerID: producerID, group: group, partition))
            if offsets.pending[producerID]?.isEmpty == true { offsets.pending[producerID] = nil }
        }
        self.groups[group] = offsets
        self.dropIfEmpty(group)
    }

    mutating func removeGroup(_ group: String) {
        for partition in self.partitions(of: group) { self.remove(group: group, partition) }
    }

    /// Removes the offsets of topics that are deleted.
    ///
    /// - Returns: The groups that had some.
    mutating func removeTopics(_ topics: Set<String>) -> [String] {
        var touched: [String] = []
        for group in self.groups.keys.sorted() {
            let gone = self.partitions(of: group).filter { topics.contains($0.topic) }
            for partition in gone { self.remove(group: group, partition) }
            if !gone.isEmpty { touched.append(group) }
        }
        return touched
    }

    /// All partitions of which something is known.
    private func partitions(of group: String) -> [TopicPartition] {
        guard let offsets = self.groups[group] else { return [] }
        return Set(offsets.committed.keys).union(offsets.pending.values.flatMap(\.keys)).sorted()
    }

    private mutating func dropIfEmpty(_ group: String) {
        if self.groups[group]?.isEmpty == true { self.groups[group] = nil }
    }
}

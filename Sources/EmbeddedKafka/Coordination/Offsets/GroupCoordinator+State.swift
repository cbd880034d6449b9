internal import NIOCore

extension GroupCoordinator {
    /// What the journal must be told since the last call. Members aren't part of it: they come back by joining.
    ///
    /// When a transaction ends, these changes belong into the journal before those of the coordinator of transactions.
    mutating func takeChanges() -> [StateChange] {
        self.offsets.changes.take().map { key in
            let entry: OffsetStore.Entry?
            switch key {
            case .committed(let group, let partition):
                entry = self.offsets.groups[group]?.committed[partition]
            case .pending(let producerID, let group, let partition):
                entry = self.offsets.groups[group]?.pending[producerID]?[partition]
            }
            return StateChange(key: key.encoded, value: entry?.encoded)
        }
    }

    /// Takes back a piece of state from the journal, in its order; a nil value removes it.
    ///
    /// - Returns: Whether the piece is this coordinator's.
    mutating func restore(key: ByteBuffer, value: ByteBuffer?) throws(WireError) -> Bool {
        guard let key = try OffsetStore.Key(decoding: key) else { return false }
        let entry: OffsetStore.Entry?
        if let value { entry = try OffsetStore.Entry(decoding: value) } else { entry = nil }
        self.offsets.restore(key, entry)
        self.makeGroup(key.group)
        self.removeIfUnused(key.group)
        return true
    }

    /// Drops what producers left behind that have no open transaction: nothing would ever decide it. To be called when
    /// everything is restored.
    mutating func dropPendingOffsets(exceptOf producerIDs: Set<Int64>) {
        for (group, offsets) in self.offsets.groups {
            for producerID in offsets.pending.keys where !producerIDs.contains(producerID) {
                self.completeTransaction(producerID: producerID, groups: [group], commit: false)
            }
        }
    }
}

extension OffsetStore {
    mutating func restore(_ key: Key, _ entry: Entry?) {
        if let entry { self.lastSequence = max(self.lastSequence, entry.sequence) }
        var group = self.groups[key.group] ?? Group()
        switch key {
        case .committed(_, let partition):
            group.committed[partition] = entry
        case .pending(let producerID, _, let partition):
            group.pending[producerID, default: [:]][partition] = entry
            if group.pending[producerID]?.isEmpty == true { group.pending[producerID] = nil }
        }
        self.groups[key.group] = group.isEmpty ? nil : group
    }
}

extension OffsetStore.Key {
    var group: String {
        switch self {
        case .committed(let group, _), .pending(_, let group, _): group
        }
    }

    var encoded: ByteBuffer {
        switch self {
        case .committed(let group, let partition):
            StateCoding.key(.committedOffset) { writer in
                writer.string(group)
                writer.topicPartition(partition)
            }
        case .pending(let producerID, let group, let partition):
            StateCoding.key(.pendingOffset) { writer in
                writer.int64(producerID)
                writer.string(group)
                writer.topicPartition(partition)
            }
        }
    }

    /// Nil when the key is about something else.
    init?(decoding key: ByteBuffer) throws(WireError) {
        var reader = try StateCoding.reader(key)
        switch try StateCoding.kind(&reader) {
        case .committedOffset:
            self = .committed(group: try reader.string(), try reader.topicPartition())
        case .pendingOffset:
            self = .pending(producerID: try reader.int64(), group: try reader.string(), try reader.topicPartition())
        case .transaction, .producerIDs:
            return nil
        }
    }
}

extension OffsetStore.Entry {
    var encoded: ByteBuffer {
        StateCoding.value { writer in
            writer.int64(self.offset.offset)
            writer.int32(self.offset.leaderEpoch)
            writer.string(self.offset.metadata)
            writer.int64(self.offset.commitTime)
            writer.int64(self.sequence)
        }
    }

    init(decoding value: ByteBuffer) throws(WireError) {
        var reader = try StateCoding.reader(value)
        self.offset = CommittedOffset(
            offset: try reader.int64(),
            leaderEpoch: try reader.int32(),
            metadata: try reader.string(),
            commitTime: try reader.int64()
        )
        self.sequence = try reader.int64()
    }
}

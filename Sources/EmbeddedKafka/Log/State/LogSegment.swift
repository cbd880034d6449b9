/// What is known of a batch without reading it: 24 bytes each.
struct BatchEntry: Hashable {
    /// From the base offset of the segment.
    var relativeOffset: UInt32
    var lastOffsetDelta: UInt32
    /// In the segment, in bytes.
    var position: UInt32
    var leaderEpoch: Int32
    /// Milliseconds since 1970; `Int64.min` for a batch that compaction has emptied.
    var maxTimestamp: Int64
}

/// A part of a log: its bytes, and where its batches are.
final class LogSegment {
    /// Positions are 32 bits wide, as Kafka's.
    static let maximalBytes = Int(Int32.max)
    /// So are offsets within a segment.
    static let maximalRelativeOffset = Int64(Int32.max)

    let baseOffset: Int64
    let store: any SegmentStore
    private(set) var entries: [BatchEntry] = []
    /// The largest time of a record, or -1.
    private(set) var maxTimestamp: Int64 = -1
    /// The time of the first batch, by which the segment's age is told.
    private(set) var firstTimestamp: Int64?
    /// When the segment was made or opened, in milliseconds since 1970: its age when no record has a time.
    let openedAt: Int64

    init(baseOffset: Int64, store: any SegmentStore, now: Int64) {
        self.baseOffset = baseOffset
        self.store = store
        self.openedAt = now
    }

    /// In bytes.
    var size: Int { self.store.size }

    /// The time that retention goes by.
    var retentionTimestamp: Int64 { self.maxTimestamp >= 0 ? self.maxTimestamp : self.openedAt }

    /// Whether a batch can be told apart in 32 bits if it is put here.
    func hasRoom(forBytes count: Int, lastOffset: Int64, limit: Int) -> Bool {
        count <= min(limit, Self.maximalBytes) - self.size && lastOffset - self.baseOffset <= Self.maximalRelativeOffset
    }

    /// Notes a batch that was written at a position.
    func note(_ header: RecordBatchHeader, position: Int) {
        self.entries.append(
            BatchEntry(
                relativeOffset: UInt32(truncatingIfNeeded: header.baseOffset - self.baseOffset),
                lastOffsetDelta: UInt32(truncatingIfNeeded: max(0, header.lastOffsetDelta)),
                position: UInt32(truncatingIfNeeded: position),
                leaderEpoch: header.leaderEpoch,
                maxTimestamp: header.recordCount > 0 ? header.maxTimestamp : .min
            )
        )
        guard header.recordCount > 0 else { return }
        self.maxTimestamp = max(self.maxTimestamp, header.maxTimestamp)
        if self.firstTimestamp == nil { self.firstTimestamp = header.maxTimestamp }
    }

    // MARK: Lookup

    func firstOffset(of entry: BatchEntry) -> Int64 { self.baseOffset + Int64(entry.relativeOffset) }

    func lastOffset(of entry: BatchEntry) -> Int64 { self.firstOffset(of: entry) + Int64(entry.lastOffsetDelta) }

    /// The first batch that ends at an offset or later, or the count of batches.
    func index(containing offset: Int64) -> Int {
        self.partition { self.lastOffset(of: $0) >= offset }
    }

    /// The first batch that begins at an offset or later, or the count of batches.
    func index(from offset: Int64) -> Int {
        self.partition { self.firstOffset(of: $0) >= offset }
    }

    /// Where a batch begins; for the count of batches, where the segment ends.
    func position(_ index: Int) -> Int {
        index < self.entries.count ? Int(self.entries[index].position) : self.size
    }

    /// The first index for which a condition holds that holds for all after it.
    private func partition(_ condition: (BatchEntry) -> Bool) -> Int {
        var low = 0
        var high = self.entries.count
        while low < high {
            let middle = (low + high) / 2
            if condition(self.entries[middle]) { high = middle } else { low = middle + 1 }
        }
        return low
    }
}

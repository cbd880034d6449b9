/// A transaction that was aborted, as far as it touches a partition.
struct AbortedTransaction: Hashable {
    var producerID: Int64
    /// Of its first record.
    var firstOffset: Int64
    /// Of its marker.
    var lastOffset: Int64
    /// The last stable offset after it ended. No transaction that ended later began before.
    var lastStableOffset: Int64
}

/// The transactions in a partition: which are open, and which were aborted.
struct TransactionIndex {
    /// The first offset of each open transaction, by producer.
    private var open: [Int64: Int64] = [:]
    /// The first offset of the earliest open transaction.
    private(set) var firstOpenOffset: Int64?
    /// By the offset of the marker.
    private(set) var aborted: [AbortedTransaction] = []

    mutating func begin(producerID: Int64, at offset: Int64) {
        guard self.open[producerID] == nil else { return }
        self.open[producerID] = offset
        self.firstOpenOffset = min(self.firstOpenOffset ?? offset, offset)
    }

    mutating func end(producerID: Int64, firstOffset: Int64, markerOffset: Int64, commit: Bool) {
        self.open[producerID] = nil
        if self.firstOpenOffset == firstOffset { self.firstOpenOffset = self.open.values.min() }
        guard !commit else { return }
        self.aborted.append(
            AbortedTransaction(
                producerID: producerID,
                firstOffset: firstOffset,
                lastOffset: markerOffset,
                lastStableOffset: self.firstOpenOffset ?? markerOffset + 1
            )
        )
    }

    /// The aborted transactions that have something between two offsets, the second not included.
    func aborted(from start: Int64, to end: Int64) -> [AbortedTransaction] {
        var low = 0
        var high = self.aborted.count
        while low < high {
            let middle = (low + high) / 2
            if self.aborted[middle].lastOffset >= start { high = middle } else { low = middle + 1 }
        }
        var found: [AbortedTransaction] = []
        for transaction in self.aborted[low...] {
            if transaction.firstOffset < end { found.append(transaction) }
            if transaction.lastStableOffset >= end { break }
        }
        return found
    }

    /// Forgets what ended before the log begins.
    mutating func trim(before offset: Int64) {
        let count = self.aborted.prefix { $0.lastOffset < offset }.count
        if count > 0 { self.aborted.removeFirst(count) }
    }

    /// Forgets an aborted transaction whose marker compaction removed: a reader that was told of it would wait for the
    /// marker, and skip the producer's later records.
    mutating func forget(markerOffsets: Set<Int64>) {
        if !markerOffsets.isEmpty { self.aborted.removeAll { markerOffsets.contains($0.lastOffset) } }
    }
}

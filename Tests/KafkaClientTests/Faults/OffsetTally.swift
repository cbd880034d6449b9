/// What came of a partition's offsets, in the order in which they were seen.
struct OffsetTally: Equatable {
    /// Behind the highest that was seen.
    var next: Int64 = 0
    /// How many came again, or out of their order.
    var repeated = 0
    /// How many were not there when those behind them came.
    var missing = 0

    /// Whether everything up to ``next`` came once and in its order.
    var isClean: Bool { self.repeated == 0 && self.missing == 0 }

    mutating func take(_ offset: Int64) {
        if offset < self.next {
            self.repeated += 1
        } else {
            self.missing += Int(offset - self.next)
            self.next = offset + 1
        }
    }

    mutating func take(_ offsets: some Sequence<Int64>) {
        for offset in offsets { self.take(offset) }
    }

    /// No more will come of the partition, which has so many records.
    mutating func end(at count: Int) {
        self.missing += max(0, count - Int(self.next))
    }
}

extension Sequence<OffsetTally> {
    var repeated: Int { self.reduce(0) { $0 + $1.repeated } }
    var missing: Int { self.reduce(0) { $0 + $1.missing } }
}

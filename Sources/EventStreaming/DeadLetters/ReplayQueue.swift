/// The letters of a partition that are to be replayed, and which of them may go now.
struct ReplayQueue: Sendable {
    /// Each with the one whose copy must be sent before.
    private var left: [Int64: Int64?] = [:]

    init(_ candidates: some Sequence<DeadLetterLedger.Candidate>) {
        for candidate in candidates { self.left[candidate.offset] = .some(candidate.predecessor) }
    }

    var count: Int { self.left.count }
    var isEmpty: Bool { self.left.isEmpty }

    /// Where they are in the partition; `nil` when there are none.
    var range: Range<Int64>? {
        guard let first = self.left.keys.min(), let last = self.left.keys.max(), last < .max else { return nil }
        return first..<last + 1
    }

    /// A letter comes by.
    ///
    /// - Returns: whether it is sent now, rather than not at all or when it comes by again.
    mutating func take(_ offset: Int64) -> Bool {
        guard let predecessor = self.left[offset] else { return false }
        if let predecessor, self.left[predecessor] != nil { return false }
        self.left[offset] = nil
        return true
    }
}

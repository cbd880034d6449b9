/// Which records of a partition may run beside each other: those of one lane run one after the other, in their order.
///
/// A lane is as long as there are records of it that are not done, and needs no memory else.
struct KeyLanes {
    private struct Entry {
        var lane: Int?
        /// The next record of the lane.
        var next: Int?
    }

    private var entries: SlidingWindow<Entry>
    /// The last record of each lane.
    private var tails: [Int: Int] = [:]

    /// - Parameter first: the number of the first record.
    init(first: Int = 0) {
        self.entries = SlidingWindow(first: first)
    }

    /// How many lanes have records.
    var count: Int { self.tails.count }

    /// A record comes; records get consecutive numbers.
    ///
    /// - Parameter lane: what stands for the record's key; `nil` for a record that need not wait for any other.
    /// - Returns: whether the record may run at once, since there is none before it in its lane.
    mutating func append(lane: Int?) -> Bool {
        let number = self.entries.append(Entry(lane: lane))
        guard let lane, let tail = self.tails.updateValue(number, forKey: lane) else { return true }
        self.entries.update(tail) { $0.next = number }
        return false
    }

    /// Leaves a number out.
    mutating func skip() {
        self.entries.skip()
    }

    /// A record is done, the first one of its lane.
    ///
    /// - Returns: the next record of the lane, which may run now.
    mutating func remove(_ number: Int) -> Int? {
        guard let entry = self.entries.remove(number), let lane = entry.lane else { return nil }
        if entry.next == nil {
            self.tails[lane] = nil
        }
        return entry.next
    }
}

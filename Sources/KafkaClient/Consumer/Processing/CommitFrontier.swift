/// How far a partition may be committed whose records are done in any order: up to the first record that is not done.
struct CommitFrontier {
    /// The offsets of what is not done, by the order of the log.
    private var offsets = SlidingWindow<Int64>()
    private var lastOffset: Int64 = -1

    /// The offset below which everything is done; `nil` before the first record is.
    ///
    /// This is the offset of the first record that is not done, so that offsets without a record (control records,
    /// compaction) do not hold it up, or the one behind the last record.
    private(set) var position: Int64?

    /// How many records there are from the first one that is not done to the last one, those done ahead included.
    var span: Int { self.offsets.span }

    /// The numbers of these records.
    var numbers: Range<Int> { self.offsets.first..<self.offsets.end }

    /// A record is begun; records come by the order of the log.
    ///
    /// - Returns: the number of the record, counted from 0.
    mutating func append(offset: Int64) -> Int {
        self.lastOffset = offset
        return self.offsets.append(offset)
    }

    /// A record is done.
    ///
    /// - Returns: whether the position moved.
    mutating func remove(_ number: Int) -> Bool {
        let isFirst = number == self.offsets.first
        guard self.offsets.remove(number) != nil, isFirst else { return false }
        self.position = self.offsets.oldest ?? self.lastOffset &+ 1
        return true
    }
}

/// How far a reader is behind the end of a partition.
public struct KafkaLag: Sendable, Hashable {
    /// The offset of the next record to be read, or to be processed where it is the lag of a group.
    public var position: Int64
    /// The offset of the oldest record that the log still holds.
    public var start: Int64
    /// The end of what can be read: behind the newest record, or with `read_committed`, the default, the offset of the first
    /// record of a transaction that is still open (the last stable offset, KIP-98).
    public var end: Int64
    /// How old the next record to be read is, by its timestamp and this machine's clock; zero at the end. `nil` when the
    /// log has no timestamps.
    ///
    /// Of a record that the consumer has in hand the time is known. For others brokers are asked for offsets by time, until
    /// the age is known to a tenth of a second, or to a sixteenth where that is more, rounded up; nothing is read. So where timestamps go backwards it is the latest time of the
    /// records up to the next one that counts, and where the next offset holds no record (the mark that ends a transaction, a
    /// record that compaction removed) possibly the time of the record before it.
    public var age: Duration?

    /// Makes a lag.
    public init(position: Int64, start: Int64, end: Int64, age: Duration?) {
        self.position = position
        self.start = start
        self.end = end
        self.age = age
    }

    /// How many offsets lie between the position and the end.
    ///
    /// From a position that the log no longer holds only what is still there counts. Transactions have marks with offsets of
    /// their own, and compaction leaves gaps, so there may be fewer records.
    public var records: Int64 {
        let (count, overflow) = self.end.subtractingReportingOverflow(max(self.position, self.start))
        return overflow ? .max : max(0, count)
    }
}

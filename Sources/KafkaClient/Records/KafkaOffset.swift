/// A place in a partition from which to read.
public enum KafkaOffset: Sendable, Hashable {
    /// The oldest record that the log still holds.
    case beginning
    /// Behind the newest record: only records that come later are read.
    case end
    /// The offset that the consumer group committed; without one, ``KafkaConsumer/Configuration/autoOffsetReset`` decides.
    case committed
    /// The record with this offset (0 and up).
    case absolute(Int64)
    /// This many records before the end (0 and up).
    case tail(Int64)
}

/// The two ends of a partition's log.
public struct KafkaWatermarks: Sendable, Hashable {
    /// The offset of the oldest record that the log still holds.
    public var low: Int64
    /// The offset that the next record will get.
    public var high: Int64

    /// Makes a pair of watermarks.
    public init(low: Int64, high: Int64) {
        self.low = low
        self.high = high
    }
}

/// The time of a record, in milliseconds since 1970-01-01 00:00 UTC, as Kafka keeps it.
public struct KafkaTimestamp: Sendable, Hashable, Comparable {
    /// Milliseconds since 1970-01-01 00:00 UTC. A record to be sent needs a value above 0.
    public var millisecondsSince1970: Int64

    /// Makes a timestamp of milliseconds since 1970-01-01 00:00 UTC.
    public init(millisecondsSince1970: Int64) {
        self.millisecondsSince1970 = millisecondsSince1970
    }

    /// Earlier is less.
    public static func < (left: Self, right: Self) -> Bool {
        left.millisecondsSince1970 < right.millisecondsSince1970
    }
}

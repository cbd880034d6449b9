/// What a topic's configuration says of its logs. Names in brackets and defaults are Kafka's.
struct LogConfiguration: Hashable, Sendable {
    /// What becomes of old records.
    struct CleanupPolicy: OptionSet, Hashable, Sendable {
        let rawValue: UInt8
        /// Segments go as a whole when they are old or the log is large.
        static let delete = CleanupPolicy(rawValue: 1)
        /// The last record of each key stays.
        static let compact = CleanupPolicy(rawValue: 2)
    }

    /// The largest batch that is taken, in bytes, as it is compressed. [max.message.bytes]
    var maxMessageBytes = 1_048_588
    /// The size at which a segment is full. [segment.bytes]
    var segmentBytes = 1 << 30
    /// The age at which a segment is full, by the times of its records. [segment.ms]
    var segmentMilliseconds: Int64 = 604_800_000
    /// How much a partition keeps at least when it deletes; -1: no limit. [retention.bytes]
    var retentionBytes: Int64 = -1
    /// How long records are kept, by the largest time in a segment; -1: no limit. [retention.ms]
    var retentionMilliseconds: Int64 = 604_800_000
    /// [cleanup.policy]
    var cleanupPolicy: CleanupPolicy = .delete
    /// How long a tombstone can be read after the compaction that met it first. [delete.retention.ms]
    var deleteRetentionMilliseconds: Int64 = 86_400_000
    /// How long a record is safe from compaction. [min.compaction.lag.ms]
    var minCompactionLagMilliseconds: Int64 = 0
    /// The part of the log that must be new before it is compacted again. [min.cleanable.dirty.ratio]
    var minCleanableDirtyRatio = 0.5
    /// Whether records get the broker's time in place of the client's. [message.timestamp.type]
    var usesLogAppendTime = false
    /// How far a client's time may be behind the broker's, in milliseconds. [message.timestamp.before.max.ms]
    var timestampBeforeMaxMilliseconds = Int64.max
    /// How far a client's time may be ahead of the broker's, in milliseconds. [message.timestamp.after.max.ms]
    var timestampAfterMaxMilliseconds = Int64.max
    /// How long an idle producer is remembered. The broker's, not the topic's. [producer.id.expiration.ms]
    var producerExpirationMilliseconds: Int64 = 86_400_000
}

/// The milliseconds from one time to another, where either may be anything that a client made up.
func elapsedMilliseconds(from start: Int64, to end: Int64) -> Int64 {
    let (difference, overflow) = end.subtractingReportingOverflow(start)
    guard overflow else { return difference }
    return end < start ? .min : .max
}

/// How far a group has come in a partition.
struct CommittedOffset: Hashable, Sendable {
    /// The offset of the record to go on with.
    var offset: Int64
    /// The leader epoch of the last record processed; -1 when the client didn't say (KIP-320).
    var leaderEpoch: Int32 = -1
    /// The client's own note. Empty for none.
    var metadata = ""
    /// Milliseconds since 1970.
    var commitTime: Int64 = 0
}

/// What an OffsetFetch is told about a partition.
struct FetchedOffset: Hashable, Sendable {
    var partition: TopicPartition
    /// Nil when nothing is committed, which goes out as offset -1 without an error, and when there is an error.
    var committed: CommittedOffset?
    var error: ErrorCode = .none
}

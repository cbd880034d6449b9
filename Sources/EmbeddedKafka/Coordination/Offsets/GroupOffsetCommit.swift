/// A commit of offsets (OffsetCommit, and TxnOffsetCommit, which may say who commits from version 3).
struct OffsetCommit: Sendable {
    struct Partition: Sendable {
        var partition: TopicPartition
        var offset: Int64
        var leaderEpoch: Int32 = -1
        var metadata = ""
    }

    var group: String
    /// Empty for a consumer that is no member.
    var member = ""
    var instance: String?
    /// -1 for a consumer that is no member.
    var generation: Int32 = -1
    var partitions: [Partition]
}

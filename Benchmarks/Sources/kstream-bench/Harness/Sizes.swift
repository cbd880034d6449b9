/// How much work a round is.
struct Sizes {
    /// Partitions of every topic.
    var partitions: Int32 = 16
    /// Records of a partition that consumers read; librdkafka's mock keeps 5 MB of each.
    var recordsPerPartition: Int
    /// Records of a round that sends many.
    var sends: Int
    /// Records of a round that sends one at a time.
    var awaitedSends: Int
    /// Transactions of a round.
    var transactions: Int
    /// Events of a round that decodes or processes them.
    var events: Int
    /// Records of a round that makes rows of them.
    var projected: Int
    /// Appends of a round, each with a wait for the disk.
    var appends: Int
    /// Events of an entity that is read.
    var replayedEvents: Int
    /// Entities that are in memory at a time.
    var entities: Int
    /// Seconds of an idle round.
    var idleSeconds: Double

    static let full = Sizes(
        recordsPerPartition: 30_000,
        sends: 500_000,
        awaitedSends: 1_500,
        transactions: 300,
        events: 100_000,
        projected: 400_000,
        appends: 1_000,
        replayedEvents: 500_000,
        entities: 1_000_000,
        idleSeconds: 10
    )
    static let quick = Sizes(
        recordsPerPartition: 10_000,
        sends: 100_000,
        awaitedSends: 500,
        transactions: 100,
        events: 20_000,
        projected: 50_000,
        appends: 200,
        replayedEvents: 50_000,
        entities: 100_000,
        idleSeconds: 3
    )

    /// Records of a topic that consumers read.
    var consumes: Int { Int(self.partitions) * self.recordsPerPartition }
}

public import KafkaClient

/// What a projection does with a message that its handler could not handle.
public enum PoisonAction: Sendable, Hashable {
    /// It ends with the error, and goes on with this message when it is started again.
    case stop
    /// It passes the message over, and keeps a note of it (``ProjectionStorage/skip(_:in:)``).
    case skip
}

/// How a ``Projector`` works.
public struct ProjectorConfiguration: Sendable {
    /// What becomes of a message whose handler threw this error. Default: it stops.
    public var poisonAction: @Sendable (any Error) -> PoisonAction = { _ in .stop }
    /// The name of this instance in the storage, for those who look who owns a partition. Default: `nil`, a new one.
    public var instance: String?
    /// The consumer. Its group is that of the projection and its version unless it is set; where to begin is the storage's
    /// affair. `maxBatchRecords` is how many records go into one transaction at most.
    ///
    /// Members of a group share the partitions, so they have to write into the same storage. Machines that have a file each need a
    /// group each: set it there to the projection's name and the machine's.
    public var consumer: KafkaConsumer.Configuration

    /// Makes a configuration with the defaults.
    ///
    /// - Parameter bootstrapServers: `host:port` of some brokers.
    public init(bootstrapServers: [String]) {
        self.consumer = KafkaConsumer.Configuration(bootstrapServers: bootstrapServers)
    }
}

/// How a ``Projector`` is doing.
public struct ProjectorStatus: Sendable {
    /// Whether it runs.
    public var phase = RunPhase.idle
    /// What ended it.
    public var error: (any Error)?
    /// How many records it has handled since it was started.
    public var handled = 0
    /// How many records were in the rows already.
    public var repeated = 0
    /// How many records it passed over since they could not be handled.
    public var skipped = 0
    /// How many transactions it has written.
    public var transactions = 0
    /// How many transactions were refused, since somebody else had claimed a partition.
    public var refused = 0
    /// How far it has come.
    public var positions: [KafkaTopicPartition: Int64] = [:]
}

/// How far a version of a projection is on its way to the ends of its partitions.
public struct ProjectionProgress: Sendable, Hashable {
    /// How many records of the log are behind it.
    public var done: Int64
    /// How many the log has.
    public var total: Int64
    /// How long the rest takes at the speed that it had since it got its partitions; `nil` before there is one.
    public var timeLeft: Duration?

    /// From 0 to 1.
    public var fraction: Double { self.total > 0 ? Double(self.done) / Double(self.total) : 1 }
}

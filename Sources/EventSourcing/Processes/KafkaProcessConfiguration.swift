public import EventStreaming
public import KafkaClient

/// How a ``KafkaProcessHost`` works.
public struct KafkaProcessConfiguration: Sendable {
    /// The topic where instances are kept: what becomes of one with each message or deadline, by its id. It has as many partitions as
    /// the topics that are read.
    ///
    /// Nothing in it may expire: its `cleanup.policy` is `compact`, or its `retention.ms` and `retention.bytes` are -1. Where it is
    /// compacted, timelines are short, and which messages were handled is known from what is left of it after a restart.
    public var journal: String
    /// A name of this instance that it has again when it is restarted, and no other instance has. Default: `nil`, none.
    public var instance: String?
    /// What becomes of a message whose handler threw this error. Default: it stops.
    public var poisonAction: @Sendable (any Error) -> PoisonAction = { _ in .stop }
    /// How many messages of a partition are remembered, so that one that comes again is handled once. Default: 100,000.
    public var deduplicationWindow = 100_000
    /// How long nothing may come, while instances are restored, before that fails. Default: 2 minutes.
    public var restoreTimeout = Duration.seconds(120)
    /// The clock of the deadlines. Default: the system's.
    public var now: @Sendable () -> UTCTime = { .now }
    /// The consumer. Its group is the name of the process manager unless it is set.
    public var consumer: KafkaConsumer.Configuration
    /// The producer. It gets a transactional id where it has none.
    public var producer: KafkaProducer.Configuration

    /// Makes a configuration with the defaults.
    ///
    /// - Parameters:
    ///   - journal: the topic where instances are kept.
    ///   - bootstrapServers: `host:port` of some brokers.
    public init(journal: String, bootstrapServers: [String]) {
        self.journal = journal
        self.consumer = KafkaConsumer.Configuration(bootstrapServers: bootstrapServers)
        self.producer = KafkaProducer.Configuration(bootstrapServers: bootstrapServers)
    }
}

/// How a ``KafkaProcessHost`` is doing.
public struct KafkaProcessStatus: Sendable, Hashable {
    /// Whether it runs.
    public var phase = RunPhase.idle
    /// What ended it, in words.
    public var problem: String?
    /// How many messages it has read since it was started, also those that were ignored.
    public var handled = 0
    /// How many messages it passed over since they could not be handled.
    public var skipped = 0
    /// How many deadlines have passed.
    public var deadlines = 0
}

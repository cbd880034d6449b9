public import KafkaClient

/// How a ``Processor`` is doing: what probes of an orchestrator, and people, ask for.
public struct ProcessorStatus: Sendable {
    /// Where a processor is in its life.
    public enum Phase: Sendable, Hashable {
        /// It was made and does not run yet.
        case idle
        /// It connects.
        case starting
        /// It is, or is about to become, a member of its group, and handles messages.
        case running
        /// It was cancelled.
        case ended
        /// An error ended it.
        case failed
    }

    /// Where it is in its life.
    public var phase = Phase.idle
    /// The partitions whose messages it handles now.
    public var partitions: Set<KafkaTopicPartition> = []
    /// How many messages are being handled, pauses between attempts included.
    public var inFlight = 0
    /// For how long the oldest of these has been handled; `nil` where there are none.
    public var oldestInFlight: Duration?
    /// How many messages were handled since it was made. Those of a transaction that was aborted count each time.
    public var processed = 0
    /// How many attempts failed and were made again.
    public var retries = 0
    /// How many times a message went to a retry topic, to be handled again later.
    public var postponed = 0
    /// How many messages could not be processed and became dead letters, or stopped the processor.
    public var failures = 0
    /// The offsets that were committed since it began to run, in transactions or not.
    public var committed: [KafkaTopicPartition: Int64] = [:]
    /// What ended it.
    public var error: (any Error)?
    /// How long a message may be handled before its partition is taken away: `consumer.maxPollInterval`.
    public var handlingLimit: Duration

    /// Whether it should be left running: it has not ended, and no message has been handled for longer than the group allows.
    ///
    /// For a liveness probe.
    public var isLive: Bool {
        switch self.phase {
        case .idle, .starting, .running: self.oldestInFlight.map { $0 <= self.handlingLimit } ?? true
        case .ended, .failed: false
        }
    }

    /// Whether it handles messages of at least one partition.
    ///
    /// For a readiness probe. An instance more than there are partitions has none and stands by.
    public var isReady: Bool { self.phase == .running && !self.partitions.isEmpty }
}

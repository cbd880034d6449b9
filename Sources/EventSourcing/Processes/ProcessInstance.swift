public import EventStreaming
internal import KafkaClient

/// How an instance of a process manager stands.
public enum ProcessStatus: String, Sendable, Hashable, Codable, CaseIterable {
    /// It goes on.
    case running
    /// It has come to its end.
    case completed
    /// What it did is being undone.
    case compensating
    /// What it did was undone.
    case compensated
    /// Something can't be undone, or a deadline can't be handled: a person has to see to it (``ProcessInstance/problem``).
    case stuck

    /// Whether nothing will happen any more.
    public var isEnded: Bool { self == .completed || self == .compensated }
}

/// An instance of a ``ProcessManager``: what it remembers.
public struct ProcessInstance<State: Codable & Sendable>: Sendable, Codable {
    /// Tells it from the others of its process manager.
    public let id: String
    /// How it stands.
    public internal(set) var status = ProcessStatus.running
    /// What the handlers remember.
    public internal(set) var state: State
    /// When each deadline passes.
    public internal(set) var deadlines: [String: UTCTime] = [:]
    /// What would have to be undone, in the order in which it was done.
    public internal(set) var steps: [CompensationStep] = []
    /// Why it is compensating, or stuck.
    public internal(set) var problem: String?
    /// The deadline whose handler threw, when it is stuck for that.
    public internal(set) var failedDeadline: String?
    /// How many messages and deadlines it has seen.
    public internal(set) var transitions: Int64 = 0
    /// When it began.
    public let startTime: UTCTime
    /// When something last happened.
    public internal(set) var updateTime: UTCTime
    /// What all of its commands have in common.
    public internal(set) var correlationID: String?

    init(id: String, state: State, now: UTCTime) {
        self.id = id
        self.state = state
        self.startTime = now
        self.updateTime = now
    }

    /// Whether its handlers lead it, rather than that what they did is being undone.
    var isGoingOn: Bool { self.status == .running || self.status == .stuck && self.failedDeadline != nil }

    /// When the next deadline passes, its own retries included.
    public var nextDeadline: UTCTime? { self.deadlines.values.min() }
}

/// How often, and after which pauses, something is undone that could not be.
public struct CompensationPolicy: Sendable, Hashable, Codable {
    /// How often at most, the first time included; then the instance is stuck. Default: 10.
    public var attempts = 10
    /// The pause after the first attempt; each is twice as long as the one before. Default: 1 s.
    public var firstDelay = Duration.seconds(1)
    /// The longest pause. Default: 5 minutes.
    public var maxDelay = Duration.seconds(300)
    /// How long an attempt may take before it counts as failed. Default: 1 minute.
    public var timeout = Duration.seconds(60)

    /// The defaults.
    public init() {}

    func delay(after attempt: Int) -> Duration {
        var delay = self.firstDelay
        for _ in 1..<max(1, min(attempt, 64)) { delay = min(delay * 2, self.maxDelay) }
        return min(max(.zero, delay), self.maxDelay)
    }
}

/// Something that was done, with the command that undoes it.
public struct CompensationStep: Sendable, Hashable, Codable {
    /// Its name.
    public let name: String
    /// How often it is tried to undo it.
    public let policy: CompensationPolicy
    /// How often it was tried.
    public internal(set) var attempts = 0
    /// What went wrong the last time.
    public internal(set) var error: String?
    /// How often its service said that it failed. Then the command is another one, with an id of its own; where no answer came, it
    /// is the same.
    var refusals = 0
    private let command: ProcessRecord

    init(name: String, policy: CompensationPolicy, command: ProcessRecord) {
        self.name = name
        self.policy = policy
        self.command = command
    }

    /// The command that undoes it.
    var record: KafkaProducerRecord {
        var record = self.command.record
        guard self.refusals > 0, var metadata = EventMetadata(headers: record.headers) else { return record }
        let old = Set(metadata.headers)
        let time = metadata.time?.millisecondsSince1970 ?? 0
        metadata.id = EventID.derived(from: metadata.source, metadata.id, "\(self.refusals)", at: time)
        record.headers = metadata.headers + record.headers.filter { !old.contains($0) }
        return record
    }
}

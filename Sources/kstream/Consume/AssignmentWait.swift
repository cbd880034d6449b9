/// Why a member of a group has nothing to read, and when that is worth saying.
///
/// An empty share may be final (others have all partitions) or the first step of a rebalance in which others give some up:
/// the group does not say which. So a member that is to end at the end gives it some time.
struct AssignmentWait {
    enum Step: Equatable {
        case none
        case say(String)
        /// The share stays empty, which is said, and there is nothing to read.
        case end(String)
    }

    /// Above the 3 s that brokers wait for more members before a new group begins (`group.initial.rebalance.delay.ms`).
    static let patience = Duration.seconds(4)
    /// Long enough for the other members to notice (heartbeats are 3 s apart), to give partitions up and to join again.
    static let limit = Duration.seconds(10)

    let group: String
    let topic: String
    let exitsAtEnd: Bool
    private var waitingSince: Duration?
    private var emptySince: Duration?
    private var hasSpoken = false

    init(group: String, topic: String, exitsAtEnd: Bool) {
        self.group = group
        self.topic = topic
        self.exitsAtEnd = exitsAtEnd
    }

    /// When to look again although nothing changes; `nil` when time alone brings nothing new.
    var nextLook: Duration? {
        let speaks = self.hasSpoken ? nil : self.waitingSince.map { $0 + Self.patience }
        let ends = self.exitsAtEnd ? self.emptySince.map { $0 + Self.limit } : nil
        guard let speaks, let ends else { return speaks ?? ends }
        return min(speaks, ends)
    }

    /// Looks at the member's share.
    ///
    /// - Parameters:
    ///   - hasAssignment: whether the group has given the member its share.
    ///   - isEmpty: whether there is no partition in it.
    ///   - now: the time, from any beginning.
    mutating func look(hasAssignment: Bool, isEmpty: Bool, now: Duration) -> Step {
        guard isEmpty else {
            self.waitingSince = nil
            self.emptySince = nil
            self.hasSpoken = false
            return .none
        }
        let waitingSince = self.waitingSince ?? now
        self.waitingSince = waitingSince
        self.emptySince = hasAssignment ? self.emptySince ?? now : nil
        if self.exitsAtEnd, let emptySince = self.emptySince, now - emptySince >= Self.limit {
            return .end("the group \(self.group) has no partition of \(self.topic) for this member: others read them")
        }
        guard !self.hasSpoken, now - waitingSince >= Self.patience else { return .none }
        self.hasSpoken = true
        let reason = hasAssignment ? "other members read all partitions" : "it has not shared out its partitions yet"
        return .say("waiting for the group \(self.group): \(reason)")
    }
}

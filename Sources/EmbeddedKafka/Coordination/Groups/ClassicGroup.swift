internal import NIOCore

/// A group of the classic protocol: who is in it, which generation it has, and who waits for what.
///
/// The rules are those of Apache Kafka's coordinator. This type knows neither sockets nor time: each call is told the time
/// and leaves the answers that have become due, which the coordinator takes.
struct ClassicGroup {
    let id: String
    let settings: GroupSettings
    var state = GroupState.empty
    var generation: Int32 = 0
    /// What kind of group it is; nil as long as it has only had offsets.
    var protocolType: String?
    /// The protocol that the vote chose for this generation.
    var protocolName: String?
    var leader: String?
    var members: [String: GroupMember] = [:]
    /// The member that each static instance is at present.
    var instances: [String: String] = [:]
    /// Ids that were given out with error 79 and haven't come back, with the time when they are forgotten.
    var pendingMembers: [String: Int64] = [:]

    /// When the gathering ends, in PreparingRebalance.
    var joinDeadline: Int64?
    /// How much longer the first gathering of an empty group may be drawn out; nil in any other.
    var initialDelayLeft: Int32?
    var memberCameInDelay = false
    /// When those that haven't synced are removed.
    var syncDeadline: Int64?

    private var memberCount: UInt64 = 0
    private var answers: [GroupAnswer] = []

    init(id: String, settings: GroupSettings) {
        self.id = id
        self.settings = settings
    }

    // MARK: Answers

    mutating func takeAnswers() -> [GroupAnswer] {
        defer { self.answers = [] }
        return self.answers
    }

    mutating func answer(_ answer: GroupAnswer) {
        self.answers.append(answer)
    }

    mutating func refuse(_ waiter: Waiter, _ error: ErrorCode, member: String) {
        self.answers.append(.joined(waiter, .failure(JoinFailure(error: error, member: member))))
    }

    /// Tells a member's waiting requests that nothing will come of them.
    mutating func refuseWaiters(of member: inout GroupMember, _ error: ErrorCode) {
        if let waiter = member.joinWaiter { self.refuse(waiter, error, member: member.id) }
        if let waiter = member.syncWaiter { self.answer(.synced(waiter, .failure(error))) }
        member.joinWaiter = nil
        member.syncWaiter = nil
    }

    // MARK: Members

    var membersInOrder: [GroupMember] {
        self.members.values.sorted { $0.order < $1.order }
    }

    /// The longest that any member asks to be waited for.
    var rebalanceTimeout: Int32 {
        self.members.values.map(\.rebalanceTimeout).max() ?? 1
    }

    mutating func add(_ id: String, _ request: GroupJoin, waiter: Waiter, now: Int64) {
        if self.members.isEmpty { self.protocolType = request.protocolType }
        self.memberCount &+= 1
        var member = GroupMember(id: id, order: self.memberCount, request: request)
        member.joinWaiter = waiter
        member.sessionDeadline = Deadline.after(self.settings.newMemberTimeout, from: now)
        self.members[id] = member
        if let instance = request.instance { self.instances[instance] = id }
        if self.leader == nil { self.leader = id }
        if self.initialDelayLeft != nil { self.memberCameInDelay = true }
    }

    /// Takes a member out, without the rebalance that may follow.
    mutating func remove(_ id: String) {
        guard var member = self.members.removeValue(forKey: id) else { return }
        self.refuseWaiters(of: &member, .unknownMemberID)
        if let instance = member.instance, self.instances[instance] == id { self.instances[instance] = nil }
        if self.leader == id { self.leader = self.membersInOrder.first?.id }
        if !self.members.values.contains(where: \.owesSync) { self.syncDeadline = nil }
    }

    /// What is wrong with a request's member id and instance, if anything. An id that another process has taken over is
    /// fenced (KIP-345).
    func complaint(member: String, instance: String?) -> ErrorCode? {
        if let instance {
            guard let current = self.instances[instance] else { return .unknownMemberID }
            if current != member { return .fencedInstanceID }
        }
        return self.members[member] == nil ? .unknownMemberID : nil
    }

    // MARK: The vote

    /// Whether there is a protocol that the member and all others support.
    func supports(_ request: GroupJoin) -> Bool {
        guard !request.protocolType.isEmpty, !request.protocols.isEmpty else { return false }
        if self.members.isEmpty { return true }
        guard self.protocolType == request.protocolType else { return false }
        return request.protocols.contains { self.allSupport($0.name) }
    }

    /// Each member votes for the first in its list among those that all support. Of equals the one that the earliest
    /// member likes better wins.
    func electedProtocol() -> String? {
        let members = self.membersInOrder
        var votes: [String: Int] = [:]
        for member in members {
            if let choice = member.protocols.first(where: { self.allSupport($0.name) }) {
                votes[choice.name, default: 0] += 1
            }
        }
        let most = votes.values.max()
        for member in members {
            if let winner = member.protocols.first(where: { votes[$0.name] == most }) { return winner.name }
        }
        return nil
    }

    private func allSupport(_ protocolName: String) -> Bool {
        self.members.values.allSatisfy { $0.supports(protocolName) }
    }
}

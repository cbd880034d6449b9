internal import NIOCore

/// The coordinator of all consumer groups: membership by the classic protocol, and committed offsets.
///
/// A plain state machine. Requests that can't be answered at once are remembered by their ``Waiter``; any call may return
/// answers to them. The caller sees to it that ``tick(now:)`` is called when ``nextDeadline`` has come.
struct GroupCoordinator {
    let settings: GroupSettings
    var groups: [String: ClassicGroup] = [:]
    var offsets: OffsetStore
    private let ids: MemberIDs

    /// - Parameters:
    ///   - settings: Time-outs and limits.
    ///   - keepsChanges: Whether changes are remembered for ``takeChanges()``. A broker that keeps nothing says no.
    ///   - uuid: Makes the random part of member ids.
    init(settings: GroupSettings = GroupSettings(), keepsChanges: Bool = true, uuid: @escaping () -> WireUUID) {
        self.settings = settings
        self.offsets = OffsetStore(keepsChanges: keepsChanges)
        self.ids = MemberIDs(uuid: uuid)
    }

    // MARK: Membership

    mutating func join(_ request: GroupJoin, waiter: Waiter, now: Int64) -> [GroupAnswer] {
        func refusal(_ error: ErrorCode) -> [GroupAnswer] {
            [.joined(waiter, .failure(JoinFailure(error: error, member: request.member)))]
        }
        guard !request.group.isEmpty else { return refusal(.invalidGroupID) }
        guard self.settings.sessionTimeouts.contains(request.sessionTimeout) else {
            return refusal(.invalidSessionTimeout)
        }
        guard !request.protocolType.isEmpty, !request.protocols.isEmpty else {
            return refusal(.inconsistentGroupProtocol)
        }
        guard request.member.isEmpty || self.groups[request.group] != nil else { return refusal(.unknownMemberID) }
        self.makeGroup(request.group)
        self.groups[request.group]?.join(request, waiter: waiter, ids: self.ids, now: now)
        return self.takeAnswers(request.group)
    }

    mutating func sync(_ request: GroupSync, waiter: Waiter, now: Int64) -> [GroupAnswer] {
        guard !request.group.isEmpty else { return [.synced(waiter, .failure(.invalidGroupID))] }
        guard self.groups[request.group] != nil else { return [.synced(waiter, .failure(.unknownMemberID))] }
        self.groups[request.group]?.sync(request, waiter: waiter, now: now)
        return self.takeAnswers(request.group)
    }

    mutating func heartbeat(
        group: String,
        member: String,
        instance: String? = nil,
        generation: Int32,
        now: Int64
    ) -> ErrorCode {
        guard !group.isEmpty else { return .invalidGroupID }
        return self.groups[group]?.heartbeat(member: member, instance: instance, generation: generation, now: now)
            ?? .unknownMemberID
    }

    /// Members leave. Versions of LeaveGroup below 3 have one, whose error is the answer's.
    ///
    /// - Returns: The error of the whole, one for each member in their order, and answers to requests that waited.
    mutating func leave(
        group: String,
        _ leaving: [GroupLeave],
        now: Int64
    ) -> (error: ErrorCode, members: [ErrorCode], answers: [GroupAnswer]) {
        guard !group.isEmpty else { return (.invalidGroupID, [], []) }
        let errors = leaving.map { self.groups[group]?.leave($0, now: now) ?? .unknownMemberID }
        return (.none, errors, self.takeAnswers(group))
    }

    /// The connection of a waiting request is gone: its answer won't be given. The member stays until its session or the
    /// rebalance ends.
    mutating func forget(_ waiter: Waiter, now: Int64) {
        for group in self.groups.keys where self.groups[group]?.forget(waiter, now: now) == true { return }
    }

    /// Another node coordinates a group from now on.
    mutating func moved(group: String, now: Int64) -> [GroupAnswer] {
        self.groups[group]?.coordinatorMoved(now: now)
        return self.takeAnswers(group)
    }

    // MARK: Time

    /// When ``tick(now:)`` has something to do.
    var nextDeadline: Int64? {
        self.groups.values.reduce(nil) { Deadline.earlier($0, $1.nextDeadline) }
    }

    /// Ends sessions and rebalances that are due.
    mutating func tick(now: Int64) -> [GroupAnswer] {
        var answers: [GroupAnswer] = []
        let due = self.groups.values.filter { ($0.nextDeadline ?? .max) <= now }.map(\.id)
        for group in due.sorted() {
            self.groups[group]?.tick(now: now)
            answers += self.takeAnswers(group)
            // An id that was given out and never came back leaves no trace of a group that never was.
            if self.groups[group]?.generation == 0 { self.removeIfUnused(group) }
        }
        return answers
    }

    // MARK: Groups

    mutating func makeGroup(_ id: String) {
        if self.groups[id] == nil { self.groups[id] = ClassicGroup(id: id, settings: self.settings) }
    }

    /// Removes a group that has neither members nor offsets.
    mutating func removeIfUnused(_ id: String) {
        guard let group = self.groups[id], group.state == .empty, group.pendingMembers.isEmpty,
            !self.offsets.hasOffsets(group: id)
        else { return }
        self.groups[id] = nil
    }

    private mutating func takeAnswers(_ group: String) -> [GroupAnswer] {
        self.groups[group]?.takeAnswers() ?? []
    }
}

internal import NIOCore

extension ClassicGroup {
    // MARK: Sync

    mutating func sync(_ request: GroupSync, waiter: Waiter, now: Int64) {
        if let complaint = self.complaint(request) { return self.answer(.synced(waiter, .failure(complaint))) }
        let id = request.member
        switch self.state {
        case .empty, .dead:
            self.answer(.synced(waiter, .failure(.unknownMemberID)))
        case .preparingRebalance:
            self.answer(.synced(waiter, .failure(.rebalanceInProgress)))
        case .completingRebalance:
            if let former = self.members[id]?.syncWaiter {
                self.answer(.synced(former, .failure(.rebalanceInProgress)))
            }
            self.members[id]?.syncWaiter = waiter
            self.noteSync(of: id)
            if self.leader == id { self.assign(request.assignments, now: now) }
        case .stable:
            self.members[id]?.renewSession(now: now)
            self.noteSync(of: id)
            self.answer(.synced(waiter, .success(self.synced(self.members[id]))))
        }
    }

    private func complaint(_ request: GroupSync) -> ErrorCode? {
        if let complaint = self.complaint(member: request.member, instance: request.instance) { return complaint }
        if request.generation != self.generation { return .illegalGeneration }
        // Until the gathering is over the protocol isn't settled; the state has its own answer.
        guard self.state == .completingRebalance || self.state == .stable else { return nil }
        if let type = request.protocolType, type != self.protocolType { return .inconsistentGroupProtocol }
        if let name = request.protocolName, name != self.protocolName { return .inconsistentGroupProtocol }
        return nil
    }

    private mutating func noteSync(of id: String) {
        self.members[id]?.owesSync = false
        if !self.members.values.contains(where: \.owesSync) { self.syncDeadline = nil }
    }

    /// Hands out what the leader has decided. Whom it forgot gets nothing.
    private mutating func assign(_ assignments: [(member: String, assignment: ByteBuffer)], now: Int64) {
        let shares = Dictionary(assignments.map { ($0.member, $0.assignment) }, uniquingKeysWith: { $1 })
        self.state = .stable
        for var member in self.membersInOrder {
            member.assignment = shares[member.id] ?? ByteBuffer()
            if let waiter = member.syncWaiter {
                member.syncWaiter = nil
                member.renewSession(now: now)
                self.answer(.synced(waiter, .success(self.synced(member))))
            }
            self.members[member.id] = member
        }
    }

    private func synced(_ member: GroupMember?) -> SyncedGroup {
        SyncedGroup(
            protocolType: self.protocolType ?? "",
            protocolName: self.protocolName ?? "",
            assignment: member?.assignment ?? ByteBuffer()
        )
    }

    // MARK: Heartbeat

    /// A sign of life. While members are gathered it is also how they learn that they must join.
    mutating func heartbeat(member: String, instance: String?, generation: Int32, now: Int64) -> ErrorCode {
        if let complaint = self.complaint(member: member, instance: instance) { return complaint }
        if generation != self.generation { return .illegalGeneration }
        self.members[member]?.renewSession(now: now)
        return self.state == .preparingRebalance ? .rebalanceInProgress : .none
    }

    // MARK: Leave

    mutating func leave(_ leaving: GroupLeave, now: Int64) -> ErrorCode {
        var id = leaving.member
        if id.isEmpty {
            guard let instance = leaving.instance, let current = self.instances[instance] else {
                return .unknownMemberID
            }
            id = current
        } else if self.pendingMembers[id] != nil, leaving.instance == nil {
            self.pendingMembers[id] = nil
            self.completeJoinIfAllCame(now: now)
            return .none
        }
        if let complaint = self.complaint(member: id, instance: leaving.instance) { return complaint }
        self.remove(id)
        self.rebalanceAfterRemoval(now: now)
        return .none
    }

    // MARK: Connections

    /// The connection of a waiting request is gone. The member stays: it may come again, until its session ends.
    ///
    /// - Returns: Whether the request was one of this group's.
    mutating func forget(_ waiter: Waiter, now: Int64) -> Bool {
        guard var member = self.members.values.first(where: { $0.joinWaiter == waiter || $0.syncWaiter == waiter })
        else { return false }
        if member.joinWaiter == waiter { member.joinWaiter = nil }
        if member.syncWaiter == waiter { member.syncWaiter = nil }
        member.renewSession(now: now)
        self.members[member.id] = member
        return true
    }

    /// The group has another coordinator now: who waits here is told to look for it. A member that nobody has told its id
    /// yet will come as a new one, so it is forgotten.
    mutating func coordinatorMoved(now: Int64) {
        for var member in self.membersInOrder where member.joinWaiter != nil || member.syncWaiter != nil {
            self.refuseWaiters(of: &member, .notCoordinator)
            member.renewSession(now: now)
            self.members[member.id] = member
            if member.isNew { self.remove(member.id) }
        }
        if self.state == .preparingRebalance { self.completeJoinIfAllCame(now: now) }
    }
}

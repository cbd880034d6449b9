internal import NIOCore

extension ClassicGroup {
    /// A member asks to be let in, or to stay.
    mutating func join(_ request: GroupJoin, waiter: Waiter, ids: MemberIDs, now: Int64) {
        guard self.supports(request) else {
            return self.refuse(waiter, .inconsistentGroupProtocol, member: request.member)
        }
        if request.member.isEmpty {
            self.joinAsNew(request, waiter: waiter, id: ids.make(for: request), now: now)
        } else if self.pendingMembers[request.member] != nil {
            guard request.instance == nil else {
                return self.refuse(waiter, .unknownMemberID, member: request.member)
            }
            self.pendingMembers[request.member] = nil
            self.addAndRebalance(request.member, request, waiter: waiter, now: now)
        } else {
            self.joinAsKnown(request, waiter: waiter, now: now)
        }
        if self.state == .preparingRebalance, self.joinDeadline == nil {
            self.joinDeadline = Deadline.after(self.rebalanceTimeout, from: now)
        }
        self.completeJoinIfAllCame(now: now)
    }

    private mutating func joinAsNew(_ request: GroupJoin, waiter: Waiter, id: String, now: Int64) {
        if let instance = request.instance {
            if let former = self.instances[instance] {
                self.replace(former, by: id, request, waiter: waiter, now: now)
            } else {
                self.addAndRebalance(id, request, waiter: waiter, now: now)
            }
        } else if request.requiresKnownMemberID {
            self.pendingMembers[id] = Deadline.after(request.sessionTimeout, from: now)
            self.refuse(waiter, .memberIDRequired, member: id)
        } else {
            self.addAndRebalance(id, request, waiter: waiter, now: now)
        }
    }

    private mutating func addAndRebalance(_ id: String, _ request: GroupJoin, waiter: Waiter, now: Int64) {
        self.add(id, request, waiter: waiter, now: now)
        self.prepareRebalanceUnlessPreparing(now: now)
    }

    private mutating func joinAsKnown(_ request: GroupJoin, waiter: Waiter, now: Int64) {
        let id = request.member
        if let complaint = self.complaint(member: id, instance: request.instance) {
            return self.refuse(waiter, complaint, member: id)
        }
        let isUnchanged = self.members[id]?.protocols == request.protocols
        switch self.state {
        case .completingRebalance where isUnchanged, .stable where isUnchanged && self.leader != id:
            // The answer to its join was lost, perhaps: the generation still stands.
            self.members[id]?.renewSession(now: now)
            self.answer(.joined(waiter, .success(self.joined(id))))
        case .preparingRebalance, .completingRebalance, .stable:
            // A leader that joins in a stable group has seen a reason to assign anew.
            self.updateAndRebalance(id, request, waiter: waiter, now: now)
        case .empty, .dead:
            self.refuse(waiter, .unknownMemberID, member: id)
        }
    }

    private mutating func updateAndRebalance(_ id: String, _ request: GroupJoin, waiter: Waiter, now: Int64) {
        self.wait(id, request, waiter: waiter)
        self.prepareRebalanceUnlessPreparing(now: now)
    }

    /// Has a known member wait for the others. A join of it that waits already comes from a connection that it gave up.
    private mutating func wait(_ id: String, _ request: GroupJoin, waiter: Waiter) {
        guard var member = self.members[id] else { return }
        if let former = member.joinWaiter { self.refuse(former, .rebalanceInProgress, member: id) }
        member.joinWaiter = waiter
        member.isNew = false
        member.update(request)
        self.members[id] = member
    }

    /// A static member has been started again (KIP-345): it takes the place, the assignment and, perhaps, the lead of its
    /// former self, which is fenced from now on.
    private mutating func replace(
        _ former: String,
        by id: String,
        _ request: GroupJoin,
        waiter: Waiter,
        now: Int64
    ) {
        guard let instance = request.instance, var member = self.members.removeValue(forKey: former) else { return }
        self.refuseWaiters(of: &member, .fencedInstanceID)
        let formerLeader = self.leader
        member.id = id
        member.isNew = false
        member.update(request)
        member.renewSession(now: now)
        self.members[id] = member
        self.instances[instance] = id
        if self.leader == former { self.leader = id }

        if self.state == .stable, self.electedProtocol() == self.protocolName {
            var joined = self.joined(id)
            // Naming the former leader keeps the new one from assigning: it would believe that it must (KIP-814 tells it
            // properly, in a version of JoinGroup that isn't offered).
            joined.leader = formerLeader ?? id
            joined.members = []
            self.answer(.joined(waiter, .success(joined)))
        } else {
            // In CompletingRebalance the leader may have been told the old id, for which the assignment would be.
            self.members[id]?.joinWaiter = waiter
            self.prepareRebalanceUnlessPreparing(now: now)
        }
    }

    /// What a member is told that is in the present generation.
    func joined(_ id: String) -> JoinedGroup {
        let members = self.leader == id ? self.membersInOrder : []
        return JoinedGroup(
            generation: self.generation,
            protocolType: self.protocolType ?? "",
            protocolName: self.protocolName ?? "",
            leader: self.leader ?? "",
            member: id,
            members: members.map { member in
                JoinedGroup.Member(
                    id: member.id,
                    instance: member.instance,
                    metadata: member.metadata(for: self.protocolName)
                )
            }
        )
    }
}

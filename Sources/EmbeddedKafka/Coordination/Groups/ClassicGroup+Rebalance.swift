internal import NIOCore

extension ClassicGroup {
    mutating func prepareRebalanceUnlessPreparing(now: Int64) {
        if self.state != .preparingRebalance { self.prepareRebalance(now: now) }
    }

    /// Begins to gather the members of the next generation.
    mutating func prepareRebalance(now: Int64) {
        let wasEmpty = self.state == .empty
        if self.state == .completingRebalance { self.dismissSyncs(now: now) }
        for id in self.members.keys { self.members[id]?.owesSync = false }
        self.syncDeadline = nil
        self.state = .preparingRebalance

        let delay = max(0, self.settings.initialRebalanceDelay)
        guard wasEmpty else {
            self.joinDeadline = Deadline.after(self.rebalanceTimeout, from: now)
            return self.completeJoinIfAllCame(now: now)
        }
        guard delay > 0 else { return self.completeJoin(now: now) }
        self.initialDelayLeft = max(0, self.rebalanceTimeout - delay)
        self.memberCameInDelay = false
        self.joinDeadline = Deadline.after(delay, from: now)
    }

    /// Those that wait for an assignment of a generation that won't be must join again.
    private mutating func dismissSyncs(now: Int64) {
        for var member in self.membersInOrder {
            member.assignment = ByteBuffer()
            if let waiter = member.syncWaiter {
                member.syncWaiter = nil
                member.renewSession(now: now)
                self.answer(.synced(waiter, .failure(.rebalanceInProgress)))
            }
            self.members[member.id] = member
        }
    }

    /// The first gathering lasts its time, as everybody who is there has come by definition. A later one ends when all
    /// have come, also those that only have an id so far.
    mutating func completeJoinIfAllCame(now: Int64) {
        guard self.state == .preparingRebalance, self.initialDelayLeft == nil, self.pendingMembers.isEmpty,
            self.members.values.allSatisfy({ $0.joinWaiter != nil })
        else { return }
        self.completeJoin(now: now)
    }

    /// The time for joining is over.
    mutating func endJoin(now: Int64) {
        if let left = self.initialDelayLeft, left > 0, self.memberCameInDelay {
            let delay = min(left, max(1, self.settings.initialRebalanceDelay))
            self.initialDelayLeft = left - delay
            self.memberCameInDelay = false
            self.joinDeadline = Deadline.after(delay, from: now)
        } else {
            self.completeJoin(now: now)
        }
    }

    /// Begins the next generation with those that came. A static member that didn't may still come back to its place.
    private mutating func completeJoin(now: Int64) {
        self.initialDelayLeft = nil
        self.joinDeadline = nil
        for member in self.membersInOrder where member.joinWaiter == nil && member.instance == nil {
            self.remove(member.id)
        }
        guard !self.members.isEmpty else {
            self.generation &+= 1
            self.protocolName = nil
            self.leader = nil
            self.state = .empty
            return
        }
        // Only static members, none of which came: until their sessions end, or somebody joins.
        guard self.electLeader() else { return }
        self.generation &+= 1
        self.protocolName = self.electedProtocol()
        self.state = .completingRebalance
        self.syncDeadline = Deadline.after(self.rebalanceTimeout, from: now)
        for var member in self.membersInOrder {
            if let waiter = member.joinWaiter { self.answer(.joined(waiter, .success(self.joined(member.id)))) }
            member.joinWaiter = nil
            member.isNew = false
            member.owesSync = true
            member.renewSession(now: now)
            self.members[member.id] = member
        }
    }

    /// The leader stays the leader if it came; else the earliest of those that did leads.
    private mutating func electLeader() -> Bool {
        if let leader = self.leader, self.members[leader]?.joinWaiter != nil { return true }
        guard let first = self.membersInOrder.first(where: { $0.joinWaiter != nil }) else { return false }
        self.leader = first.id
        return true
    }

    /// What follows when a member is gone.
    mutating func rebalanceAfterRemoval(now: Int64) {
        switch self.state {
        case .stable, .completingRebalance: self.prepareRebalance(now: now)
        case .preparingRebalance: self.completeJoinIfAllCame(now: now)
        case .empty, .dead: break
        }
    }
}

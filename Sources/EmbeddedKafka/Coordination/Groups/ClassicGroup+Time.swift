extension ClassicGroup {
    /// When something happens by itself.
    var nextDeadline: Int64? {
        var deadline = Deadline.earlier(self.joinDeadline, self.syncDeadline)
        for member in self.members.values { deadline = Deadline.earlier(deadline, member.expiry) }
        for pending in self.pendingMembers.values { deadline = Deadline.earlier(deadline, pending) }
        return deadline
    }

    /// Does what has become due. Afterwards nothing is due at this time: what is begun here ends later.
    mutating func tick(now: Int64) {
        let lapsed = self.pendingMembers.filter { $0.value <= now }
        for id in lapsed.keys { self.pendingMembers[id] = nil }
        if !lapsed.isEmpty { self.completeJoinIfAllCame(now: now) }

        for id in self.membersInOrder.map(\.id) {
            // A rebalance on the way may have renewed the session, or removed the member.
            guard let expiry = self.members[id]?.expiry, expiry <= now else { continue }
            self.remove(id)
            self.rebalanceAfterRemoval(now: now)
        }
        if let deadline = self.joinDeadline, deadline <= now { self.endJoin(now: now) }
        if let deadline = self.syncDeadline, deadline <= now { self.removeThoseThatOweSync(now: now) }
    }

    /// Who joined and then didn't sync, the leader first of all, holds up everyone (KAFKA-12890): it is removed when the
    /// rebalance time-out is over, whatever its heartbeats say.
    private mutating func removeThoseThatOweSync(now: Int64) {
        self.syncDeadline = nil
        for member in self.membersInOrder where member.owesSync { self.remove(member.id) }
        self.prepareRebalanceUnlessPreparing(now: now)
    }
}

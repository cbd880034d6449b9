extension ClassicGroup {
    /// What is wrong with a commit, if anything. A member's commit counts as a sign of life.
    ///
    /// A commit without a member is for consumers that assign partitions themselves: it is taken as long as the group has
    /// no members. While the leader assigns, nobody may commit: the partitions might be another's already. While members
    /// are gathered they may, since that is how they hand over.
    mutating func checkCommit(_ commit: OffsetCommit, now: Int64) -> ErrorCode? {
        if let complaint = self.complaint(commit) { return complaint }
        if self.state == .empty { return nil }
        guard self.members[commit.member] != nil else { return .unknownMemberID }
        if self.state == .completingRebalance { return .rebalanceInProgress }
        self.members[commit.member]?.renewSession(now: now)
        return nil
    }

    /// The same in a transaction (KIP-447): who says nothing of a member is trusted, as its producer is fenced otherwise.
    func checkTransactionalCommit(_ commit: OffsetCommit) -> ErrorCode? {
        self.complaint(commit)
    }

    private func complaint(_ commit: OffsetCommit) -> ErrorCode? {
        if commit.generation < 0, self.state == .empty { return nil }
        guard commit.generation >= 0 || !commit.member.isEmpty || commit.instance != nil else { return nil }
        if let complaint = self.complaint(member: commit.member, instance: commit.instance) { return complaint }
        return commit.generation == self.generation ? nil : .illegalGeneration
    }

    /// Whether a member reads the topic. When that can't be told, as in a group that is gathering for the first time, it
    /// might be.
    func mightSubscribe(to topic: String) -> Bool {
        guard let protocolName = self.protocolName else { return true }
        return self.members.values.contains { member in
            ConsumerSubscription.topics(in: member.metadata(for: protocolName))?.contains(topic) ?? true
        }
    }
}

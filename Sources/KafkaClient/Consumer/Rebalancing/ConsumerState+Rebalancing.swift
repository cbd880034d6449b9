/// What a consumer knows and decides of the partitions that it is given and that are taken from it.
extension ConsumerState {
    /// Whether a partition was owned all the time since as many assignments as this. It may have gone and come back, but
    /// not the records that were handed out before: those are read again, by whoever owns the partition.
    func isOwned(_ partition: KafkaTopicPartition, since ownership: Int) -> Bool {
        guard let since = self.ownedSince[partition] else { return false }
        return since <= ownership
    }

    /// Whether records of a partition may be handed out.
    func isReadable(_ partition: KafkaTopicPartition) -> Bool {
        self.assignment.contains(partition) && self.revocation?.partitions.contains(partition) != true
    }

    /// The first of the partitions that may not be committed; none, without a subscription by group.
    ///
    /// - Parameter batch: what is to be committed, if it is records. A partition that was given up since they were handed
    ///   out and came back does not count: another member may have come further, and be taken back.
    func partitionNotOwned(
        of partitions: some Sequence<KafkaTopicPartition>,
        in batch: Batch? = nil
    ) -> KafkaTopicPartition? {
        guard case .topics = self.subscription else { return nil }
        let ownership = batch?.ownership ?? .max
        return partitions.first { !self.isOwned($0, since: ownership) }
    }

    /// The group gave partitions to the consumer; whether it takes them, because it is not being closed.
    mutating func assignedUnlessClosing(_ partitions: Set<KafkaTopicPartition>) -> Bool {
        guard self.phase == .open else { return false }
        self.assigned(partitions)
        return true
    }

    // MARK: Giving up

    /// The group takes partitions away: nothing of them is handed out any more, and the reader is told.
    ///
    /// - Returns: whether nothing of them is in anybody's hands. Else a ``ReaderStep/drained`` says when that is so.
    mutating func beginRevoking(_ revocation: Revocation) -> Bool {
        self.revocation = revocation
        self.hasAssignment = false
        if self.readerHolds(revocation.partitions) {
            self.handedOut?.batch.interrupt()
        }
        self.awaitsDrain = !self.isDrained(readerAsks: false)
        return !self.awaitsDrain
    }

    /// Partitions are given up: nothing of them is stored or committed from now on.
    mutating func giveUp(_ partitions: Set<KafkaTopicPartition>) {
        if self.readerHolds(partitions) {
            self.handedOut?.batch.interrupt()
        }
        self.hasAssignment = false
        self.assignment.subtract(partitions)
        self.dropStashed(partitions)
        for partition in partitions {
            self.ownedSince[partition] = nil
            self.explicitPositions[partition] = nil
            self.places[partition] = nil
        }
        self.forgetPositions(of: partitions)
        if let revocation, revocation.partitions.isSubset(of: partitions) {
            self.revocation = nil
            self.awaitsDrain = false
        }
    }

    func readerHolds(_ partitions: Set<KafkaTopicPartition>) -> Bool {
        self.handedOut?.batch.partitions.contains(where: partitions.contains) == true
    }

    private func isDrained(readerAsks: Bool) -> Bool {
        guard let revocation else { return true }
        if !readerAsks, self.isProcessing, self.readerHolds(revocation.partitions) { return false }
        return self.holds.values.allSatisfy { $0.partitions.isDisjoint(with: revocation.partitions) }
    }

    /// The revocation that need not wait any longer, once.
    mutating func takeDrained(readerAsks: Bool = false) -> Int? {
        guard self.awaitsDrain, self.isDrained(readerAsks: readerAsks) else { return nil }
        self.awaitsDrain = false
        return self.revocation?.id
    }
}

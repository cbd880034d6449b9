extension GroupCoordinator {
    // MARK: Committing

    /// Commits offsets. Whether the partitions exist is the caller's to check.
    ///
    /// - Returns: An error for each partition, in their order.
    mutating func commitOffsets(_ commit: OffsetCommit, now: Int64) -> [ErrorCode] {
        if let error = self.checkCommit(commit, now: now) { return commit.partitions.map { _ in error } }
        return self.store(commit, now: now) { store, partition, offset in
            store.commit(group: commit.group, partition, offset)
        }
    }

    /// Takes offsets that show when the producer's transaction is committed. That the producer may is for the coordinator
    /// of transactions to say: ``TransactionCoordinator/offsetCommitError(transactionalID:producerID:epoch:group:)``.
    ///
    /// - Returns: An error for each partition, in their order.
    mutating func commitTransactionalOffsets(_ commit: OffsetCommit, producerID: Int64, now: Int64) -> [ErrorCode] {
        if let error = self.checkTransactionalCommit(commit) { return commit.partitions.map { _ in error } }
        return self.store(commit, now: now) { store, partition, offset in
            store.commit(group: commit.group, partition, offset, producerID: producerID)
        }
    }

    /// The producer's transaction has ended: its offsets show, or vanish. Done twice it changes nothing.
    mutating func completeTransaction(producerID: Int64, groups: [String], commit: Bool) {
        for group in groups {
            self.offsets.complete(producerID: producerID, group: group, commit: commit)
            if self.groups[group]?.generation == 0 { self.removeIfUnused(group) }
        }
    }

    private mutating func checkCommit(_ commit: OffsetCommit, now: Int64) -> ErrorCode? {
        // A group that doesn't exist is made for a consumer that is no member.
        guard self.groups[commit.group] != nil else { return commit.generation < 0 ? nil : .illegalGeneration }
        return self.groups[commit.group]?.checkCommit(commit, now: now)
    }

    private func checkTransactionalCommit(_ commit: OffsetCommit) -> ErrorCode? {
        guard let group = self.groups[commit.group] else { return commit.generation < 0 ? nil : .illegalGeneration }
        return group.checkTransactionalCommit(commit)
    }

    private mutating func store(
        _ commit: OffsetCommit,
        now: Int64,
        _ store: (inout OffsetStore, TopicPartition, CommittedOffset) -> Void
    ) -> [ErrorCode] {
        let errors = commit.partitions.map { each in
            guard each.metadata.utf16.count <= self.settings.maximumOffsetMetadata else {
                return ErrorCode.offsetMetadataTooLarge
            }
            let offset = CommittedOffset(
                offset: each.offset,
                leaderEpoch: each.leaderEpoch,
                metadata: each.metadata,
                commitTime: now
            )
            store(&self.offsets, each.partition, offset)
            return .none
        }
        if errors.contains(.none) { self.makeGroup(commit.group) }
        return errors
    }

    // MARK: Fetching

    /// Tells committed offsets.
    ///
    /// - Parameters:
    ///   - group: A group that doesn't exist has no offsets, which is no error.
    ///   - partitions: Which; nil for all that have an offset.
    ///   - requiresStable: Whether a partition whose offset an open transaction may change is refused with 88 (KIP-447).
    func fetchOffsets(group: String, partitions: [TopicPartition]?, requiresStable: Bool = false) -> [FetchedOffset] {
        (partitions ?? self.offsets.committedPartitions(group: group)).map { partition in
            if requiresStable, self.offsets.isUnstable(group: group, partition) {
                return FetchedOffset(partition: partition, error: .unstableOffsetCommit)
            }
            return FetchedOffset(
                partition: partition,
                committed: self.offsets.committed(group: group, partition)
            )
        }
    }

    // MARK: Deleting

    /// Deletes committed offsets (OffsetDelete, KIP-496). Whether the partitions exist is the caller's to check.
    ///
    /// - Returns: The error of the whole, and without one an error for each partition, in their order.
    mutating func deleteOffsets(
        group id: String,
        partitions: [TopicPartition]
    ) -> (error: ErrorCode, partitions: [ErrorCode]) {
        guard let group = self.groups[id] else { return (.groupIDNotFound, []) }
        // Only of consumers can be told what they read.
        guard group.state == .empty || group.protocolType == "consumer" else { return (.nonEmptyGroup, []) }
        let errors = partitions.map { partition in
            guard group.state == .empty || !group.mightSubscribe(to: partition.topic) else {
                return ErrorCode.groupSubscribedToTopic
            }
            self.offsets.remove(group: id, partition)
            return .none
        }
        self.removeIfUnused(id)
        return (.none, errors)
    }

    /// Topics are deleted, and with them what was committed for them.
    mutating func removeTopics(_ topics: Set<String>) {
        for group in self.offsets.removeTopics(topics) { self.removeIfUnused(group) }
    }
}

/// What others than the reader of `records` and `batches` have in hand: streams per partition, pools of workers.
extension ConsumerState {
    /// Partitions of which somebody processes records.
    struct Hold: Sendable {
        var id: Int
        var partitions: Set<KafkaTopicPartition>
        /// The number of assignments until then (see ``ConsumerState/isOwned(_:since:)``).
        var ownership: Int
        /// When the holder was last seen to get on.
        var progressTime: ContinuousClock.Instant
    }

    /// Takes partitions in hand: a revocation of one of them, and closing, wait until they are released.
    ///
    /// - Returns: `nil` when one of them may not be read (any more).
    mutating func hold(_ partitions: Set<KafkaTopicPartition>, now: ContinuousClock.Instant) -> Hold? {
        guard self.phase == .open, partitions.allSatisfy(self.isReadable) else { return nil }
        defer { self.nextHoldID += 1 }
        let hold = Hold(
            id: self.nextHoldID,
            partitions: partitions,
            ownership: self.ownership,
            progressTime: now
        )
        self.holds[hold.id] = hold
        return hold
    }

    /// Records of a hold were processed.
    ///
    /// - Parameter count: how many, for commits by count.
    /// - Returns: what to store: nothing of partitions that were given up since, nor what was committed explicitly.
    mutating func processed(
        _ positions: [Position],
        count: Int = 0,
        of hold: Hold,
        now: ContinuousClock.Instant
    ) -> [Position] {
        self.holds[hold.id]?.progressTime = now
        self.uncommittedCount += count
        return positions.filter { position in
            self.isOwned(position.partition, since: hold.ownership)
                && position.offset > self.explicitPositions[position.partition] ?? -1
        }
    }

    /// Nothing of a hold is in hand any more.
    mutating func release(
        _ hold: Hold,
        storing positions: [Position],
        count: Int = 0,
        now: ContinuousClock.Instant
    ) -> ReaderStep {
        var step = ReaderStep(action: .end)
        step.store = self.processed(positions, count: count, of: hold, now: now)
        self.holds[hold.id] = nil
        step.drained = self.takeDrained()
        return step
    }
}

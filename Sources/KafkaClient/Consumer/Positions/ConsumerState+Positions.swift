/// Where a consumer reads, and what is left of what it read elsewhere.
extension ConsumerState {
    /// The first of the partitions that can't be moved: it is not assigned, or about to be given up.
    func partitionNotMovable(of partitions: some Sequence<KafkaTopicPartition>) -> KafkaTopicPartition? {
        partitions.first { !self.isReadable($0) }
    }

    /// Partitions are read from other places from now on: what was handed out of them before is no longer handed out or
    /// stored as processed.
    ///
    /// - Returns: the positions that are to be stored instead. Partitions that were given up meanwhile have none.
    mutating func moved(_ places: [KafkaTopicPartition: Int64]) -> [Position] {
        let owned = places.filter { self.assignment.contains($0.key) }
        self.disown(owned.keys)
        for (partition, offset) in owned {
            self.nextOffsets[partition] = offset
            self.places[partition] = .absolute(offset)
        }
        return owned.map { ($0.key, $0.value) }
    }

    /// What is in hand of partitions is no longer good, as if they had gone and come back.
    private mutating func disown(_ partitions: some Collection<KafkaTopicPartition>) {
        self.ownership += 1
        for partition in partitions {
            self.ownedSince[partition] = self.ownership
            self.explicitPositions[partition] = nil
        }
        self.handedOut?.batch.interrupt()
        self.dropStashed(partitions)
    }

    /// Nothing of partitions that are given up is remembered.
    mutating func forgetPositions(of partitions: some Sequence<KafkaTopicPartition>) {
        for partition in partitions {
            self.nextOffsets[partition] = nil
            self.resetCounts[partition] = nil
        }
    }

    /// The partitions are read from a place that nobody chose, since the log does not hold the one that was wanted. What is in
    /// hand of them is from before it, and stays good.
    mutating func wasReset(_ places: [KafkaTopicPartition: Int64]) {
        for (partition, offset) in places where self.assignment.contains(partition) {
            self.nextOffsets[partition] = offset
            self.places[partition] = .absolute(offset)
            self.resetCounts[partition, default: 0] += 1
        }
    }

    /// What was found of a partition's place.
    func finding(_ partition: KafkaTopicPartition, wanted: KafkaOffset?) -> OffsetResets.Finding {
        OffsetResets.Finding(
            partition: partition,
            wanted: wanted,
            ownership: self.ownership,
            resetCount: self.resetCounts[partition, default: 0]
        )
    }

    /// Whether the partition is still without a place: nobody took it, moved it or found one.
    func isMissing(_ finding: OffsetResets.Finding) -> Bool {
        self.isReadable(finding.partition) && self.isOwned(finding.partition, since: finding.ownership)
            && self.resetCounts[finding.partition, default: 0] == finding.resetCount
    }

    /// Other partitions are read now than before, all from new places: what is in hand is no longer good.
    mutating func reassigned(_ places: [KafkaTopicPartition: KafkaOffset]) {
        self.giveUp(self.assignment)
        self.assigned(places.keys)
        self.place(places)
    }

    /// Records were handed out beside the reader of records and batches.
    mutating func handedOut(_ positions: [Position]) {
        for position in positions {
            self.nextOffsets[position.partition] = position.offset
        }
    }

    /// The offset behind the last record that was handed out, or the place that was chosen since. Unknown before.
    func nextOffset(of partition: KafkaTopicPartition) -> Int64? {
        self.nextOffsets[partition]
    }
}

/// Partitions that the application has paused, and the records of them that were on their way to it.
extension ConsumerState {
    /// Whether records of a partition may be handed out now.
    func isDeliverable(_ partition: KafkaTopicPartition) -> Bool {
        self.isReadable(partition) && !self.paused.contains(partition)
    }

    /// Nothing of the partitions is handed out from now on.
    ///
    /// - Returns: those that were not paused.
    mutating func pause(_ partitions: Set<KafkaTopicPartition>) throws(KafkaError) -> Set<KafkaTopicPartition> {
        guard self.phase == .open else { throw KafkaError.closed(operation: "pause") }
        let added = partitions.subtracting(self.paused)
        self.paused.formUnion(added)
        if self.readerHolds(added) {
            self.handedOut?.batch.interrupt()
        }
        return added
    }

    /// Records of the partitions are handed out again, beginning with those that were on their way.
    ///
    /// - Returns: those that were paused.
    mutating func resume(_ partitions: Set<KafkaTopicPartition>) throws(KafkaError) -> Set<KafkaTopicPartition> {
        guard self.phase == .open else { throw KafkaError.closed(operation: "resume") }
        let removed = partitions.intersection(self.paused)
        self.paused.subtract(removed)
        return removed
    }

    /// Keeps the records of paused partitions that were found in the data queue, behind those that were kept before.
    mutating func stash(_ batch: Batch) {
        for partition in batch.partitions where self.paused.contains(partition) && self.isReadable(partition) {
            guard let kept = batch.remaining({ $0 == partition }) else { continue }
            self.stashed[partition, default: []].append(kept)
        }
    }

    /// Keeps what the reader has left of paused partitions, before those records that were found later.
    mutating func putBack(_ batch: Batch) {
        for partition in batch.partitions where self.paused.contains(partition) && self.isReadable(partition) {
            guard self.isOwned(partition, since: batch.ownership), let kept = batch.remaining({ $0 == partition })
            else {
                continue
            }
            self.stashed[partition, default: []].insert(kept, at: 0)
        }
    }

    /// The next records that were kept of a partition that is no longer paused, for the reader.
    mutating func takeStashed(mode: ReaderMode, readerID: Int, now: ContinuousClock.Instant) -> Batch? {
        guard !self.stashed.isEmpty, let partition = self.stashed.keys.first(where: self.isDeliverable),
            var batches = self.stashed[partition], !batches.isEmpty
        else { return nil }
        let batch = batches.removeFirst()
        self.stashed[partition] = batches.isEmpty ? nil : batches
        return self.readerFound(batch, mode: mode, readerID: readerID, now: now)
    }

    /// Drops what was kept of partitions that are read from elsewhere on, or given up.
    mutating func dropStashed(_ partitions: some Sequence<KafkaTopicPartition>) {
        guard !self.stashed.isEmpty else { return }
        for partition in partitions {
            self.stashed[partition] = nil
        }
    }
}

internal import NIOCore

extension PartitionLog {
    /// Keeps the last record of each key in the full segments below the last stable offset, as Kafka's log cleaner does.
    ///
    /// Offsets stay. Aborted data goes; markers stay while data of their transaction does. Tombstones, and markers that
    /// nothing needs, stay for delete.retention.ms after the first compaction that met them, noted in the batch (KIP-534).
    /// The last batch of a producer stays, emptied, for its sequence numbers. Batches that can't be decompressed here stay
    /// whole; those that can and lose a record are written uncompressed.
    ///
    /// - Parameter force: Begins a new segment first, so that everything up to now is looked at, and doesn't ask whether
    ///   enough of the log is new.
    /// - Returns: Whether segments were rewritten.
    @discardableResult
    func compact(now: Int64, force: Bool = false) throws(LogError) -> Bool {
        guard !self.isClosed, self.configuration.cleanupPolicy.contains(.compact) else { return false }
        if let active = self.active, !active.entries.isEmpty, force || self.isAged(active, at: now, now: now) {
            try self.roll(now: now)
        }
        let count = self.cleanableSegments(now: now)
        guard count > 0, force || self.isDirty(count) else { return false }
        // The segment that begins here is left alone, whatever becomes of those before it.
        let end = self.segments[count].baseOffset
        var compactor = Compactor(log: self, now: now)
        for segment in self.segments.prefix(count) { try compactor.collectKeys(of: segment) }
        var next = 0
        while self.segments[next].baseOffset < end {
            try self.replace(self.group(from: next, within: end), using: &compactor, now: now)
            next += 1
        }
        self.firstDirtyOffset = end
        return true
    }

    // MARK: What is compacted

    /// How many segments, from the first, are full, stable and old enough.
    private func cleanableSegments(now: Int64) -> Int {
        let lag = self.configuration.minCompactionLagMilliseconds
        var count = 0
        while count < self.segments.count - 1, self.endOffset(ofSegment: count) <= self.lastStableOffset {
            let age = elapsedMilliseconds(from: self.segments[count].retentionTimestamp, to: now)
            guard lag <= 0 || age >= lag else { break }
            count += 1
        }
        return count
    }

    private func isDirty(_ count: Int) -> Bool {
        var total = 0
        var dirty = 0
        for segment in self.segments.prefix(count) {
            total += segment.size
            if segment.baseOffset >= self.firstDirtyOffset { dirty += segment.size }
        }
        return dirty > 0 && Double(dirty) >= self.configuration.minCleanableDirtyRatio * Double(total)
    }

    /// Segments that become one: together they are no larger than a segment may be.
    private func group(from index: Int, within end: Int64) -> Range<Int> {
        var size = self.segments[index].size
        var upper = index + 1
        while upper < self.segments.count, self.segments[upper].baseOffset < end {
            size += self.segments[upper].size
            let span = self.endOffset(ofSegment: upper) - self.segments[index].baseOffset
            guard size <= min(self.configuration.segmentBytes, LogSegment.maximalBytes),
                span <= LogSegment.maximalRelativeOffset
            else { break }
            upper += 1
        }
        return index..<upper
    }

    // MARK: Replacing

    private func replace(_ group: Range<Int>, using compactor: inout Compactor, now: Int64) throws(LogError) {
        let old = Array(self.segments[group])
        guard let base = old.first?.baseOffset else { return }
        let store = try self.directory.makeCleanedSegment(base)
        let cleaned = LogSegment(baseOffset: base, store: store, now: old.last?.openedAt ?? now)
        let replaced: any SegmentStore
        do throws(LogError) {
            for segment in old { try compactor.copy(segment, to: cleaned) }
            replaced = try self.directory.replaceSegments(
                old.map(\.baseOffset),
                endOffset: self.endOffset(ofSegment: group.upperBound - 1),
                with: store
            )
        } catch {
            self.directory.discardCleanedSegment(base, store)
            throw error
        }
        replaced.seal()
        for segment in old { segment.store.close() }
        self.size += Int64(cleaned.size) - old.reduce(0) { $0 + Int64($1.size) }
        self.segments.replaceSubrange(group, with: [cleaned])
        self.transactions.forget(markerOffsets: compactor.takeRemovedMarkers())
    }
}

extension PartitionLog {
    /// Removes segments that are too old or too many, and forgets idle producers.
    ///
    /// As in Kafka, time counts by the largest time in a segment, and size never falls below what is to be retained.
    func enforceRetention(now: Int64) throws(LogError) {
        self.producerStates.expire(olderThan: self.configuration.producerExpirationMilliseconds, now: now)
        guard !self.isClosed, self.configuration.cleanupPolicy.contains(.delete) else { return }
        let retention = self.configuration.retentionMilliseconds
        if retention >= 0 {
            let isOld = { (segment: LogSegment) in
                elapsedMilliseconds(from: segment.retentionTimestamp, to: now) > retention
            }
            // The active segment can be too old as well: a new one takes its place, and all of the log goes.
            if self.segments.allSatisfy(isOld), self.active?.entries.isEmpty == false { try self.roll(now: now) }
            let count = self.segments.dropLast().prefix(while: isOld).count
            if count > 0 { try self.moveStart(to: self.segments[count].baseOffset) }
        }
        try self.removeOversize()
    }

    /// The part of retention that keeps the log bounded on its own, as soon as a segment is full.
    func enforceSizeRetention() {
        guard self.configuration.cleanupPolicy.contains(.delete) else { return }
        // An error here is met again, and told, by the next round of retention.
        try? self.removeOversize()
    }

    /// Deletes records before an offset (KIP-107), which may lie within a batch.
    ///
    /// - Parameter offset: -1: the high watermark.
    /// - Returns: The start of the log.
    func deleteRecords(before offset: Int64, now: Int64) -> Result<Int64, ErrorCode> {
        guard !self.isClosed else { return .failure(.storageError) }
        guard self.configuration.cleanupPolicy.contains(.delete) else { return .failure(.policyViolation) }
        let target = offset == -1 ? self.endOffset : offset
        guard target >= 0, target <= self.endOffset else { return .failure(.offsetOutOfRange) }
        guard target > self.startOffset else { return .success(self.startOffset) }
        do throws(LogError) {
            // When everything goes, so does the memory or file of the active segment.
            if target == self.endOffset { try self.roll(now: now) }
            try self.moveStart(to: target)
        } catch {
            return .failure(.storageError)
        }
        return .success(self.startOffset)
    }

    private func removeOversize() throws(LogError) {
        guard self.configuration.retentionBytes >= 0 else { return }
        var excess = self.size - self.configuration.retentionBytes
        var count = 0
        for segment in self.segments.dropLast() {
            guard excess - Int64(segment.size) >= 0 else { break }
            excess -= Int64(segment.size)
            count += 1
        }
        if count > 0 { try self.moveStart(to: self.segments[count].baseOffset) }
    }

    /// The log begins later. The offset is saved before files go, so that an end in between loses nothing of it.
    private func moveStart(to offset: Int64) throws(LogError) {
        try self.directory.saveStartOffset(offset)
        self.startOffset = offset
        self.firstDirtyOffset = max(self.firstDirtyOffset, offset)
        self.transactions.trim(before: offset)
        self.leaderEpochs.trim(before: offset)
        while self.segments.count > 1, self.segments[1].baseOffset <= offset {
            let segment = self.segments.removeFirst()
            self.size -= Int64(segment.size)
            segment.store.close()
            try self.directory.removeSegment(segment.baseOffset)
        }
    }
}

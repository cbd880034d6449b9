internal import NIOCore

extension PartitionLog {
    /// What a read found.
    struct Read {
        /// Whole batches, the first of which has the offset asked for or is the next one after it. May be empty.
        var records: BufferPieces
        var highWatermark: Int64
        var lastStableOffset: Int64
        var startOffset: Int64
        /// The aborted transactions that touch the records; `nil` for a reader of uncommitted records.
        var abortedTransactions: [AbortedTransaction]?
    }

    /// The most that one read gives, in bytes, whatever is asked for.
    private static var maximalReadBytes: Int { 256 << 20 }

    /// Where a reader's data ends.
    func readLimit(_ isolation: IsolationLevel) -> Int64 {
        isolation == .readCommitted ? self.lastStableOffset : self.endOffset
    }

    /// Reads whole batches.
    ///
    /// - Parameters:
    ///   - maxBytes: The records take no more, except for the first batch if `atLeastOneBatch`.
    ///   - atLeastOneBatch: Gives one batch even if it is larger than the limit, so that a reader can go on (KIP-74).
    /// - Returns: ``ErrorCode/offsetOutOfRange`` for an offset before the log or after its end.
    func read(
        from offset: Int64,
        maxBytes: Int,
        isolation: IsolationLevel,
        atLeastOneBatch: Bool
    ) -> Result<Read, ErrorCode> {
        guard !self.isClosed else { return .failure(.storageError) }
        guard offset >= self.startOffset, offset <= self.endOffset else { return .failure(.offsetOutOfRange) }
        var read = Read(
            records: BufferPieces(),
            highWatermark: self.endOffset,
            lastStableOffset: self.lastStableOffset,
            startOffset: self.startOffset,
            abortedTransactions: isolation == .readCommitted ? [] : nil
        )
        let limit = min(maxBytes, Self.maximalReadBytes)
        let plan = self.plan(from: offset, isolation: isolation, maxBytes: limit, atLeastOneBatch: atLeastOneBatch)
        guard plan.bytes > 0 else { return .success(read) }
        do throws(LogError) {
            for part in plan.parts {
                try part.segment.store.share(at: part.position, count: part.count, to: &read.records)
            }
        } catch {
            return .failure(.storageError)
        }
        if isolation == .readCommitted {
            read.abortedTransactions = self.transactions.aborted(from: offset, to: plan.endOffset)
        }
        return .success(read)
    }

    /// How many bytes a reader could get from an offset on. Reads no data.
    func availableBytes(from offset: Int64, isolation: IsolationLevel) -> Int {
        guard offset >= self.startOffset, offset < self.readLimit(isolation) else { return 0 }
        let limit = self.readLimit(isolation)
        var bytes = 0
        for segment in self.segments[self.segmentIndex(containing: offset)...] {
            guard segment.baseOffset < limit else { break }
            let first = segment.index(containing: offset)
            bytes += max(0, segment.position(segment.index(from: limit)) - segment.position(first))
        }
        return bytes
    }

    /// The last segment that begins at an offset or before.
    func segmentIndex(containing offset: Int64) -> Int {
        var low = 0
        var high = self.segments.count
        while high - low > 1 {
            let middle = (low + high) / 2
            if self.segments[middle].baseOffset <= offset { low = middle } else { high = middle }
        }
        return low
    }

    private struct ReadPlan {
        var parts: [(segment: LogSegment, position: Int, count: Int)] = []
        var bytes = 0
        /// After the last record of the last batch.
        var endOffset: Int64 = 0
    }

    /// Which bytes of which segments a read takes.
    private func plan(
        from offset: Int64,
        isolation: IsolationLevel,
        maxBytes: Int,
        atLeastOneBatch: Bool
    ) -> ReadPlan {
        var plan = ReadPlan()
        let limit = self.readLimit(isolation)
        guard offset < limit, !self.segments.isEmpty else { return plan }
        for segment in self.segments[self.segmentIndex(containing: offset)...] {
            let first = segment.index(containing: offset)
            let end = segment.index(from: limit)
            guard first < end else {
                if segment.baseOffset >= limit { break }
                continue
            }
            // The batches that fit: position is ascending, so halve.
            let start = segment.position(first)
            var fitting = first
            var tooMany = end + 1
            while tooMany - fitting > 1 {
                let middle = (fitting + tooMany) / 2
                if segment.position(middle) - start <= maxBytes - plan.bytes {
                    fitting = middle
                } else {
                    tooMany = middle
                }
            }
            if fitting == first, plan.bytes == 0, atLeastOneBatch { fitting += 1 }
            guard fitting > first else { break }
            let count = segment.position(fitting) - start
            plan.parts.append((segment, start, count))
            plan.bytes += count
            plan.endOffset = segment.lastOffset(of: segment.entries[fitting - 1]) + 1
            if fitting < end { break }
        }
        return plan
    }
}

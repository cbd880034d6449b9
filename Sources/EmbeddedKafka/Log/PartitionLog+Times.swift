internal import NIOCore

extension PartitionLog {
    /// A record that was found by its time.
    struct FoundRecord: Hashable {
        var offset: Int64
        /// Milliseconds since 1970.
        var timestamp: Int64
        var leaderEpoch: Int32
    }

    /// The first record with a time or a later one. Times need not ascend, so a record before it may be later still.
    ///
    /// Batches that can't be decompressed here count as a whole: their first offset is the answer.
    ///
    /// - Returns: `nil` if there is none, or none that a reader of this isolation may see.
    func offset(forTimestamp timestamp: Int64, isolation: IsolationLevel) -> FoundRecord? {
        let limit = self.readLimit(isolation)
        for segment in self.segments where segment.maxTimestamp >= timestamp {
            for (index, entry) in segment.entries.enumerated()
            where entry.maxTimestamp >= timestamp && self.isVisible(entry, of: segment, limit: limit) {
                // A file that can't be read has no answer; the next fetch says why.
                guard let (header, batch) = self.visit(index, of: segment) else { return nil }
                if let found = self.first(in: batch, header, where: { $0 >= timestamp }) { return found }
            }
        }
        return nil
    }

    /// The first record with the latest time of all (KIP-734).
    ///
    /// - Returns: `nil` if a reader of this isolation may see no record.
    func offsetOfMaxTimestamp(isolation: IsolationLevel) -> FoundRecord? {
        let limit = self.readLimit(isolation)
        var latest: (timestamp: Int64, segment: LogSegment, index: Int)?
        for segment in self.segments {
            for (index, entry) in segment.entries.enumerated() where self.isVisible(entry, of: segment, limit: limit) {
                var timestamp = entry.maxTimestamp
                if segment.firstOffset(of: entry) < self.startOffset {
                    // The latest record of the batch in which the log begins may be deleted.
                    guard let visible = self.maxTimestamp(of: index, in: segment) else { continue }
                    timestamp = visible
                }
                if latest.map({ timestamp > $0.timestamp }) ?? true { latest = (timestamp, segment, index) }
            }
        }
        guard let latest, let (header, batch) = self.visit(latest.index, of: latest.segment) else { return nil }
        return self.first(in: batch, header, where: { $0 == latest.timestamp }) ?? self.whole(header)
    }

    /// Whether a batch has records that a reader may see.
    private func isVisible(_ entry: BatchEntry, of segment: LogSegment, limit: Int64) -> Bool {
        segment.lastOffset(of: entry) >= self.startOffset && segment.firstOffset(of: entry) < limit
            && entry.maxTimestamp != .min
    }

    private func visit(_ index: Int, of segment: LogSegment) -> (header: RecordBatchHeader, batch: ByteBuffer)? {
        guard let batch = try? self.batch(index, of: segment), let header = RecordBatchHeader(batch, at: 0) else {
            return nil
        }
        return (header, batch)
    }

    /// The latest time of the records that are not deleted.
    private func maxTimestamp(of index: Int, in segment: LogSegment) -> Int64? {
        guard let (header, batch) = self.visit(index, of: segment) else { return nil }
        guard var cursor = header.records(of: batch) else { return header.maxTimestamp }
        var latest: Int64?
        while let record = try? cursor.next() {
            guard record.offset(in: header) >= self.startOffset else { continue }
            latest = max(latest ?? .min, record.timestamp(in: header))
        }
        return latest
    }

    /// The answer for a batch whose records can't be read.
    private func whole(_ header: RecordBatchHeader) -> FoundRecord {
        FoundRecord(
            offset: max(header.baseOffset, self.startOffset),
            timestamp: header.maxTimestamp,
            leaderEpoch: header.leaderEpoch
        )
    }

    private func first(
        in batch: ByteBuffer,
        _ header: RecordBatchHeader,
        where matches: (Int64) -> Bool
    ) -> FoundRecord? {
        guard header.recordCount > 0 else { return nil }
        guard var cursor = header.records(of: batch) else { return self.whole(header) }
        do {
            while let record = try cursor.next() {
                let offset = record.offset(in: header)
                let timestamp = record.timestamp(in: header)
                guard offset >= self.startOffset, matches(timestamp) else { continue }
                return FoundRecord(offset: offset, timestamp: timestamp, leaderEpoch: header.leaderEpoch)
            }
            return nil
        } catch {
            return self.whole(header)
        }
    }
}

internal import NIOCore

/// One run of compaction: which records stay.
struct Compactor {
    /// A key, as 128 bits of two hashes: keys may be long and many, and an accident is too rare to matter.
    private struct KeyDigest: Hashable {
        private let first: Int
        private let second: Int

        init(_ key: ByteBuffer) {
            var first = Hasher()
            var second = Hasher()
            second.combine(1 as UInt8)
            key.withUnsafeReadableBytes { bytes in
                first.combine(bytes: bytes)
                second.combine(bytes: bytes)
            }
            self.first = first.finalize()
            self.second = second.finalize()
        }
    }

    private enum Fate {
        case removed
        case kept
        case rewritten(ByteBuffer)
    }

    private let now: Int64
    private let deleteRetention: Int64
    private let startOffset: Int64
    private let producers: ProducerStates
    /// The offsets of aborted transactions, by producer.
    private var aborted: [Int64: [ClosedRange<Int64>]] = [:]
    private var latest: [KeyDigest: Int64] = [:]
    /// Producers of whose transactions data stays, since their last marker.
    private var producersWithData: Set<Int64> = []
    private var removedMarkers: Set<Int64> = []

    init(log: PartitionLog, now: Int64) {
        self.now = now
        self.deleteRetention = max(0, log.configuration.deleteRetentionMilliseconds)
        self.startOffset = log.startOffset
        self.producers = log.producerStates
        for transaction in log.transactions.aborted where transaction.firstOffset <= transaction.lastOffset {
            self.aborted[transaction.producerID, default: []].append(transaction.firstOffset...transaction.lastOffset)
        }
    }

    /// Notes the last offset of each key.
    mutating func collectKeys(of segment: LogSegment) throws(LogError) {
        var scanner = BatchScanner(store: segment.store)
        while let (header, batch) = try self.next(&scanner, segment) {
            guard !header.isControl, !self.isAborted(header), let records = self.records(header, batch) else {
                continue
            }
            for record in records {
                guard let key = record.key, record.offset(in: header) >= self.startOffset else { continue }
                self.latest[KeyDigest(key)] = record.offset(in: header)
            }
        }
    }

    /// Copies what stays of a segment.
    mutating func copy(_ segment: LogSegment, to cleaned: LogSegment) throws(LogError) {
        var scanner = BatchScanner(store: segment.store)
        while let (header, batch) = try self.next(&scanner, segment) {
            let bytes: ByteBuffer
            switch header.isControl ? self.fate(ofMarker: header, batch) : self.fate(of: header, batch) {
            case .removed: continue
            case .kept: bytes = batch
            case .rewritten(let other): bytes = other
            }
            guard let written = RecordBatchHeader(bytes, at: bytes.readerIndex) else { continue }
            let position = cleaned.size
            guard bytes.readableBytes <= LogSegment.maximalBytes - position else {
                throw LogError("A segment would be too large once it is compacted.")
            }
            try cleaned.store.append(bytes, ByteBuffer())
            cleaned.note(written, position: position)
        }
    }

    /// The offsets of the markers that were left out since the last call.
    mutating func takeRemovedMarkers() -> Set<Int64> {
        defer { self.removedMarkers = [] }
        return self.removedMarkers
    }

    // MARK: Data

    private mutating func fate(of header: RecordBatchHeader, _ batch: ByteBuffer) -> Fate {
        guard !self.isAborted(header) else { return self.emptied(header) }
        guard let records = self.records(header, batch) else {
            self.noteData(header)
            return .kept
        }
        var kept: [RecordView] = []
        var hasTombstone = false
        for record in records {
            // A record without a key is from before the topic was compacted; Kafka's cleaner removes it too.
            guard let key = record.key, record.offset(in: header) >= self.startOffset,
                self.latest[KeyDigest(key)] == record.offset(in: header)
            else { continue }
            if !record.hasValue {
                if header.hasDeleteHorizon, self.now >= header.baseTimestamp { continue }
                hasTombstone = true
            }
            kept.append(record)
        }
        guard !kept.isEmpty else { return self.emptied(header) }
        self.noteData(header)
        let needsHorizon = hasTombstone && !header.hasDeleteHorizon
        guard kept.count < records.count || needsHorizon else { return .kept }
        return .rewritten(self.rewritten(header, kept, horizon: needsHorizon ? self.horizon : nil))
    }

    /// A batch without records stays if it tells the last sequence number of a producer.
    private func emptied(_ header: RecordBatchHeader) -> Fate {
        guard header.hasProducer, let state = self.producers[header.producerID], state.epoch == header.producerEpoch,
            state.batches.last?.baseOffset == header.baseOffset
        else { return .removed }
        return header.recordCount == 0 ? .kept : .rewritten(self.rewritten(header, [], horizon: nil))
    }

    private mutating func noteData(_ header: RecordBatchHeader) {
        if header.isTransactional { self.producersWithData.insert(header.producerID) }
    }

    private func isAborted(_ header: RecordBatchHeader) -> Bool {
        guard header.isTransactional, let ranges = self.aborted[header.producerID] else { return false }
        var low = 0
        var high = ranges.count
        while low < high {
            let middle = (low + high) / 2
            if ranges[middle].upperBound >= header.baseOffset { high = middle } else { low = middle + 1 }
        }
        return low < ranges.count && ranges[low].contains(header.baseOffset)
    }

    // MARK: Markers

    private mutating func fate(ofMarker header: RecordBatchHeader, _ batch: ByteBuffer) -> Fate {
        if self.producersWithData.remove(header.producerID) != nil { return .kept }
        guard header.hasDeleteHorizon else {
            guard let records = self.records(header, batch) else { return .kept }
            return .rewritten(self.rewritten(header, records, horizon: self.horizon))
        }
        guard self.now >= header.baseTimestamp else { return .kept }
        // The last that is known of a producer's epoch fences older ones after the log is opened again.
        if let state = self.producers[header.producerID], state.batches.isEmpty, state.epoch == header.producerEpoch {
            return .kept
        }
        self.removedMarkers.insert(header.baseOffset)
        return .removed
    }

    // MARK: Batches

    private var horizon: Int64 {
        let (sum, overflow) = self.now.addingReportingOverflow(self.deleteRetention)
        return overflow ? .max : sum
    }

    /// The records of a batch, or `nil` if they can't be read, so that the batch must be left as it is.
    private func records(_ header: RecordBatchHeader, _ batch: ByteBuffer) -> [RecordView]? {
        guard var cursor = header.records(of: batch) else { return nil }
        var records: [RecordView] = []
        do { while let record = try cursor.next() { records.append(record) } } catch { return nil }
        return records
    }

    private func rewritten(_ original: RecordBatchHeader, _ records: [RecordView], horizon: Int64?) -> ByteBuffer {
        var header = original
        header.attributes &= ~RecordBatchHeader.compressionBits
        if let horizon {
            header.attributes |= RecordBatchHeader.deleteHorizonBit
            header.baseTimestamp = horizon
        }
        header.recordCount = Int32(truncatingIfNeeded: records.count)
        var bytes = ByteBuffer()
        for record in records {
            // The time of a record is the sum of the base and its own; the base may be another now.
            let timestamp = original.baseTimestamp &+ record.timestampDelta
            bytes.writeRecord(
                attributes: record.attributes,
                timestampDelta: timestamp &- header.baseTimestamp,
                offsetDelta: record.offsetDelta,
                rest: record.rest
            )
        }
        if !header.usesLogAppendTime, let latest = records.map({ $0.timestamp(in: original) }).max() {
            header.maxTimestamp = latest
        }
        return header.encoded(records: bytes)
    }

    private func next(
        _ scanner: inout BatchScanner,
        _ segment: LogSegment
    ) throws(LogError) -> (header: RecordBatchHeader, batch: ByteBuffer)? {
        guard scanner.position < segment.size else { return nil }
        guard let next = try scanner.next() else {
            throw LogError("Segment \(segment.baseOffset) is damaged at byte \(scanner.position): it isn't compacted.")
        }
        return next
    }
}

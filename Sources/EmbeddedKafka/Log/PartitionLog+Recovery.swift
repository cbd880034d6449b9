internal import NIOCore

extension PartitionLog {
    /// Reads what is there and learns all that is known of a log from its batches.
    ///
    /// Bytes that are no batch end the log: what a crash tore off at the end is cut, and damage before that cuts the log
    /// there, with every segment after it, as Apache Kafka does. ``recovery`` tells.
    func recover(now: Int64) throws(LogError) {
        let saved = try self.directory.loadStartOffset()
        var bases = try self.directory.recoverSegments()
        // Segments that the start offset has left behind, and whose removal was interrupted.
        if let saved {
            while bases.count > 1, bases[1] <= saved { try self.directory.removeSegment(bases.removeFirst()) }
        }
        self.startOffset = max(saved ?? 0, bases.first ?? 0)
        self.endOffset = bases.first ?? self.startOffset
        for (index, base) in bases.enumerated() {
            guard self.recovery.reason == nil else {
                try self.directory.removeSegment(base)
                self.recovery.removedSegments += 1
                continue
            }
            let next = index + 1 < bases.count ? bases[index + 1] : Self.maximalOffset
            try self.recoverSegment(base, next: next, now: now)
        }
        if self.endOffset < self.startOffset {
            // What was cut had begun already: offsets are never given twice.
            self.endOffset = self.startOffset
            try self.roll(now: now)
        } else if self.segments.isEmpty {
            try self.roll(now: now)
        }
        for segment in self.segments.dropLast() { segment.store.seal() }
        self.transactions.trim(before: self.startOffset)
        self.leaderEpochs.trim(before: self.startOffset)
        self.firstDirtyOffset = self.startOffset
    }

    private func recoverSegment(_ base: Int64, next: Int64, now: Int64) throws(LogError) {
        let store = try self.directory.openSegment(base)
        let segment = LogSegment(baseOffset: base, store: store, now: now)
        self.segments.append(segment)
        self.endOffset = base
        var scanner = BatchScanner(store: store)
        while scanner.position < store.size {
            let position = scanner.position
            guard let (header, batch) = try scanner.next(), self.isPlausible(header, in: segment, next: next) else {
                self.recovery.removedBytes = store.size - position
                self.recovery.reason = """
                    Segment \(base) has no valid batch at byte \(position): the log was cut at offset \(self.endOffset).
                    """
                try store.truncate(to: position)
                try store.flush()
                break
            }
            self.note(header, position: position, in: segment, now: now, isRecovering: true) {
                ControlRecord(batch, header: header)
            }
            self.endOffset = header.nextOffset
        }
        self.size += Int64(store.size)
        if self.recovery.reason == nil, next != Self.maximalOffset { self.endOffset = next }
    }

    /// Whether offsets go on as they must; the checksum doesn't cover the base offset.
    private func isPlausible(_ header: RecordBatchHeader, in segment: LogSegment, next: Int64) -> Bool {
        header.baseOffset >= self.endOffset && header.baseOffset <= Self.maximalOffset
            && header.lastOffsetDelta >= 0 && header.nextOffset <= next
            && header.nextOffset - segment.baseOffset <= LogSegment.maximalRelativeOffset
            && header.recordCount >= 0 && header.recordCount <= Int64(header.lastOffsetDelta) + 1
    }
}

/// Reads the batches of a segment one after the other, many at a time.
struct BatchScanner {
    private static let windowBytes = 1 << 20

    private let store: any SegmentStore
    /// Where the next batch begins.
    private(set) var position = 0
    private var window = ByteBuffer()

    init(store: any SegmentStore) {
        self.store = store
    }

    /// - Returns: `nil` when the bytes at the position are no batch, or none with a right checksum.
    mutating func next() throws(LogError) -> (header: RecordBatchHeader, batch: ByteBuffer)? {
        try self.fill(RecordBatchHeader.size)
        guard let header = RecordBatchHeader(self.window, at: self.window.readerIndex),
            header.size <= self.store.size - self.position
        else { return nil }
        try self.fill(header.size)
        guard let batch = self.window.readSlice(length: header.size),
            RecordBatchHeader.checksum(of: batch) == header.checksum
        else { return nil }
        self.position += header.size
        return (header, batch)
    }

    /// Sees to it that so many bytes are in the window, if the segment has them.
    private mutating func fill(_ count: Int) throws(LogError) {
        guard self.window.readableBytes < count else { return }
        let left = self.store.size - self.position
        guard self.window.readableBytes < left else { return }
        var window = ByteBuffer()
        let bytes = min(left, max(count, Self.windowBytes))
        window.reserveCapacity(bytes)
        try self.store.read(at: self.position, count: bytes, into: &window)
        self.window = window
    }
}

internal import NIOCore

/// The log of a partition: record batches in segments, in memory or in files, with what idempotence, transactions,
/// retention and compaction need to know of them.
///
/// One replica: the high watermark is the end of the log. Not thread-safe; a cluster has all of its state on one event loop.
/// Times are milliseconds since 1970 and given by the caller. Extensions have the parts; the state that they share is here.
final class PartitionLog {
    /// Offsets end here, so that sums with lengths never overflow.
    static let maximalOffset = Int64.max - (1 << 33)

    /// What opening a log in files cut off.
    struct Recovery: Hashable {
        /// Bytes that are gone from the segment in which something was wrong.
        var removedBytes = 0
        /// Segments that came after it and are gone.
        var removedSegments = 0
        /// A sentence on what was wrong, or `nil` if nothing was.
        var reason: String?
    }

    /// May change at any time; what is in the log already is judged anew by retention and compaction only.
    var configuration: LogConfiguration
    let directory: any SegmentDirectory
    /// Ascending; the last one is appended to.
    var segments: [LogSegment] = []
    /// The first offset that may be read.
    var startOffset: Int64 = 0
    /// The offset that the next record gets, which is the high watermark too.
    var endOffset: Int64 = 0
    /// In bytes.
    var size: Int64 = 0
    var producerStates = ProducerStates()
    var transactions = TransactionIndex()
    var leaderEpochs = LeaderEpochs()
    /// Where the part of the log begins that compaction has not seen.
    var firstDirtyOffset: Int64 = 0
    var recovery = Recovery()
    var isClosed = false

    /// Opens the log, or makes it.
    ///
    /// - Throws: When the file system refuses. Damage in files is no error: see ``recovery``.
    convenience init(storage: LogStorage, configuration: LogConfiguration, now: Int64) throws(LogError) {
        try self.init(directory: storage.makeDirectory(), configuration: configuration, now: now)
    }

    init(directory: any SegmentDirectory, configuration: LogConfiguration, now: Int64) throws(LogError) {
        self.directory = directory
        self.configuration = configuration
        try self.recover(now: now)
    }

    /// The first offset of the earliest open transaction, or else the end of the log.
    var lastStableOffset: Int64 {
        self.transactions.firstOpenOffset.map { max($0, self.startOffset) } ?? self.endOffset
    }

    /// The producers that the log remembers, by id.
    var producers: [ProducerState] { self.producerStates.all.values.sorted { $0.id < $1.id } }

    /// The segment that is appended to.
    var active: LogSegment? { self.segments.last }

    func hasOpenTransaction(producerID: Int64) -> Bool {
        self.producerStates[producerID]?.transactionStartOffset != nil
    }

    /// A leader's epoch begins, with or without a batch to come.
    func beginLeaderEpoch(_ epoch: Int32) { self.leaderEpochs.begin(epoch, at: self.endOffset) }

    /// The answer to OffsetForLeaderEpoch (KIP-320).
    func endOffset(forLeaderEpoch epoch: Int32) -> (epoch: Int32, offset: Int64) {
        self.leaderEpochs.end(of: epoch, endOffset: self.endOffset)
    }

    // MARK: Life

    /// Makes all that was appended safe from the loss of power.
    func flush() throws(LogError) {
        try self.active?.store.flush()
    }

    /// Flushes, and gives the files back. Every call afterwards answers a storage error.
    func close() throws(LogError) {
        guard !self.isClosed else { return }
        self.isClosed = true
        defer { for segment in self.segments { segment.store.close() } }
        try self.flush()
    }

    /// Closes the log and removes its files.
    func delete() throws(LogError) {
        self.isClosed = true
        for segment in self.segments { segment.store.close() }
        self.segments = []
        self.size = 0
        try self.directory.remove()
    }

    // MARK: Segments

    /// Where a segment ends: the base offset of the next one.
    func endOffset(ofSegment index: Int) -> Int64 {
        index + 1 < self.segments.count ? self.segments[index + 1].baseOffset : self.endOffset
    }

    /// Begins a new segment at the end of the log, unless the last one is empty.
    func roll(now: Int64) throws(LogError) {
        if let active = self.active {
            guard !active.entries.isEmpty || active.baseOffset != self.endOffset else { return }
            try active.store.flush()
        }
        let store = try self.directory.makeSegment(self.endOffset)
        self.active?.store.seal()
        self.segments.append(LogSegment(baseOffset: self.endOffset, store: store, now: now))
    }

    /// The bytes of a batch.
    func batch(_ index: Int, of segment: LogSegment) throws(LogError) -> ByteBuffer {
        var buffer = ByteBuffer()
        let position = segment.position(index)
        try segment.store.read(at: position, count: segment.position(index + 1) - position, into: &buffer)
        return buffer
    }
}

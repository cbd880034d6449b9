internal import NIOCore

/// The bytes of one segment of a log: appended at the end, read anywhere.
protocol SegmentStore: AnyObject {
    /// In bytes.
    var size: Int { get }

    /// Writes a batch, given in two parts. When it throws, nothing of the batch is there; if even that can't be had, the
    /// segment refuses all that follows.
    func append(_ header: ByteBuffer, _ body: ByteBuffer) throws(LogError)

    /// Copies bytes that were appended.
    func read(at position: Int, count: Int, into buffer: inout ByteBuffer) throws(LogError)

    /// Bytes that were appended, shared where that can be and copied where not. They stay as they are whatever comes.
    func share(at position: Int, count: Int, to pieces: inout BufferPieces) throws(LogError)

    /// Cuts what comes after.
    func truncate(to size: Int) throws(LogError)

    /// Makes what was appended safe from the loss of power.
    func flush() throws(LogError)

    /// Nothing more will be appended: lets go of what only appending needs.
    func seal()

    /// Nothing more will be asked.
    func close()
}

extension SegmentStore {
    func share(at position: Int, count: Int, to pieces: inout BufferPieces) throws(LogError) {
        var copy = ByteBuffer()
        copy.reserveCapacity(count)
        try self.read(at: position, count: count, into: &copy)
        pieces.append(copy)
    }
}

/// Where a partition's log keeps its segments, which are known by the offset that they begin at.
protocol SegmentDirectory: AnyObject {
    /// The segments that are there, ascending. Finishes or undoes what an end of the process interrupted.
    func recoverSegments() throws(LogError) -> [Int64]

    func openSegment(_ baseOffset: Int64) throws(LogError) -> any SegmentStore
    func makeSegment(_ baseOffset: Int64) throws(LogError) -> any SegmentStore
    func removeSegment(_ baseOffset: Int64) throws(LogError)

    /// A segment that isn't part of the log before ``replaceSegments(_:endOffset:with:)``.
    func makeCleanedSegment(_ baseOffset: Int64) throws(LogError) -> any SegmentStore
    func discardCleanedSegment(_ baseOffset: Int64, _ segment: any SegmentStore)

    /// Puts a cleaned segment in the place of those that it was made from, of which it has the first one's base offset.
    ///
    /// - Parameter endOffset: Where the last of them ends.
    /// - Throws: When nothing was replaced.
    func replaceSegments(
        _ baseOffsets: [Int64],
        endOffset: Int64,
        with cleaned: any SegmentStore
    ) throws(LogError) -> any SegmentStore

    /// The log start offset that was saved, or `nil`.
    func loadStartOffset() throws(LogError) -> Int64?
    func saveStartOffset(_ offset: Int64) throws(LogError)

    /// Removes everything.
    func remove() throws(LogError)
}

/// Where a log is kept.
enum LogStorage: Sendable {
    case memory
    /// A folder of its own, which is made if it isn't there.
    case directory(String)

    func makeDirectory() -> any SegmentDirectory {
        switch self {
        case .memory: MemorySegmentDirectory()
        case .directory(let path): FileSegmentDirectory(path: path)
        }
    }
}

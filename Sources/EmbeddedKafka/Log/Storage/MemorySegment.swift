internal import NIOCore

/// A segment in memory: chunks that grow in size with the segment, so that an idle partition takes little.
final class MemorySegment: SegmentStore {
    private static let smallestChunk = 4 << 10
    private static let largestChunk = 1 << 20

    private(set) var size = 0
    private var chunks: [Chunk] = []

    func append(_ header: ByteBuffer, _ body: ByteBuffer) {
        let count = header.readableBytes + body.readableBytes
        let chunk = self.chunk(for: count)
        chunk.append(header)
        chunk.append(body)
        self.size += count
    }

    func read(at position: Int, count: Int, into buffer: inout ByteBuffer) throws(LogError) {
        buffer.reserveCapacity(minimumWritableBytes: count)
        try self.forEachPiece(at: position, count: count) { piece, _ in buffer.writeImmutableBuffer(piece) }
    }

    func share(at position: Int, count: Int, to pieces: inout BufferPieces) throws(LogError) {
        try self.forEachPiece(at: position, count: count) { piece, chunk in
            // What is still appended to is copied: it is little, and sharing it would make the next append copy all of it.
            pieces.append(chunk === self.chunks.last ? ByteBuffer(bytes: piece.readableBytesView) : piece)
        }
    }

    private func forEachPiece(
        at position: Int,
        count: Int,
        _ body: (ByteBuffer, Chunk) -> Void
    ) throws(LogError) {
        guard position >= 0, count >= 0, position <= self.size, count <= self.size - position else {
            throw LogError("A segment in memory has \(self.size) bytes, not \(count) at \(position).")
        }
        var index = self.chunkIndex(at: position)
        var position = position
        var left = count
        while left > 0, index < self.chunks.count {
            let chunk = self.chunks[index]
            let piece = chunk.bytes(from: position - chunk.start, atMost: left)
            body(piece, chunk)
            position += piece.readableBytes
            left -= piece.readableBytes
            index += 1
        }
    }

    func truncate(to size: Int) {
        guard size < self.size else { return }
        while let last = self.chunks.last, last.start >= size { self.chunks.removeLast() }
        self.chunks.last?.cut(to: size)
        self.size = max(0, size)
    }

    func flush() {}

    func seal() {}

    func close() { self.chunks = [] }

    /// The chunk to append to: the last one if the bytes fit, so that a batch lies in one piece.
    private func chunk(for count: Int) -> Chunk {
        if let last = self.chunks.last, last.room >= count { return last }
        let doubled = (self.chunks.last?.capacity ?? Self.smallestChunk / 2) * 2
        let chunk = Chunk(start: self.size, capacity: max(count, min(doubled, Self.largestChunk)))
        self.chunks.append(chunk)
        return chunk
    }

    private func chunkIndex(at position: Int) -> Int {
        var low = 0
        var high = self.chunks.count
        while high - low > 1 {
            let middle = (low + high) / 2
            if self.chunks[middle].start <= position { low = middle } else { high = middle }
        }
        return low
    }
}

/// Memory of a fixed size that fills up.
private final class Chunk {
    /// The position in the segment at which the chunk begins.
    let start: Int
    let capacity: Int
    private var memory: ByteBuffer

    init(start: Int, capacity: Int) {
        self.start = start
        self.capacity = capacity
        self.memory = ByteBufferAllocator().buffer(capacity: capacity)
    }

    var room: Int { self.capacity - self.memory.readableBytes }

    /// The caller has looked at ``room``.
    func append(_ bytes: ByteBuffer) {
        self.memory.writeImmutableBuffer(bytes)
    }

    /// A view of the bytes from an index on. As long as it lives, appending copies the chunk.
    func bytes(from index: Int, atMost limit: Int) -> ByteBuffer {
        let start = min(max(0, index), self.memory.readableBytes)
        let count = min(limit, self.memory.readableBytes - start)
        return self.memory.getSlice(at: start, length: count) ?? ByteBuffer()
    }

    func cut(to position: Int) {
        self.memory.moveWriterIndex(to: min(self.memory.readableBytes, max(0, position - self.start)))
    }
}

/// The segments of a log in memory. Nothing outlives the log.
final class MemorySegmentDirectory: SegmentDirectory {
    func recoverSegments() -> [Int64] { [] }
    func openSegment(_ baseOffset: Int64) -> any SegmentStore { MemorySegment() }
    func makeSegment(_ baseOffset: Int64) -> any SegmentStore { MemorySegment() }
    func removeSegment(_ baseOffset: Int64) {}
    func makeCleanedSegment(_ baseOffset: Int64) -> any SegmentStore { MemorySegment() }
    func discardCleanedSegment(_ baseOffset: Int64, _ segment: any SegmentStore) {}
    func replaceSegments(
        _ baseOffsets: [Int64],
        endOffset: Int64,
        with cleaned: any SegmentStore
    ) -> any SegmentStore { cleaned }
    func loadStartOffset() -> Int64? { nil }
    func saveStartOffset(_ offset: Int64) {}
    func remove() {}
}

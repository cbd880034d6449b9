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
        guard position >= 0, count >= 0, position <= self.size, count <= self.size - position else {
            throw LogError("A segment in memory has \(self.size) bytes, not \(count) at \(position).")
        }
        var index = self.chunkIndex(at: position)
        var position = position
        var left = count
        buffer.reserveCapacity(minimumWritableBytes: count)
        while left > 0, index < self.chunks.count {
            let chunk = self.chunks[index]
            let bytes = chunk.bytes(from: position - chunk.start, atMost: left)
            buffer.writeBytes(bytes)
            position += bytes.count
            left -= bytes.count
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
    private let memory: UnsafeMutableRawBufferPointer
    private var count = 0

    init(start: Int, capacity: Int) {
        self.start = start
        self.memory = .allocate(byteCount: capacity, alignment: 16)
    }

    deinit { self.memory.deallocate() }

    var capacity: Int { self.memory.count }
    var room: Int { self.memory.count - self.count }

    /// The caller has looked at ``room``.
    func append(_ bytes: ByteBuffer) {
        bytes.withUnsafeReadableBytes { source in
            UnsafeMutableRawBufferPointer(rebasing: self.memory[self.count...]).copyMemory(from: source)
        }
        self.count += bytes.readableBytes
    }

    /// Holds until the next change of the chunk; the caller copies at once.
    func bytes(from index: Int, atMost limit: Int) -> UnsafeRawBufferPointer {
        let start = min(max(0, index), self.count)
        let end = min(start + limit, self.count)
        return UnsafeRawBufferPointer(rebasing: self.memory[start..<end])
    }

    func cut(to position: Int) {
        self.count = min(self.count, max(0, position - self.start))
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

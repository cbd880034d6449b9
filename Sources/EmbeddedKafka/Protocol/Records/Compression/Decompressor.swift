internal import NIOCore

/// Why the compressed records of a batch can't be read.
enum DecompressionError: Error, Hashable {
    /// The codec isn't built in: gzip and zstd.
    case unsupported
    /// The bytes are not what the format asks.
    case malformed
    /// More would come out than the limit allows.
    case tooLarge
}

/// Reads compressed records, which the broker needs for times inside a batch, for compaction and for keys.
///
/// Fetching and producing never come here: batches are stored as they came. Snappy and LZ4 have small decoders of their
/// own; for gzip and zstd the caller treats the batch as a whole, until a codec is added to ``decompress(_:compression:limit:)``.
enum Decompressor {
    /// The most that may come out of one batch, in bytes. A few bytes of a crafted batch would otherwise fill the memory.
    static let defaultLimit = 64 << 20

    static func decompress(
        _ bytes: ByteBuffer,
        compression: RecordBatchHeader.Compression,
        limit: Int = defaultLimit
    ) throws(DecompressionError) -> ByteBuffer {
        switch compression {
        case .none: return bytes
        case .snappy: return try Snappy.decompress(bytes, limit: limit)
        case .lz4: return try LZ4.decompress(bytes, limit: limit)
        case .gzip, .zstd: throw .unsupported
        }
    }
}

/// What a decoder of the Lempel-Ziv family writes: bytes as they are, and copies of what was written before.
struct DecompressedBytes {
    private(set) var buffer = ByteBuffer()
    /// The most that may be written, in bytes.
    let limit: Int

    init(limit: Int) {
        self.limit = limit
    }

    var count: Int { self.buffer.writerIndex }

    mutating func literal(_ source: inout ByteBuffer, count: Int) throws(DecompressionError) {
        guard count >= 0, let bytes = source.readSlice(length: count) else { throw .malformed }
        guard count <= self.limit - self.count else { throw .tooLarge }
        self.buffer.writeImmutableBuffer(bytes)
    }

    /// Copies bytes that begin `distance` before the end. They may overlap what is written.
    mutating func copy(distance: Int, count: Int) throws(DecompressionError) {
        guard distance > 0, distance <= self.count, count >= 0 else { throw .malformed }
        guard count <= self.limit - self.count else { throw .tooLarge }
        let start = self.count - distance
        self.buffer.writeWithUnsafeMutableBytes(minimumWritableBytes: count) { _ in 0 }
        let end = self.count
        // The room is there, so the pointer holds what was written and what comes.
        self.buffer.withVeryUnsafeMutableBytes { bytes in
            if distance >= count {
                let source = UnsafeRawBufferPointer(rebasing: bytes[start..<start + count])
                UnsafeMutableRawBufferPointer(rebasing: bytes[end..<end + count]).copyMemory(from: source)
            } else {
                for index in 0..<count { bytes[end + index] = bytes[start + index] }
            }
        }
        self.buffer.moveWriterIndex(forwardBy: count)
    }
}

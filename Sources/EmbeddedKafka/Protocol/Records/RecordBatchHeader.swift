internal import NIOCore

/// The header of a record batch of format 2 (protocol guide, "Record Batch"), 61 bytes.
///
/// Batches are stored as they come: only the base offset and the leader epoch, which the checksum does not cover, are
/// written anew; the records behind the header are not touched.
struct RecordBatchHeader: Hashable, Sendable {
    /// The bytes of the header.
    static let size = 61
    /// The bytes before those that the length field counts: base offset and the length itself.
    static let lengthOverhead = 12
    /// Where the bytes begin that the checksum covers.
    static let checksumStart = 21

    // Bits of the attributes; the lowest three are the compression.
    static let compressionBits: Int16 = 0x07
    static let logAppendTimeBit: Int16 = 0x08
    static let transactionalBit: Int16 = 0x10
    static let controlBit: Int16 = 0x20
    static let deleteHorizonBit: Int16 = 0x40

    enum Compression: Int16, Sendable {
        case none = 0
        case gzip = 1
        case snappy = 2
        case lz4 = 3
        case zstd = 4
    }

    var baseOffset: Int64
    /// The whole batch, header included, in bytes.
    var size: Int
    var leaderEpoch: Int32
    var checksum: UInt32
    var attributes: Int16
    /// The last record's offset less the base offset.
    var lastOffsetDelta: Int32
    /// Milliseconds since 1970.
    var baseTimestamp: Int64
    /// Milliseconds since 1970.
    var maxTimestamp: Int64
    /// -1: none.
    var producerID: Int64
    var producerEpoch: Int16
    /// -1: none.
    var baseSequence: Int32
    var recordCount: Int32

    var lastOffset: Int64 { self.baseOffset &+ Int64(self.lastOffsetDelta) }
    var nextOffset: Int64 { self.lastOffset &+ 1 }
    /// `nil` for a number that no codec has.
    var compression: Compression? { Compression(rawValue: self.attributes & Self.compressionBits) }
    var usesLogAppendTime: Bool { self.attributes & Self.logAppendTimeBit != 0 }
    var isTransactional: Bool { self.attributes & Self.transactionalBit != 0 }
    var isControl: Bool { self.attributes & Self.controlBit != 0 }
    /// Whether the base timestamp is the time at which tombstones and needless markers in the batch may go (KIP-534).
    var hasDeleteHorizon: Bool { self.attributes & Self.deleteHorizonBit != 0 }
    var hasProducer: Bool { self.producerID >= 0 }
    /// Sequences count to 2^31 - 1 and begin again at 0.
    var lastSequence: Int32 {
        self.baseSequence < 0 ? -1 : Int32((Int64(self.baseSequence) + Int64(self.lastOffsetDelta)) & 0x7fff_ffff)
    }

    /// Reads the header of the batch at an index of the buffer, without a look at the checksum.
    /// - Returns: `nil` when fewer bytes are there than a header has, the length can't be, or the format is not 2.
    init?(_ buffer: ByteBuffer, at index: Int) {
        guard index >= buffer.readerIndex, index <= buffer.writerIndex else { return nil }
        var bytes = buffer
        bytes.moveReaderIndex(to: index)
        guard
            let (baseOffset, length, leaderEpoch, magic, checksum, attributes, lastOffsetDelta) =
                bytes.readMultipleIntegers(as: (Int64, Int32, Int32, Int8, UInt32, Int16, Int32).self),
            let (baseTimestamp, maxTimestamp, producerID, producerEpoch, baseSequence, recordCount) =
                bytes.readMultipleIntegers(as: (Int64, Int64, Int64, Int16, Int32, Int32).self),
            magic == 2, Int(length) + Self.lengthOverhead >= Self.size
        else { return nil }
        self.baseOffset = baseOffset
        self.size = Int(length) + Self.lengthOverhead
        self.leaderEpoch = leaderEpoch
        self.checksum = checksum
        self.attributes = attributes
        self.lastOffsetDelta = lastOffsetDelta
        self.baseTimestamp = baseTimestamp
        self.maxTimestamp = maxTimestamp
        self.producerID = producerID
        self.producerEpoch = producerEpoch
        self.baseSequence = baseSequence
        self.recordCount = recordCount
    }

    /// The format of the batch or message at an index: 2 is the only one that is served, 0 and 1 are older.
    static func magic(_ buffer: ByteBuffer, at index: Int) -> Int8? {
        buffer.getInteger(at: index + 16)
    }
}

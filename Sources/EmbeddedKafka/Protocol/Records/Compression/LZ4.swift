internal import NIOCore

/// Reads the frame format of LZ4, version 1. Its checksums are skipped: the checksum of the batch covers the bytes already.
enum LZ4 {
    private static let magic: UInt32 = 0x184d_2204

    static func decompress(_ bytes: ByteBuffer, limit: Int) throws(DecompressionError) -> ByteBuffer {
        var source = bytes
        var output = DecompressedBytes(limit: limit)
        guard source.readInteger(endianness: .little, as: UInt32.self) == self.magic,
            let (flags, _) = source.readMultipleIntegers(as: (UInt8, UInt8).self), flags >> 6 == 1
        else { throw .malformed }
        let hasBlockChecksum = flags & 0x10 != 0
        let hasContentSize = flags & 0x08 != 0
        let hasDictionary = flags & 0x01 != 0
        // A dictionary is agreed outside of the frame; Kafka has none.
        guard !hasDictionary, source.readSlice(length: (hasContentSize ? 8 : 0) + 1) != nil else { throw .malformed }
        while true {
            guard let word = source.readInteger(endianness: .little, as: UInt32.self) else { throw .malformed }
            if word == 0 { return output.buffer }
            guard var block = source.readSlice(length: Int(word & 0x7fff_ffff)) else { throw .malformed }
            if word >> 31 == 1 {
                try output.literal(&block, count: block.readableBytes)
            } else {
                try self.readBlock(&block, into: &output)
            }
            if hasBlockChecksum, source.readSlice(length: 4) == nil { throw .malformed }
        }
    }

    /// A block: sequences of literals and a copy each; the last one has literals only.
    private static func readBlock(
        _ source: inout ByteBuffer,
        into output: inout DecompressedBytes
    ) throws(DecompressionError) {
        while let token = source.readInteger(as: UInt8.self) {
            let literals = try self.readLength(Int(token >> 4), &source)
            try output.literal(&source, count: literals)
            if source.readableBytes == 0 { return }
            guard let distance = source.readInteger(endianness: .little, as: UInt16.self) else { throw .malformed }
            let count = try self.readLength(Int(token & 15), &source) + 4
            try output.copy(distance: Int(distance), count: count)
        }
    }

    /// Fifteen means that bytes follow which add to it, up to the first that is not 255.
    private static func readLength(_ start: Int, _ source: inout ByteBuffer) throws(DecompressionError) -> Int {
        var length = start
        guard start == 15 else { return length }
        while true {
            guard let byte = source.readInteger(as: UInt8.self) else { throw .malformed }
            length += Int(byte)
            if byte < 255 { return length }
        }
    }
}

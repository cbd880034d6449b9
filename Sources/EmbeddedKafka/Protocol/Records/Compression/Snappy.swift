internal import NIOCore

/// Reads Snappy: the raw block format, and the framing of snappy-java ("xerial") that Java clients write, in which blocks
/// follow a header and have a length each.
enum Snappy {
    /// 0x82, "SNAPPY", 0; then two versions of four bytes each.
    private static let xerialMagic: UInt64 = 0x8253_4e41_5050_5900

    static func decompress(_ bytes: ByteBuffer, limit: Int) throws(DecompressionError) -> ByteBuffer {
        var source = bytes
        var output = DecompressedBytes(limit: limit)
        guard source.getInteger(at: source.readerIndex, as: UInt64.self) == self.xerialMagic else {
            try self.readBlock(&source, into: &output)
            return output.buffer
        }
        guard source.readSlice(length: 16) != nil else { throw .malformed }
        while source.readableBytes > 0 {
            guard let length = source.readInteger(as: Int32.self), length >= 0,
                var block = source.readSlice(length: Int(length))
            else { throw .malformed }
            try self.readBlock(&block, into: &output)
        }
        return output.buffer
    }

    /// A block: the length of what comes out, then elements, each of which is a literal or a copy.
    private static func readBlock(
        _ source: inout ByteBuffer,
        into output: inout DecompressedBytes
    ) throws(DecompressionError) {
        let length = try self.readLength(&source)
        guard length <= output.limit - output.count else { throw .tooLarge }
        let end = output.count + length
        while let tag = source.readInteger(as: UInt8.self) {
            let high = Int(tag >> 2)
            switch tag & 3 {
            case 0:
                let count = high < 60 ? high : try self.readInteger(&source, bytes: high - 59)
                guard count < end - output.count else { throw .malformed }
                try output.literal(&source, count: count + 1)
            case 1:
                let distance = Int(tag >> 5) << 8 | (try self.readInteger(&source, bytes: 1))
                try self.copy(distance: distance, count: (high & 7) + 4, end: end, into: &output)
            case 2:
                let distance = try self.readInteger(&source, bytes: 2)
                try self.copy(distance: distance, count: high + 1, end: end, into: &output)
            default:
                let distance = try self.readInteger(&source, bytes: 4)
                try self.copy(distance: distance, count: high + 1, end: end, into: &output)
            }
        }
        guard output.count == end else { throw .malformed }
    }

    private static func copy(
        distance: Int,
        count: Int,
        end: Int,
        into output: inout DecompressedBytes
    ) throws(DecompressionError) {
        guard count <= end - output.count else { throw .malformed }
        try output.copy(distance: distance, count: count)
    }

    private static func readLength(_ source: inout ByteBuffer) throws(DecompressionError) -> Int {
        var value = 0
        for shift in stride(from: 0, through: 28, by: 7) {
            guard let byte = source.readInteger(as: UInt8.self) else { throw .malformed }
            value |= Int(byte & 0x7f) << shift
            if byte & 0x80 == 0 { return value }
        }
        throw .malformed
    }

    private static func readInteger(_ source: inout ByteBuffer, bytes: Int) throws(DecompressionError) -> Int {
        var value = 0
        for index in 0..<bytes {
            guard let byte = source.readInteger(as: UInt8.self) else { throw .malformed }
            value |= Int(byte) << (8 * index)
        }
        return value
    }
}

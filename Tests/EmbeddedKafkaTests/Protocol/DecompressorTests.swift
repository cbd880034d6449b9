import NIOCore
import Testing

@testable import EmbeddedKafka

@Suite("Compressed records are read")
struct DecompressorTests {
    static let all: [(name: String, compression: RecordBatchHeader.Compression, bytes: ByteBuffer, text: String)] =
        [
            ("snappy", .snappy, CompressedVectors.snappySmall, CompressedVectors.text(30)),
            ("snappy in frames", .snappy, CompressedVectors.xerialSmall, CompressedVectors.text(30)),
            ("lz4", .lz4, CompressedVectors.lz4Small, CompressedVectors.text(30)),
            (
                "lz4, stored", .lz4, CompressedVectors.lz4Stored,
                String(decoding: Array(0..<64 as Range<UInt8>), as: UTF8.self)
            ),
            ("lz4, independent", .lz4, CompressedVectors.lz4Independent, DecompressorTests.large),
            ("lz4, linked", .lz4, CompressedVectors.lz4Linked, DecompressorTests.large),
        ]
    static let large = String(repeating: CompressedVectors.text(60), count: 120)

    @Test("What the reference implementations write", arguments: all.indices)
    func vectors(index: Int) throws {
        let vector = Self.all[index]
        let output = try Decompressor.decompress(vector.bytes, compression: vector.compression)
        #expect(String(buffer: output) == vector.text, "\(vector.name)")
        // Also as a slice of something larger.
        var message = ByteBuffer(string: "before")
        message.writeImmutableBuffer(vector.bytes)
        message.moveReaderIndex(forwardBy: 6)
        #expect(try Decompressor.decompress(message, compression: vector.compression) == output)
    }

    @Test("Elements that small texts don't have")
    func elements() throws {
        // Length 80; a literal of 70 bytes with its length in one byte; a copy of 10 with a distance in four bytes.
        var bytes = ByteBuffer(bytes: [80, 60 << 2, 69] + [UInt8](0..<70))
        bytes.writeBytes([9 << 2 | 3, 70, 0, 0, 0])
        let output = try Decompressor.decompress(bytes, compression: .snappy)
        #expect(Array(output.readableBytesView) == Array(0..<70) + Array(0..<10))
        // A copy that overlaps what it writes: ab, then eight more.
        let run = ByteBuffer(bytes: [10, 1 << 2, 97, 98, 4 << 2 | 1, 2])
        #expect(try String(buffer: Decompressor.decompress(run, compression: .snappy)) == "ababababab")
    }

    @Test("Nothing grows beyond the limit, and it is seen before the bytes are made", arguments: all.indices)
    func limit(index: Int) {
        let vector = Self.all[index]
        let count = vector.text.utf8.count
        #expect(throws: Never.self) {
            try Decompressor.decompress(vector.bytes, compression: vector.compression, limit: count)
        }
        #expect(throws: DecompressionError.tooLarge) {
            try Decompressor.decompress(vector.bytes, compression: vector.compression, limit: count - 1)
        }
    }

    @Test("Bytes that end early or are changed are refused or read, and nothing traps", arguments: all.indices)
    func malformed(index: Int) {
        let vector = Self.all[index]
        var generator = Seeded(UInt64(index))
        for length in 0..<vector.bytes.readableBytes - 9 {
            let bytes = vector.bytes.getSlice(at: 0, length: length) ?? ByteBuffer()
            let output = try? Decompressor.decompress(bytes, compression: vector.compression)
            #expect(output.map { String(buffer: $0) } != vector.text)
        }
        for _ in 0..<2_000 {
            var bytes = vector.bytes
            for _ in 0..<3 {
                bytes.setInteger(
                    UInt8.random(in: .min ... .max, using: &generator),
                    at: Int.random(in: 0..<bytes.readableBytes, using: &generator)
                )
            }
            let output = try? Decompressor.decompress(bytes, compression: vector.compression, limit: 1 << 18)
            #expect(output.map { $0.readableBytes <= 1 << 18 } ?? true)
        }
    }

    @Test("Gzip and zstd are said to be unknown", arguments: [RecordBatchHeader.Compression.gzip, .zstd])
    func unsupported(compression: RecordBatchHeader.Compression) {
        #expect(throws: DecompressionError.unsupported) {
            try Decompressor.decompress(ByteBuffer(), compression: compression)
        }
    }

    @Test("Varints of every size go both ways, and their size is known")
    func varints() throws {
        for shift in 0..<64 {
            for value in [
                Int64(1) << shift, (Int64(1) << shift) &- 1, -((Int64(1) << shift) >> 1), ~(Int64(1) << shift),
            ] {
                var bytes = ByteBuffer()
                bytes.writeVarint(value)
                #expect(bytes.readableBytes == ByteBuffer.varintSize(value))
                #expect(bytes.readVarint() == value)
            }
        }
        var long = ByteBuffer(repeating: 0xff, count: 10)
        #expect(long.readVarint() == nil)
    }
}

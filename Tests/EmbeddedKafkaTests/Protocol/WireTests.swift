import NIOCore
import Testing

@testable import EmbeddedKafka

@Suite("Wire primitives")
struct WireTests {
    @Test("The check value of CRC-32C, and every length around a step", arguments: 0...40)
    func checksum(length: Int) {
        #expect(Array("123456789".utf8).withUnsafeBytes(CRC32C.checksum) == 0xe306_9283)
        let bytes = (0..<length).map { UInt8(truncatingIfNeeded: $0 &* 37) }
        var plain: UInt32 = ~0
        for byte in bytes {
            plain ^= UInt32(byte)
            for _ in 0..<8 { plain = plain & 1 == 1 ? plain >> 1 ^ 0x82f6_3b78 : plain >> 1 }
        }
        #expect(bytes.withUnsafeBytes(CRC32C.checksum) == ~plain)
    }

    @Test("What is written is read back, in both forms", arguments: [false, true])
    func roundTrip(isFlexible: Bool) throws {
        var writer = WireWriter(isFlexible: isFlexible)
        writer.int8(-1)
        writer.int64(.min)
        writer.string("größe")
        writer.string(nil)
        writer.bytes(ByteBuffer(string: "bytes"))
        writer.bytes(nil)
        writer.strings(["a", ""])
        writer.int32s(nil)
        writer.unsignedVarint(.max)
        writer.tags()
        var reader = WireReader(writer.buffer, isFlexible: isFlexible)
        #expect(try reader.int8() == -1)
        #expect(try reader.int64() == .min)
        #expect(try reader.string() == "größe")
        #expect(try reader.nullableString() == nil)
        #expect(try reader.bytes() == ByteBuffer(string: "bytes"))
        #expect(try reader.nullableBytes() == nil)
        #expect(try reader.strings() == ["a", ""])
        #expect(try reader.nullableArray { (reader: inout WireReader) throws(WireError) in try reader.int32() } == nil)
        #expect(try reader.unsignedVarint() == .max)
        try reader.tags()
        #expect(reader.remaining == 0)
    }

    @Test("A count beyond the message is refused before room is made for it")
    func hugeCount() {
        var reader = WireReader(ByteBuffer(bytes: [0x7f, 0xff, 0xff, 0xff, 0]), isFlexible: false)
        #expect(throws: WireError.self) { _ = try reader.strings() }
    }

    @Test(
        "A varint of more than 32 bits is refused",
        arguments: [[0xff, 0xff, 0xff, 0xff, 0x1f], [0xff, 0xff, 0xff, 0xff, 0xff, 0]]
    )
    func longVarint(bytes: [UInt8]) {
        var reader = WireReader(ByteBuffer(bytes: bytes), isFlexible: true)
        #expect(throws: WireError.self) { _ = try reader.unsignedVarint() }
    }
}

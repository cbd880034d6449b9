internal import NIOCore

/// Reads the primitive types of the Kafka protocol (protocol guide, "Protocol Primitive Types").
///
/// A message version is either flexible (KIP-482: compact lengths, tagged fields) or not; the reader is told once and picks
/// the form of strings, arrays and bytes by itself. Whatever the bytes say, nothing is allocated that they do not hold:
/// a count is checked against what is left before room is made for it.
struct WireReader {
    private var buffer: ByteBuffer
    /// Whether the message has compact lengths and tagged fields.
    let isFlexible: Bool

    init(_ buffer: ByteBuffer, isFlexible: Bool) {
        self.buffer = buffer
        self.isFlexible = isFlexible
    }

    /// How many bytes are left.
    var remaining: Int { self.buffer.readableBytes }

    /// The same position, read in the other form. A request's header and its body may differ.
    func with(isFlexible: Bool) -> WireReader {
        WireReader(self.buffer, isFlexible: isFlexible)
    }

    // MARK: Numbers

    mutating func integer<Integer: FixedWidthInteger>(as type: Integer.Type = Integer.self) throws(WireError) -> Integer
    {
        guard let value = self.buffer.readInteger(as: type) else { throw Self.endsEarly }
        return value
    }

    mutating func int8() throws(WireError) -> Int8 { try self.integer() }
    mutating func int16() throws(WireError) -> Int16 { try self.integer() }
    mutating func int32() throws(WireError) -> Int32 { try self.integer() }
    mutating func int64() throws(WireError) -> Int64 { try self.integer() }
    mutating func bool() throws(WireError) -> Bool { try self.integer(as: Int8.self) != 0 }

    mutating func unsignedVarint() throws(WireError) -> UInt32 {
        var value: UInt32 = 0
        for shift in stride(from: UInt32(0), through: 28, by: 7) {
            let byte: UInt8 = try self.integer()
            if shift == 28, byte > 0x0f { break }
            value |= UInt32(byte & 0x7f) << shift
            if byte & 0x80 == 0 { return value }
        }
        throw WireError("a varint is longer than 32 bits")
    }

    // MARK: Strings and bytes

    mutating func string() throws(WireError) -> String {
        guard let string = try self.nullableString() else { throw WireError("a string is null that must not be") }
        return string
    }

    mutating func nullableString() throws(WireError) -> String? {
        let length = self.isFlexible ? try self.compactLength() : Int(try self.int16())
        guard length >= 0 else { return nil }
        guard length <= Int(Int16.max) else { throw WireError("a string of \(length) bytes") }
        guard let bytes = self.buffer.readSlice(length: length) else { throw Self.endsEarly }
        guard let string = String(validating: bytes.readableBytesView, as: UTF8.self) else {
            throw WireError("a string is not UTF-8")
        }
        return string
    }

    mutating func bytes() throws(WireError) -> ByteBuffer {
        guard let bytes = try self.nullableBytes() else { throw WireError("bytes are null that must not be") }
        return bytes
    }

    /// Bytes, or a record set: the two have the same form. Shares the memory of the message.
    mutating func nullableBytes() throws(WireError) -> ByteBuffer? {
        let length = self.isFlexible ? try self.compactLength() : Int(try self.int32())
        guard length >= 0 else { return nil }
        guard let bytes = self.buffer.readSlice(length: length) else { throw Self.endsEarly }
        return bytes
    }

    /// A universally unique id, as its two halves.
    mutating func uuid() throws(WireError) -> WireUUID {
        WireUUID(high: try self.integer(), low: try self.integer())
    }

    // MARK: Arrays

    mutating func array<Element>(
        _ element: (inout WireReader) throws(WireError) -> Element
    ) throws(WireError) -> [Element] {
        guard let elements = try self.nullableArray(element) else {
            throw WireError("an array is null that may not be")
        }
        return elements
    }

    mutating func nullableArray<Element>(
        _ element: (inout WireReader) throws(WireError) -> Element
    ) throws(WireError) -> [Element]? {
        let count = self.isFlexible ? try self.compactLength() : Int(try self.int32())
        guard count >= 0 else { return nil }
        // Every element takes a byte at least, so a count beyond what is left is a lie.
        guard count <= self.remaining else { throw Self.endsEarly }
        var elements: [Element] = []
        elements.reserveCapacity(min(count, 1024))
        for _ in 0..<count { elements.append(try element(&self)) }
        return elements
    }

    mutating func strings() throws(WireError) -> [String] {
        try self.array { (reader: inout WireReader) throws(WireError) in try reader.string() }
    }

    mutating func int32s() throws(WireError) -> [Int32] {
        try self.array { (reader: inout WireReader) throws(WireError) in try reader.int32() }
    }

    // MARK: Tagged fields

    /// Reads the tagged fields at the end of a structure, all of which we may ignore (KIP-482). Does nothing in a version
    /// that has none.
    mutating func tags() throws(WireError) {
        guard self.isFlexible else { return }
        let count = try self.unsignedVarint()
        guard Int(count) <= self.remaining else { throw Self.endsEarly }
        for _ in 0..<count {
            _ = try self.unsignedVarint()
            let size = Int(try self.unsignedVarint())
            guard self.buffer.readSlice(length: size) != nil else { throw Self.endsEarly }
        }
    }

    /// A compact length: one more than the length, and 0 for null, which is -1 here.
    private mutating func compactLength() throws(WireError) -> Int {
        Int(try self.unsignedVarint()) - 1
    }

    private static let endsEarly = WireError("the message ends early")
}

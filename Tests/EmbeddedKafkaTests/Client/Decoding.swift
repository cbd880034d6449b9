/// Reads protocol types for tests, by the protocol guide and apart from the code under test.
struct Decoding {
    struct EndsEarly: Error {}

    private let bytes: [UInt8]
    private var position = 0
    let isFlexible: Bool

    init(_ bytes: [UInt8], isFlexible: Bool) {
        self.bytes = bytes
        self.isFlexible = isFlexible
    }

    var remaining: Int { self.bytes.count - self.position }

    mutating func int8() throws -> Int8 { Int8(truncatingIfNeeded: try self.big(1)) }
    mutating func bool() throws -> Bool { try self.int8() != 0 }
    mutating func int16() throws -> Int16 { Int16(truncatingIfNeeded: try self.big(2)) }
    mutating func int32() throws -> Int32 { Int32(truncatingIfNeeded: try self.big(4)) }
    mutating func int64() throws -> Int64 { Int64(truncatingIfNeeded: try self.big(8)) }

    mutating func string() throws -> String? {
        let length = self.isFlexible ? try self.varint() - 1 : Int(try self.int16())
        return length < 0 ? nil : String(decoding: try self.take(length), as: UTF8.self)
    }

    mutating func blob() throws -> [UInt8]? {
        let length = try self.count()
        return length < 0 ? nil : Array(try self.take(length))
    }

    /// The elements of an array, with the tagged fields of each where it is a structure.
    mutating func array<Element>(
        ofStructures: Bool = true,
        _ read: (inout Decoding) throws -> Element
    ) throws -> [Element] {
        let count = try self.count()
        guard count > 0 else { return [] }
        return try (0..<count).map { _ in
            let element = try read(&self)
            if ofStructures { try self.tags() }
            return element
        }
    }

    mutating func int32s() throws -> [Int32] { try self.array(ofStructures: false) { try $0.int32() } }

    mutating func tags() throws {
        guard self.isFlexible else { return }
        for _ in 0..<(try self.varint()) {
            _ = try self.varint()
            _ = try self.take(try self.varint())
        }
    }

    private mutating func count() throws -> Int { self.isFlexible ? try self.varint() - 1 : Int(try self.int32()) }

    private mutating func varint() throws -> Int {
        var value = 0
        for shift in stride(from: 0, through: 28, by: 7) {
            let byte = try self.big(1)
            value |= Int(byte & 0x7f) << shift
            if byte < 0x80 { break }
        }
        return value
    }

    private mutating func big(_ count: Int) throws -> UInt64 {
        try self.take(count).reduce(0) { $0 << 8 | UInt64($1) }
    }

    private mutating func take(_ count: Int) throws -> ArraySlice<UInt8> {
        guard count >= 0, count <= self.remaining else { throw EndsEarly() }
        defer { self.position += count }
        return self.bytes[self.position..<self.position + count]
    }
}

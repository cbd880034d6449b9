/// Writes protocol types for tests, by the protocol guide and apart from the code under test.
struct Encoding {
    private(set) var bytes: [UInt8] = []
    let isFlexible: Bool
    /// Whether every structure carries a tagged field that nobody knows, as a newer peer may send (KIP-482).
    let hasUnknownTags: Bool

    init(isFlexible: Bool, hasUnknownTags: Bool = false) {
        self.isFlexible = isFlexible
        self.hasUnknownTags = hasUnknownTags
    }

    mutating func int8(_ value: Int8) { self.bytes.append(UInt8(bitPattern: value)) }
    mutating func bool(_ value: Bool) { self.bytes.append(value ? 1 : 0) }
    mutating func int16(_ value: Int16) { self.big(UInt64(truncatingIfNeeded: value), count: 2) }
    mutating func int32(_ value: Int32) { self.big(UInt64(truncatingIfNeeded: value), count: 4) }
    mutating func int64(_ value: Int64) { self.big(UInt64(truncatingIfNeeded: value), count: 8) }

    mutating func string(_ value: String?) {
        guard let value else { return self.isFlexible ? self.varint(0) : self.int16(-1) }
        if self.isFlexible { self.varint(value.utf8.count + 1) } else { self.int16(Int16(value.utf8.count)) }
        self.bytes += Array(value.utf8)
    }

    mutating func blob(_ value: [UInt8]?) {
        self.count(value?.count)
        self.bytes += value ?? []
    }

    /// An array with the elements that the closure writes.
    mutating func array<Element>(_ elements: [Element]?, _ write: (inout Encoding, Element) -> Void) {
        self.count(elements?.count)
        for element in elements ?? [] { write(&self, element) }
    }

    /// An array of one structure, with its tagged fields.
    mutating func one(_ write: (inout Encoding) -> Void) {
        self.count(1)
        write(&self)
        self.tags()
    }

    mutating func strings(_ values: [String]?) { self.array(values) { $0.string($1) } }
    mutating func int32s(_ values: [Int32]?) { self.array(values) { $0.int32($1) } }

    mutating func tags() {
        guard self.isFlexible else { return }
        self.bytes += self.hasUnknownTags ? [1, 0x83, 0x01, 2, 0xaa, 0xbb] : [0]
    }

    private mutating func count(_ count: Int?) {
        if self.isFlexible { self.varint((count ?? -1) + 1) } else { self.int32(Int32(count ?? -1)) }
    }

    private mutating func varint(_ value: Int) {
        var rest = value
        while rest > 127 {
            self.bytes.append(UInt8(rest % 128) + 128)
            rest /= 128
        }
        self.bytes.append(UInt8(rest))
    }

    private mutating func big(_ value: UInt64, count: Int) {
        for index in (0..<count).reversed() { self.bytes.append(UInt8(truncatingIfNeeded: value >> (8 * index))) }
    }
}

internal import NIOCore

// The signed variable-length integers inside records: zigzag, seven bits a byte, least significant first
// (protocol guide, "Record").
extension ByteBuffer {
    mutating func writeVarint(_ value: Int64) {
        var rest = UInt64(bitPattern: value &<< 1 ^ value &>> 63)
        while rest >= 0x80 {
            self.writeInteger(UInt8(truncatingIfNeeded: rest) | 0x80)
            rest >>= 7
        }
        self.writeInteger(UInt8(truncatingIfNeeded: rest))
    }

    /// - Returns: `nil` when the bytes end early or the number has more than 64 bits.
    mutating func readVarint() -> Int64? {
        var value: UInt64 = 0
        for shift in stride(from: UInt64(0), through: 63, by: 7) {
            guard let byte = self.readInteger(as: UInt8.self) else { return nil }
            if shift == 63, byte > 1 { return nil }
            value |= UInt64(byte & 0x7f) << shift
            if byte & 0x80 == 0 { return Int64(bitPattern: value >> 1) ^ -Int64(bitPattern: value & 1) }
        }
        return nil
    }

    /// How many bytes ``writeVarint(_:)`` takes for a number.
    static func varintSize(_ value: Int64) -> Int {
        let bits = 64 - UInt64(bitPattern: value &<< 1 ^ value &>> 63).leadingZeroBitCount
        return max(1, (bits + 6) / 7)
    }
}

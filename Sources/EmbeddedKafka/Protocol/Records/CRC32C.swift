/// The Castagnoli cyclic redundancy check, which covers a record batch (RFC 3720, appendix B.4).
enum CRC32C {
    /// The checksum of the bytes.
    static func checksum(_ bytes: UnsafeRawBufferPointer) -> UInt32 {
        self.checksum(bytes, continuing: 0)
    }

    /// The checksum of all bytes before, whose checksum is known, and these.
    static func checksum(_ bytes: UnsafeRawBufferPointer, continuing previous: UInt32) -> UInt32 {
        // Eight bytes a step: eight tables, each for a byte's distance to the end of the step ("slicing by 8").
        self.tables.withUnsafeBufferPointer { tables in
            var crc: UInt32 = ~previous
            var index = 0
            let end = bytes.count & ~7
            while index < end {
                let low = UInt32(littleEndian: bytes.loadUnaligned(fromByteOffset: index, as: UInt32.self)) ^ crc
                let high = UInt32(littleEndian: bytes.loadUnaligned(fromByteOffset: index + 4, as: UInt32.self))
                crc =
                    tables[0x700 + Int(low & 0xff)] ^ tables[0x600 + Int(low >> 8 & 0xff)]
                    ^ tables[0x500 + Int(low >> 16 & 0xff)] ^ tables[0x400 + Int(low >> 24)]
                    ^ tables[0x300 + Int(high & 0xff)] ^ tables[0x200 + Int(high >> 8 & 0xff)]
                    ^ tables[0x100 + Int(high >> 16 & 0xff)] ^ tables[Int(high >> 24)]
                index += 8
            }
            while index < bytes.count {
                crc = tables[Int((crc ^ UInt32(bytes[index])) & 0xff)] ^ crc >> 8
                index += 1
            }
            return ~crc
        }
    }

    /// Table `n` begins at `n * 256` and tells what a byte adds that is followed by `n` more.
    private static let tables: [UInt32] = {
        let polynomial: UInt32 = 0x82f6_3b78
        var tables = [UInt32](repeating: 0, count: 8 * 256)
        for byte in 0..<256 {
            var crc = UInt32(byte)
            for _ in 0..<8 { crc = crc & 1 == 1 ? crc >> 1 ^ polynomial : crc >> 1 }
            tables[byte] = crc
        }
        for index in 256..<tables.count {
            let crc = tables[index - 256]
            tables[index] = tables[Int(crc & 0xff)] ^ crc >> 8
        }
        return tables
    }()
}

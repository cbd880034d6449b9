internal import EventStreaming

/// What stands before the data in a record whose schema is registered: a zero, the schema's id in four bytes, and, for Protocol
/// Buffers, the path of the message within its file (Confluent's wire format).
struct WireHeader: Hashable, Sendable {
    private static let magic: UInt8 = 0
    /// No message is nested as deeply; what says more is spoilt.
    private static let maxIndexes = 100

    var id: Int32
    /// The index of the message in its file, then of the one nested in it, and so on; `nil` for other formats.
    var messageIndexes: [Int]?

    init(id: Int32, messageIndexes: [Int]? = nil) {
        self.id = id
        self.messageIndexes = messageIndexes
    }

    /// Reads the header of a record.
    ///
    /// - Parameters:
    ///   - bytes: key or value.
    ///   - hasIndexes: whether it is of Protocol Buffers.
    /// - Returns: the header and how many bytes it has.
    static func read(_ bytes: [UInt8], hasIndexes: Bool) throws(SerdeError) -> (header: WireHeader, count: Int) {
        guard bytes.count >= 5, bytes[0] == self.magic else {
            throw SerdeError("the bytes do not begin with the id of a schema")
        }
        let id = Int32(bitPattern: bytes[1..<5].reduce(0) { $0 << 8 | UInt32($1) })
        guard hasIndexes else { return (WireHeader(id: id), 5) }
        var reader = VarintReader(bytes: bytes, position: 5)
        let count = try reader.next()
        // The first message of a file, which most are, is written as one zero.
        guard count != 0 else { return (WireHeader(id: id, messageIndexes: [0]), reader.position) }
        guard (1...self.maxIndexes).contains(count) else { throw SerdeError("the path of the message is spoilt") }
        var indexes: [Int] = []
        for _ in 0..<count { indexes.append(try reader.next()) }
        return (WireHeader(id: id, messageIndexes: indexes), reader.position)
    }

    /// The bytes.
    var bytes: [UInt8] {
        var bytes = [Self.magic] + withUnsafeBytes(of: self.id.bigEndian) { Array($0) }
        guard let messageIndexes else { return bytes }
        if messageIndexes == [0] {
            bytes.append(0)
        } else {
            for number in [messageIndexes.count] + messageIndexes { Self.append(number, to: &bytes) }
        }
        return bytes
    }

    /// A signed number in zigzag form, seven bits a byte.
    private static func append(_ number: Int, to bytes: inout [UInt8]) {
        var rest = UInt64(bitPattern: Int64((number << 1) ^ (number >> 63)))
        while rest >= 0x80 {
            bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
            rest >>= 7
        }
        bytes.append(UInt8(rest))
    }
}

/// Reads numbers in zigzag form.
private struct VarintReader {
    let bytes: [UInt8]
    var position: Int

    mutating func next() throws(SerdeError) -> Int {
        var number: UInt64 = 0
        for shift in stride(from: UInt64(0), to: 63, by: 7) {
            guard self.position < self.bytes.count else { throw SerdeError("the path of the message is cut off") }
            let byte = self.bytes[self.position]
            self.position += 1
            number |= UInt64(byte & 0x7F) << shift
            if byte < 0x80 { return Int(bitPattern: UInt(number >> 1)) ^ -Int(number & 1) }
        }
        throw SerdeError("the path of the message is spoilt")
    }
}

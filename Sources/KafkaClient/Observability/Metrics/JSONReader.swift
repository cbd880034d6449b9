/// Reads a JSON document (RFC 8259) from front to back, a value at a time, and keeps nothing of what it passes over.
///
/// Strict, and safe with any bytes: what is not JSON is a ``Failure``, nesting is bounded, and nothing traps. Names and
/// numbers cost no allocation, strings do.
struct JSONReader {
    /// Where and why a document can't be read.
    struct Failure: Error, Equatable, CustomStringConvertible {
        enum Reason: String, Equatable {
            case endOfDocument = "the document ends too early"
            case unexpectedByte = "an unexpected byte"
            case badString = "a string that is not JSON or not UTF-8"
            case badNumber = "a number that is no integer of 64 bits"
            case tooDeep = "nested too deeply"
            case trailingBytes = "something behind the end"
        }

        var reason: Reason
        /// In bytes from the start of the document.
        var position: Int

        var description: String { "\(self.reason.rawValue), at byte \(self.position)" }
    }

    /// The name of an object's member, as it stands in the document: escapes are not resolved.
    struct Name {
        fileprivate let bytes: ArraySlice<UInt8>

        static func ~= (pattern: StaticString, name: Name) -> Bool {
            guard pattern.utf8CodeUnitCount == name.bytes.count else { return false }
            return pattern.withUTF8Buffer { $0.elementsEqual(name.bytes) }
        }
    }

    private static let maxDepth = 32

    private let bytes: [UInt8]
    private var position = 0
    private var depth = 0

    init(_ bytes: [UInt8]) {
        self.bytes = bytes
    }

    // MARK: Values

    /// Reads an object.
    ///
    /// - Parameter member: called with each name; it must read the value, or skip it.
    mutating func object(
        _ member: (inout JSONReader, Name) throws(Failure) -> Void
    ) throws(Failure) {
        try self.enter("{")
        defer { self.depth -= 1 }
        if self.accept("}") { return }
        repeat {
            let name = Name(bytes: try self.rawString().bytes)
            try self.expect(":")
            try member(&self, name)
        } while try self.goesOn(until: "}")
    }

    /// Reads an integer.
    mutating func integer() throws(Failure) -> Int64 {
        let start = self.position
        let isWhole = try self.number()
        let digits = self.bytes[self.firstSignificant(from: start)..<self.position]
        guard isWhole, let value = Self.parse(digits) else {
            throw Failure(reason: .badNumber, position: start)
        }
        return value
    }

    /// Reads a string.
    mutating func string() throws(Failure) -> String {
        let (bytes, hasEscapes) = try self.rawString()
        let text =
            hasEscapes
            ? Self.unescape(bytes).flatMap { String(validating: $0, as: UTF8.self) }
            : String(validating: bytes, as: UTF8.self)
        guard let text else { throw Failure(reason: .badString, position: bytes.startIndex) }
        return text
    }

    /// Passes over a value of any kind.
    mutating func skip() throws(Failure) {
        switch try self.peek() {
        case UInt8(ascii: "{"):
            try self.object { (reader, _) throws(Failure) in try reader.skip() }
        case UInt8(ascii: "["):
            try self.enter("[")
            defer { self.depth -= 1 }
            if self.accept("]") { return }
            repeat { try self.skip() } while try self.goesOn(until: "]")
        case UInt8(ascii: "\""):
            _ = try self.rawString()
        case UInt8(ascii: "t"):
            try self.word("true")
        case UInt8(ascii: "f"):
            try self.word("false")
        case UInt8(ascii: "n"):
            try self.word("null")
        default:
            _ = try self.number()
        }
    }

    /// Checks that the document ends here.
    mutating func end() throws(Failure) {
        self.skipSpace()
        guard self.position == self.bytes.count else {
            throw Failure(reason: .trailingBytes, position: self.position)
        }
    }

    // MARK: Bytes

    private mutating func skipSpace() {
        while self.position < self.bytes.count {
            switch self.bytes[self.position] {
            case 0x20, 0x09, 0x0A, 0x0D: self.position += 1
            default: return
            }
        }
    }

    private func firstSignificant(from start: Int) -> Int {
        self.bytes[start..<self.position].firstIndex { ![0x20, 0x09, 0x0A, 0x0D].contains($0) } ?? self.position
    }

    /// The next byte that is not white space.
    private mutating func peek() throws(Failure) -> UInt8 {
        self.skipSpace()
        guard self.position < self.bytes.count else {
            throw Failure(reason: .endOfDocument, position: self.position)
        }
        return self.bytes[self.position]
    }

    private mutating func expect(_ character: Unicode.Scalar) throws(Failure) {
        guard try self.peek() == UInt8(ascii: character) else {
            throw Failure(reason: .unexpectedByte, position: self.position)
        }
        self.position += 1
    }

    private mutating func accept(_ character: Unicode.Scalar) -> Bool {
        self.skipSpace()
        guard self.position < self.bytes.count, self.bytes[self.position] == UInt8(ascii: character) else {
            return false
        }
        self.position += 1
        return true
    }

    private mutating func enter(_ character: Unicode.Scalar) throws(Failure) {
        try self.expect(character)
        guard self.depth < Self.maxDepth else { throw Failure(reason: .tooDeep, position: self.position) }
        self.depth += 1
    }

    /// Whether another element follows; otherwise the end of the object or array was read.
    private mutating func goesOn(until end: Unicode.Scalar) throws(Failure) -> Bool {
        if self.accept(",") { return true }
        try self.expect(end)
        return false
    }

    private mutating func word(_ word: StaticString) throws(Failure) {
        let length = word.utf8CodeUnitCount
        let rest = self.bytes[self.position...].prefix(length)
        guard rest.count == length else {
            throw Failure(reason: .endOfDocument, position: self.bytes.count)
        }
        guard word.withUTF8Buffer({ $0.elementsEqual(rest) }) else {
            throw Failure(reason: .unexpectedByte, position: self.position)
        }
        self.position += length
    }
}

// MARK: - Numbers

extension JSONReader {
    /// Passes over a number.
    ///
    /// - Returns: whether it has neither a fraction nor an exponent.
    private mutating func number() throws(Failure) -> Bool {
        _ = try self.peek()
        _ = self.acceptByte { $0 == UInt8(ascii: "-") }
        // No digit may follow a leading zero.
        if !self.acceptByte({ $0 == UInt8(ascii: "0") }) { try self.digits() }
        var isWhole = true
        if self.acceptByte({ $0 == UInt8(ascii: ".") }) {
            isWhole = false
            try self.digits()
        }
        if self.acceptByte({ $0 | 0x20 == UInt8(ascii: "e") }) {
            isWhole = false
            _ = self.acceptByte { $0 == UInt8(ascii: "+") || $0 == UInt8(ascii: "-") }
            try self.digits()
        }
        return isWhole
    }

    private mutating func acceptByte(_ matches: (UInt8) -> Bool) -> Bool {
        guard self.position < self.bytes.count, matches(self.bytes[self.position]) else { return false }
        self.position += 1
        return true
    }

    private mutating func digits() throws(Failure) {
        guard self.position < self.bytes.count else {
            throw Failure(reason: .endOfDocument, position: self.position)
        }
        guard self.acceptByte(Self.isDigit) else {
            throw Failure(reason: .unexpectedByte, position: self.position)
        }
        while self.acceptByte(Self.isDigit) {}
    }

    private static func isDigit(_ byte: UInt8) -> Bool {
        (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
    }

    private static func parse(_ digits: ArraySlice<UInt8>) -> Int64? {
        let isNegative = digits.first == UInt8(ascii: "-")
        var value: Int64 = 0
        for digit in isNegative ? digits.dropFirst() : digits {
            let (tens, overflow) = value.multipliedReportingOverflow(by: 10)
            // Downwards, since there is one more negative number.
            let (next, overflow2) = tens.subtractingReportingOverflow(Int64(digit) - 0x30)
            if overflow || overflow2 { return nil }
            value = next
        }
        if isNegative { return value }
        return value == .min ? nil : -value
    }
}

// MARK: - Strings

extension JSONReader {
    /// Passes over a string; the answer is what stands between its quotes.
    private mutating func rawString() throws(Failure) -> (bytes: ArraySlice<UInt8>, hasEscapes: Bool) {
        try self.expect("\"")
        let start = self.position
        var hasEscapes = false
        while self.position < self.bytes.count {
            switch self.bytes[self.position] {
            case UInt8(ascii: "\""):
                defer { self.position += 1 }
                return (self.bytes[start..<self.position], hasEscapes)
            case UInt8(ascii: "\\"):
                hasEscapes = true
                self.position += 2
            case 0..<0x20:
                throw Failure(reason: .badString, position: self.position)
            default:
                self.position += 1
            }
        }
        throw Failure(reason: .endOfDocument, position: self.bytes.count)
    }

    /// Resolves the escapes of a string; `nil` when one is none of JSON's.
    private static func unescape(_ bytes: ArraySlice<UInt8>) -> [UInt8]? {
        var result: [UInt8] = []
        result.reserveCapacity(bytes.count)
        var rest = bytes
        while let byte = rest.popFirst() {
            guard byte == UInt8(ascii: "\\") else {
                result.append(byte)
                continue
            }
            guard let escape = rest.popFirst() else { return nil }
            switch escape {
            case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): result.append(escape)
            case UInt8(ascii: "b"): result.append(0x08)
            case UInt8(ascii: "f"): result.append(0x0C)
            case UInt8(ascii: "n"): result.append(0x0A)
            case UInt8(ascii: "r"): result.append(0x0D)
            case UInt8(ascii: "t"): result.append(0x09)
            case UInt8(ascii: "u"):
                guard let scalar = self.scalar(&rest) else { return nil }
                result.append(contentsOf: String(Character(scalar)).utf8)
            default: return nil
            }
        }
        return result
    }

    /// The character behind `\u`, of one or two code units of UTF-16.
    private static func scalar(_ rest: inout ArraySlice<UInt8>) -> Unicode.Scalar? {
        guard let unit = self.codeUnit(&rest) else { return nil }
        guard UTF16.isLeadSurrogate(unit) else { return Unicode.Scalar(UInt32(unit)) }
        guard rest.popFirst() == UInt8(ascii: "\\"), rest.popFirst() == UInt8(ascii: "u"),
            let trail = self.codeUnit(&rest), UTF16.isTrailSurrogate(trail)
        else { return nil }
        return Unicode.Scalar(0x1_0000 + UInt32(unit & 0x3FF) << 10 + UInt32(trail & 0x3FF))
    }

    private static func codeUnit(_ rest: inout ArraySlice<UInt8>) -> UInt16? {
        let digits = rest.prefix(4)
        rest = rest.dropFirst(4)
        guard digits.count == 4, digits.allSatisfy({ Character(Unicode.Scalar($0)).isHexDigit }) else { return nil }
        return UInt16(String(decoding: digits, as: UTF8.self), radix: 16)
    }
}

/// A JSON value as it stands in a file.
///
/// Numbers stay text: what is asked for are whole numbers, and a detour through floating point would change large ones.
enum JSONValue {
    case null
    case bool
    case number(String)
    case string(String)
    case array([JSONValue])
    case object([(key: String, value: JSONValue)])
}

/// Reads JSON by the letter of RFC 8259: no comma after the last member, no member twice, no half of a surrogate pair.
///
/// Foundation's reader lets these pass, and takes the one or the other of two members of the same name: a command that
/// may mean two things is better refused.
struct JSONReader {
    /// How deep arrays and objects may stand in each other.
    static let maximumDepth = 100

    private let bytes: [UInt8]
    private var position = 0
    private var depth = 0

    /// The value that the text is.
    /// - Throws: ``JSONFailure`` that names the column in bytes, counted from 1.
    static func value(of text: some Collection<UInt8>) throws(JSONFailure) -> JSONValue {
        guard String(validating: text, as: UTF8.self) != nil else { throw JSONFailure(reason: "it is not UTF-8") }
        var reader = JSONReader(bytes: Array(text))
        let value = try reader.value()
        reader.skipBlanks()
        guard reader.position == reader.bytes.count else { throw reader.failure("more follows the value") }
        return value
    }

    private init(bytes: [UInt8]) {
        self.bytes = bytes
    }

    private func failure(_ reason: String) -> JSONFailure {
        let end = self.position >= self.bytes.count
        return JSONFailure(reason: "it is not JSON: \(end ? "it ends too early" : reason), column \(self.position + 1)")
    }

    // MARK: Values

    private mutating func value() throws(JSONFailure) -> JSONValue {
        self.skipBlanks()
        switch self.next {
        case UInt8(ascii: "{"): return try self.object()
        case UInt8(ascii: "["): return try self.array()
        case UInt8(ascii: "\""): return .string(try self.string())
        case UInt8(ascii: "t"): return try self.word("true", .bool)
        case UInt8(ascii: "f"): return try self.word("false", .bool)
        case UInt8(ascii: "n"): return try self.word("null", .null)
        default: return try self.number()
        }
    }

    private mutating func object() throws(JSONFailure) -> JSONValue {
        try self.descend()
        var members: [(key: String, value: JSONValue)] = []
        // Bytes, since two strings that differ in Unicode's forms are one `String`, and two names in JSON.
        var names: Set<[UInt8]> = []
        self.skipBlanks()
        while !self.take("}") {
            if !members.isEmpty {
                guard self.take(",") else { throw self.failure("expected a comma or a closing brace") }
                self.skipBlanks()
            }
            guard self.next == UInt8(ascii: "\"") else { throw self.failure("expected a name in double quotes") }
            let key = try self.string()
            guard names.insert(Array(key.utf8)).inserted else {
                throw JSONFailure(reason: "\(key.prefix(40)) is there twice in the same object")
            }
            self.skipBlanks()
            guard self.take(":") else { throw self.failure("expected a colon") }
            members.append((key, try self.value()))
            self.skipBlanks()
        }
        self.depth -= 1
        return .object(members)
    }

    private mutating func array() throws(JSONFailure) -> JSONValue {
        try self.descend()
        var values: [JSONValue] = []
        self.skipBlanks()
        while !self.take("]") {
            if !values.isEmpty {
                guard self.take(",") else { throw self.failure("expected a comma or a closing bracket") }
            }
            values.append(try self.value())
            self.skipBlanks()
        }
        self.depth -= 1
        return .array(values)
    }

    private mutating func descend() throws(JSONFailure) {
        self.position += 1
        self.depth += 1
        guard self.depth <= Self.maximumDepth else {
            throw JSONFailure(reason: "it is nested deeper than \(Self.maximumDepth) levels")
        }
    }

    private mutating func word(_ word: StaticString, _ value: JSONValue) throws(JSONFailure) -> JSONValue {
        for byte in word.description.utf8 {
            guard self.next == byte else { throw self.failure("expected a value") }
            self.position += 1
        }
        return value
    }

    private mutating func number() throws(JSONFailure) -> JSONValue {
        let start = self.position
        _ = self.take("-")
        if !self.take("0") { try self.digits() }
        if self.take(".") { try self.digits() }
        if self.take("e") || self.take("E") {
            if !self.take("+") { _ = self.take("-") }
            try self.digits()
        }
        return .number(String(decoding: self.bytes[start..<self.position], as: UTF8.self))
    }

    private mutating func digits() throws(JSONFailure) {
        let start = self.position
        while let byte = self.next, (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) { self.position += 1 }
        guard self.position > start else { throw self.failure("expected a value") }
    }

    // MARK: Strings

    private mutating func string() throws(JSONFailure) -> String {
        self.position += 1
        var text: [UInt8] = []
        while let byte = self.next {
            switch byte {
            case UInt8(ascii: "\""):
                self.position += 1
                return String(decoding: text, as: UTF8.self)
            case UInt8(ascii: "\\"):
                self.position += 1
                try self.escape(into: &text)
            case ..<0x20:
                throw self.failure("a control character in a string")
            default:
                self.position += 1
                text.append(byte)
            }
        }
        throw self.failure("")
    }

    private mutating func escape(into text: inout [UInt8]) throws(JSONFailure) {
        switch self.next {
        case let byte? where [UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/")].contains(byte):
            text.append(byte)
        case UInt8(ascii: "b"): text.append(0x08)
        case UInt8(ascii: "f"): text.append(0x0C)
        case UInt8(ascii: "n"): text.append(0x0A)
        case UInt8(ascii: "r"): text.append(0x0D)
        case UInt8(ascii: "t"): text.append(0x09)
        case UInt8(ascii: "u"):
            self.position += 1
            text.append(contentsOf: String(Character(try self.escapedScalar())).utf8)
            return
        default: throw self.failure("an escape that JSON does not have")
        }
        self.position += 1
    }

    private mutating func escapedScalar() throws(JSONFailure) -> Unicode.Scalar {
        let first = try self.codeUnit()
        if let scalar = Unicode.Scalar(first) { return scalar }
        guard UTF16.isLeadSurrogate(UInt16(first)), self.take("\\"), self.take("u") else {
            throw self.failure("half of a surrogate pair")
        }
        let second = try self.codeUnit()
        guard UTF16.isTrailSurrogate(UInt16(second)),
            let scalar = Unicode.Scalar(0x10000 + ((first - 0xD800) << 10) + (second - 0xDC00))
        else { throw self.failure("half of a surrogate pair") }
        return scalar
    }

    private mutating func codeUnit() throws(JSONFailure) -> UInt32 {
        var value: UInt32 = 0
        for _ in 0..<4 {
            guard let byte = self.next, let digit = Character(Unicode.Scalar(byte)).hexDigitValue else {
                throw self.failure("expected four hexadecimal digits")
            }
            value = value << 4 + UInt32(digit)
            self.position += 1
        }
        return value
    }

    // MARK: Bytes

    private var next: UInt8? { self.position < self.bytes.count ? self.bytes[self.position] : nil }

    private mutating func take(_ character: Unicode.Scalar) -> Bool {
        guard self.next == UInt8(ascii: character) else { return false }
        self.position += 1
        return true
    }

    private mutating func skipBlanks() {
        while let byte = self.next, byte == 0x20 || byte == 0x09 || byte == 0x0A || byte == 0x0D { self.position += 1 }
    }
}

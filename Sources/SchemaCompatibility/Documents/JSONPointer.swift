/// Where something is in a JSON document (RFC 6901).
struct JSONPointer: Sendable, Hashable {
    /// The pointer as text, empty for the document itself.
    private(set) var description = ""

    /// The document itself.
    init() {}

    /// Reads a pointer; `nil` for what is none.
    init?(_ text: String) {
        self.description = text
        guard text.isEmpty || text.hasPrefix("/"), self.tokens != nil else { return nil }
    }

    /// A place within.
    func appending(_ token: String) -> JSONPointer {
        var copy = self
        copy.description += "/"
        if token.utf8.contains(where: { $0 == UInt8(ascii: "~") || $0 == UInt8(ascii: "/") }) {
            copy.description += String(decoding: token.utf8.flatMap(Self.escaped), as: UTF8.self)
        } else {
            copy.description += token
        }
        return copy
    }

    /// The names and indexes on the way; `nil` where it is no pointer.
    var tokens: [String]? {
        var tokens: [String] = []
        for part in self.description.utf8.split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false)
            .dropFirst()
        {
            guard let token = Self.unescaped(part) else { return nil }
            tokens.append(token)
        }
        return tokens
    }

    /// Whether it is the document itself.
    var isEmpty: Bool { self.description.isEmpty }

    /// The last name or index.
    var last: String { self.tokens?.last ?? "" }

    private static func escaped(_ byte: UInt8) -> [UInt8] {
        switch byte {
        case UInt8(ascii: "~"): Array("~0".utf8)
        case UInt8(ascii: "/"): Array("~1".utf8)
        default: [byte]
        }
    }

    /// `~1` is a slash, `~0` a tilde; nothing else follows a tilde.
    private static func unescaped(_ part: Substring.UTF8View) -> String? {
        var bytes: [UInt8] = []
        var rest = part[...]
        while let byte = rest.popFirst() {
            guard byte == UInt8(ascii: "~") else {
                bytes.append(byte)
                continue
            }
            switch rest.popFirst() {
            case UInt8(ascii: "0"): bytes.append(UInt8(ascii: "~"))
            case UInt8(ascii: "1"): bytes.append(UInt8(ascii: "/"))
            default: return nil
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}

extension JSONPointer: CustomStringConvertible {}

extension JSONValue {
    /// What is at a place in the value.
    subscript(pointer: JSONPointer) -> JSONValue? {
        guard let tokens = pointer.tokens else { return nil }
        var value = self
        for token in tokens {
            switch value {
            case .object(let members):
                guard let member = members[token] else { return nil }
                value = member
            case .array(let elements):
                guard let index = Int(token), elements.indices.contains(index), "\(index)" == token else { return nil }
                value = elements[index]
            default:
                return nil
            }
        }
        return value
    }
}

extension String {
    /// The text of a part of an address, where `%2F` is a slash; `nil` for what is none.
    var percentDecoded: String? {
        var bytes: [UInt8] = []
        var rest = self.utf8[...]
        while let byte = rest.popFirst() {
            guard byte == UInt8(ascii: "%") else {
                bytes.append(byte)
                continue
            }
            let digits = String(decoding: rest.prefix(2), as: UTF8.self)
            guard digits.utf8.count == 2, !digits.hasPrefix("+"), let decoded = UInt8(digits, radix: 16) else {
                return nil
            }
            bytes.append(decoded)
            rest = rest.dropFirst(2)
        }
        return String(validating: bytes, as: UTF8.self)
    }
}

#if canImport(FoundationEssentials)
internal import FoundationEssentials
#else
internal import Foundation
#endif

/// A JSON value, with numbers as they are written.
enum JSONValue: Sendable, Hashable {
    case null
    case boolean(Bool)
    case number(Decimal)
    case string(String)
    case array([JSONValue])
    case object([String: JSONValue])

    /// Reads a text.
    ///
    /// - Throws: `DecodingError` for what is no JSON, is nested some hundred levels deep, or has a number that no `Decimal`
    ///   holds.
    init(parsing text: Data) throws {
        self = try JSONDecoder().decode(Parsed.self, from: text).value
    }

    /// The members of an object.
    var object: [String: JSONValue]? {
        guard case .object(let members) = self else { return nil }
        return members
    }

    /// The elements of an array.
    var array: [JSONValue]? {
        guard case .array(let elements) = self else { return nil }
        return elements
    }

    /// The text of a string.
    var string: String? {
        guard case .string(let text) = self else { return nil }
        return text
    }

    /// The number.
    var number: Decimal? {
        guard case .number(let number) = self else { return nil }
        return number
    }

    /// The strings of an array that has nothing else.
    var strings: [String]? {
        guard let elements = self.array else { return nil }
        let strings = elements.compactMap(\.string)
        return strings.count == elements.count ? strings : nil
    }
}

extension JSONValue: CustomStringConvertible {
    /// The value as JSON, members by their names; what is large is cut off.
    var description: String {
        switch self {
        case .null: return "null"
        case .boolean(let value): return "\(value)"
        case .number(let number): return number.description
        case .string(let text): return "\"\(text.prefix(80))\""
        case .array(let elements):
            let shown = elements.prefix(8).map(\.shortDescription).joined(separator: ", ")
            return "[\(shown)\(elements.count > 8 ? ", ..." : "")]"
        case .object(let members):
            let names = members.keys.sorted()
            let shown = names.prefix(8).map { "\"\($0)\": \(members[$0]?.shortDescription ?? "")" }
            return "{\(shown.joined(separator: ", "))\(names.count > 8 ? ", ..." : "")}"
        }
    }

    private var shortDescription: String {
        switch self {
        case .array(let elements): elements.isEmpty ? "[]" : "[...]"
        case .object(let members): members.isEmpty ? "{}" : "{...}"
        default: self.description
        }
    }
}

/// What `JSONDecoder` reads.
private struct Parsed: Decodable {
    let value: JSONValue

    init(from decoder: any Decoder) throws {
        // Objects and arrays first: an attempt that fails costs more the deeper it is.
        if let members = try? decoder.container(keyedBy: Name.self) {
            var object: [String: JSONValue] = [:]
            for name in members.allKeys {
                object[name.stringValue] = try members.decode(Parsed.self, forKey: name).value
            }
            self.value = .object(object)
            return
        }
        if var elements = try? decoder.unkeyedContainer() {
            var array: [JSONValue] = []
            while !elements.isAtEnd { array.append(try elements.decode(Parsed.self).value) }
            self.value = .array(array)
            return
        }
        let container = try decoder.singleValueContainer()
        if container.decodeNil() {
            self.value = .null
        } else if let text = try? container.decode(String.self) {
            self.value = .string(text)
        } else if let value = try? container.decode(Bool.self) {
            self.value = .boolean(value)
        } else {
            let number = try container.decode(Decimal.self)
            guard !number.isNaN else {
                throw DecodingError.dataCorruptedError(in: container, debugDescription: "the number is too large")
            }
            self.value = .number(number)
        }
    }

    /// Any name of a member.
    private struct Name: CodingKey {
        let stringValue: String
        var intValue: Int? { nil }

        init(stringValue: String) { self.stringValue = stringValue }
        init?(intValue: Int) { nil }
    }
}

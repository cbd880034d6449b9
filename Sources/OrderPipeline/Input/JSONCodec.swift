#if canImport(FoundationEssentials)
internal import FoundationEssentials
#else
internal import Foundation
#endif

/// The JSON of commands, events and statuses.
///
/// Keys are sorted, so that the same value always has the same bytes. One per task: it is not shared.
struct JSONCodec {
    private let encoder = JSONEncoder()
    private let decoder = JSONDecoder()

    init() {
        self.encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    }

    /// The value as JSON in one line.
    func encode(_ value: some Encodable) throws -> [UInt8] {
        Array(try self.encoder.encode(value))
    }

    /// Reads a value.
    /// - Throws: ``JSONFailure`` with a sentence.
    func decode<Value: Decodable>(_ type: Value.Type, from bytes: some Sequence<UInt8>) throws(JSONFailure) -> Value {
        do {
            return try self.decoder.decode(type, from: Data(bytes))
        } catch let error as DecodingError {
            throw JSONFailure(error)
        } catch {
            throw JSONFailure(reason: "\(error)")
        }
    }
}

/// Why bytes are not the JSON that was expected, in a sentence that names the field.
struct JSONFailure: Error, CustomStringConvertible {
    var reason: String

    init(reason: String) {
        self.reason = reason
    }

    init(_ error: DecodingError) {
        switch error {
        case .keyNotFound(let key, let context):
            self.reason = "\(Self.name(context.codingPath + [key])) is missing"
        case .valueNotFound(_, let context):
            self.reason = "\(Self.name(context.codingPath)) is null"
        case .typeMismatch(let type, let context):
            self.reason = "\(Self.name(context.codingPath)) is not of the expected type (\(type))"
        case .dataCorrupted(let context) where context.codingPath.isEmpty:
            // Foundation says the same of an integer that it can't hold.
            self.reason = "it is not JSON, or has a number that is not whole or beyond 64 bits"
        case .dataCorrupted(let context):
            self.reason = "\(Self.name(context.codingPath)): \(context.debugDescription)"
        @unknown default:
            self.reason = "\(error)"
        }
    }

    var description: String { self.reason }

    /// The path to a field as one writes it: `lines[2].quantity`.
    private static func name(_ path: [any CodingKey]) -> String {
        let name = path.reduce(into: "") { name, key in
            if let index = key.intValue {
                name += "[\(index)]"
            } else {
                name += (name.isEmpty ? "" : ".") + key.stringValue
            }
        }
        return name.isEmpty ? "the value" : name
    }
}

/// Why bytes are no value of a type, or a value has no bytes.
///
/// It never holds the bytes, which may be secret.
public struct SerdeError: Error, Sendable, Hashable, CustomStringConvertible {
    /// What is wrong, and where: "can't read Order: lines[2].quantity: expected Int".
    public let message: String

    /// Makes an error for a serde of your own.
    public init(_ message: String) {
        self.message = message
    }

    @usableFromInline
    init(_ error: any Error, problem: String) {
        switch error {
        case let error as SerdeError: self.message = "\(problem): \(error.message)"
        case let error as DecodingError: self.message = "\(problem): \(Self.text(of: error))"
        case let error as EncodingError: self.message = "\(problem): \(Self.text(of: error))"
        default: self.message = "\(problem): \(error)"
        }
    }

    /// The message.
    public var description: String { self.message }

    private static func text(of error: DecodingError) -> String {
        switch error {
        case .typeMismatch(let type, let context):
            self.text(of: context.codingPath, "expected \(type)")
        case .valueNotFound(let type, let context):
            self.text(of: context.codingPath, "expected \(type), found null")
        case .keyNotFound(let key, let context):
            "\(self.place(context.codingPath + [key])) is missing"
        case .dataCorrupted(let context) where context.codingPath.isEmpty:
            // Foundation says the same of JSON that is none and of an integer that it can't hold.
            "it is not JSON, or has a number that is not whole or beyond 64 bits"
        case .dataCorrupted(let context):
            self.text(of: context.codingPath, self.withoutValue(context.debugDescription))
        @unknown default: "\(error)"
        }
    }

    /// Swift quotes a raw value that an enum does not have.
    private static func withoutValue(_ problem: String) -> String {
        problem.hasPrefix("Cannot initialize ") ? "it is none of the values that there are" : problem
    }

    private static func text(of error: EncodingError) -> String {
        switch error {
        case .invalidValue(_, let context): self.text(of: context.codingPath, context.debugDescription)
        @unknown default: "\(error)"
        }
    }

    /// "lines[2].quantity: problem".
    private static func text(of path: [any CodingKey], _ problem: String) -> String {
        path.isEmpty ? problem : "\(self.place(path)): \(problem)"
    }

    private static func place(_ path: [any CodingKey]) -> String {
        path.reduce(into: "") { place, key in
            if let index = key.intValue {
                place += "[\(index)]"
            } else {
                place += (place.isEmpty ? "" : ".") + key.stringValue
            }
        }
    }
}

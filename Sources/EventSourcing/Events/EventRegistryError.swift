/// Why an event can't be written or read.
public struct EventRegistryError: Error, Sendable, CustomStringConvertible {
    /// The kind of the error.
    public struct Code: Sendable, Hashable {
        private enum Value: Hashable {
            case unknownType
            case unreadable
            case circularUpcasters
        }

        private let value: Value

        /// The type, or this version of it, is not registered, and no upcaster leads from it to one that is.
        public static let unknownType = Code(value: .unknownType)
        /// The data are not of the form that the type has, or can't be brought into it.
        public static let unreadable = Code(value: .unreadable)
        /// Upcasters lead back to where they began.
        public static let circularUpcasters = Code(value: .circularUpcasters)
    }

    /// The kind of the error.
    public let code: Code
    /// The name of the event's type.
    public let type: String
    /// The version that the data have.
    public let version: Int
    /// What the serde or the upcaster said.
    public let cause: (any Error)?

    init(_ code: Code, type: String, version: Int, cause: (any Error)?) {
        self.code = code
        self.type = type
        self.version = version
        self.cause = cause
    }

    /// What is wrong, and with which type.
    public var description: String {
        let name = "event type \(self.type), version \(self.version)"
        let reason = self.cause.map { ": \($0)" } ?? ""
        switch self.code {
        case .unknownType: return "\(name) is not registered, and no upcaster leads to one that is\(reason)"
        case .circularUpcasters: return "\(name): its upcasters lead back to where they began"
        default: return "\(name) can't be written or read\(reason)"
        }
    }
}

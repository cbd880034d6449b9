/// What went wrong between this process and a schema registry.
public struct SchemaRegistryError: Error, Sendable, CustomStringConvertible {
    /// The kind of the error.
    public struct Code: Sendable, Hashable {
        private enum Value: Hashable {
            case configuration
            case unreachable
            case unauthorized
            case subjectNotFound
            case versionNotFound
            case schemaNotFound
            case incompatible
            case invalidSchema
            case invalidVersion
            case invalidCompatibility
            case server
            case refused
            case response
        }

        private let value: Value

        /// The configuration can't be used; the message says what to change.
        public static let configuration = Code(value: .configuration)
        /// No registry answered in time, after all attempts.
        public static let unreachable = Code(value: .unreachable)
        /// The registry wants other credentials (401, 403).
        public static let unauthorized = Code(value: .unauthorized)
        /// There is no such subject (40401).
        public static let subjectNotFound = Code(value: .subjectNotFound)
        /// The subject has no such version (40402).
        public static let versionNotFound = Code(value: .versionNotFound)
        /// There is no such schema (40403).
        public static let schemaNotFound = Code(value: .schemaNotFound)
        /// The schema does not go together with earlier versions (409).
        public static let incompatible = Code(value: .incompatible)
        /// The schema is none (42201).
        public static let invalidSchema = Code(value: .invalidSchema)
        /// The version is none (42202).
        public static let invalidVersion = Code(value: .invalidVersion)
        /// The compatibility level is none (42203).
        public static let invalidCompatibility = Code(value: .invalidCompatibility)
        /// The registry has a trouble of its own (5xx), after all attempts.
        public static let server = Code(value: .server)
        /// The registry refuses the request for another reason (4xx).
        public static let refused = Code(value: .refused)
        /// The answer is not what a registry answers.
        public static let response = Code(value: .response)
    }

    /// The kind of the error.
    public let code: Code
    /// What was asked for: "GET /subjects".
    public let operation: String
    /// What the registry said, or what went wrong.
    public let message: String
    /// The number that the registry gave: 40401.
    public let registryCode: Int?

    /// Whether asking again later may help.
    public var isRetriable: Bool { self.code == .unreachable || self.code == .server }

    init(_ code: Code, _ operation: String, _ message: String, registryCode: Int? = nil) {
        self.code = code
        self.operation = operation
        self.message = message
        self.registryCode = registryCode
    }

    /// The error of an answer that is none of success.
    init(status: Int, registryCode: Int?, operation: String, message: String) {
        let code: Code =
            switch (status, registryCode) {
            case (401, _), (403, _): .unauthorized
            case (_, 40401): .subjectNotFound
            case (_, 40402): .versionNotFound
            case (_, 40403): .schemaNotFound
            case (409, _): .incompatible
            case (_, 42201): .invalidSchema
            case (_, 42202): .invalidVersion
            case (_, 42203): .invalidCompatibility
            case (500..., _): .server
            default: .refused
            }
        self.init(code, operation, message, registryCode: registryCode)
    }

    /// "GET /subjects: the subject is not found (40401)".
    public var description: String {
        "\(self.operation): \(self.message)" + (self.registryCode.map { " (\($0))" } ?? "")
    }
}

/// Why ``DeadLetters`` could not answer.
public struct DeadLetterError: Error, Sendable, CustomStringConvertible {
    /// The kind of the error.
    public struct Code: Sendable, Hashable {
        private enum Value: Hashable {
            case notFound
            case tooMany
            case timedOut
        }

        private let value: Value

        /// There is no record at that place.
        public static let notFound = Code(value: .notFound)
        /// The topic has more letters than are kept in memory.
        public static let tooMany = Code(value: .tooMany)
        /// The end of the topic was not reached, maybe because a transaction is open.
        public static let timedOut = Code(value: .timedOut)
    }

    /// The kind of the error.
    public let code: Code
    /// The topic of dead letters.
    public let topic: String
    /// What went wrong, and what to do.
    public let message: String

    init(_ code: Code, topic: String, message: String) {
        self.code = code
        self.topic = topic
        self.message = message
    }

    /// "dead letters of orders.dead-letters: ...".
    public var description: String { "dead letters in \(self.topic): \(self.message)" }
}

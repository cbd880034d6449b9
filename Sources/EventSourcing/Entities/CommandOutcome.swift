internal import EventStreaming

/// What came of a command that an ``EntityProcessor`` accepted.
public struct CommandOutcome: Sendable, Hashable, Codable {
    /// The number of the entity's last event.
    public var version: Int64
    /// How many events the command brought about.
    public var events: Int
    /// What a reader waits for to see them, as text.
    public var position: String
    /// Whether the command had been handled before: this is what came of it then.
    public var isRepetition: Bool

    /// Makes an outcome.
    public init(version: Int64, events: Int, position: String, isRepetition: Bool) {
        self.version = version
        self.events = events
        self.position = position
        self.isRepetition = isRepetition
    }

    /// What a reader waits for to see the events. It is empty where the text is none.
    public var token: PositionToken { (try? PositionToken(self.position)) ?? PositionToken() }
}

/// Why a command has no outcome.
public struct CommandError: Error, Sendable, CustomStringConvertible {
    /// The kind of the error.
    public struct Code: Sendable, Hashable {
        private enum Value: Hashable {
            case rejected
            case timedOut
            case notSent
        }

        private let value: Value

        /// The rules rejected it, it could not be read, or what it brings about could not be written: nothing happened. The message
        /// is that of the error.
        public static let rejected = Code(value: .rejected)
        /// No reply came in time: whether it was, or will be, handled is not known. Send it again with the same id.
        public static let timedOut = Code(value: .timedOut)
        /// It was not sent.
        public static let notSent = Code(value: .notSent)
    }

    /// The kind of the error.
    public let code: Code
    /// What went wrong.
    public let message: String
    /// Of a rejection: the type of the error that the rules threw.
    public let type: String?

    init(_ code: Code, _ message: String, type: String? = nil) {
        self.code = code
        self.message = message
        self.type = type
    }

    /// The message.
    public var description: String { self.message }
}

/// Why an ``EventStore`` refused something.
public struct EventStoreError: Error, Sendable, CustomStringConvertible {
    /// The kind of the error.
    public struct Code: Sendable, Hashable {
        private enum Value: Hashable {
            case conflict
            case duplicateEvent
            case invalid
        }

        private let value: Value

        /// An entity has another version than was expected: somebody else was faster. Read it, and decide again.
        public static let conflict = Code(value: .conflict)
        /// An event with the same source and id is in the store already.
        public static let duplicateEvent = Code(value: .duplicateEvent)
        /// What was asked for makes no sense; the message says why.
        public static let invalid = Code(value: .invalid)
    }

    /// The kind of the error.
    public let code: Code
    /// What went wrong.
    public let message: String
    /// Which entity it is about.
    public let entity: EntityID?
    /// Of a conflict: the version that was expected.
    public let expected: ExpectedVersion?
    /// Of a conflict: the version that the entity has.
    public let actual: Int64?

    private init(_ code: Code, _ message: String, entity: EntityID?, expected: ExpectedVersion?, actual: Int64?) {
        self.code = code
        self.message = message
        self.entity = entity
        self.expected = expected
        self.actual = actual
    }

    /// An entity has another version than was expected.
    public static func conflict(_ entity: EntityID, expected: ExpectedVersion, actual: Int64) -> EventStoreError {
        EventStoreError(
            .conflict,
            "\(entity) is at version \(actual), expected was \(expected)",
            entity: entity,
            expected: expected,
            actual: actual
        )
    }

    /// An event is there already.
    public static func duplicateEvent(_ id: String, of entity: EntityID) -> EventStoreError {
        EventStoreError(
            .duplicateEvent,
            "the event \(id) of \(entity) is in the store already, or comes twice, and not all of its append is",
            entity: entity,
            expected: nil,
            actual: nil
        )
    }

    /// What was asked for makes no sense.
    public static func invalid(_ message: String, of entity: EntityID? = nil) -> EventStoreError {
        EventStoreError(.invalid, message, entity: entity, expected: nil, actual: nil)
    }

    /// The message.
    public var description: String { self.message }
}

public import KafkaClient

/// Why a projection can't go on, or was not let to.
public struct ProjectionError: Error, Sendable, CustomStringConvertible {
    /// The kind of the error.
    public struct Code: Sendable, Hashable {
        private enum Value: Hashable {
            case stopped
            case fenced
            case held
            case configuration
            case unknownVersion
            case notCaughtUp
        }

        private let value: Value

        /// A record could not be handled, and is not to be passed over.
        public static let stopped = Code(value: .stopped)
        /// Somebody else has claimed a partition: what was to be written is theirs to write.
        public static let fenced = Code(value: .fenced)
        /// The version waits, for a moment, for a promotion to be done.
        public static let held = Code(value: .held)
        /// The configuration can't be used; the message says what to change.
        public static let configuration = Code(value: .configuration)
        /// There is no such projection, or no such version of it.
        public static let unknownVersion = Code(value: .unknownVersion)
        /// The version is behind the one that is live.
        public static let notCaughtUp = Code(value: .notCaughtUp)
    }

    /// The kind of the error.
    public let code: Code
    /// What went wrong.
    public let message: String
    /// Which partitions it is about.
    public let partitions: Set<KafkaTopicPartition>
    /// What the handler or the storage said.
    public let cause: (any Error)?

    /// Makes an error.
    public init(
        _ code: Code,
        _ message: String,
        partitions: Set<KafkaTopicPartition> = [],
        cause: (any Error)? = nil
    ) {
        self.code = code
        self.message = message
        self.partitions = partitions
        self.cause = cause
    }

    /// The message.
    public var description: String { self.message }
}

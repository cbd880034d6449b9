/// Why a cluster could not start, or could not do what it was asked.
public struct EmbeddedKafkaError: Error, Sendable, Hashable, CustomStringConvertible {
    /// What kind of trouble it is.
    public struct Code: Sendable, Hashable, CustomStringConvertible {
        private enum Value: String, Sendable, Hashable {
            case invalidConfiguration
            case addressNotAvailable
            case dataDirectoryInUse
            case storage
            case notRunning
            case unknownTopic
            case unknownNode
            case alreadyExists
        }

        private let value: Value

        /// An option that can't be.
        public static let invalidConfiguration = Code(value: .invalidConfiguration)
        /// A node can't listen on its address.
        public static let addressNotAvailable = Code(value: .addressNotAvailable)
        /// Another process, or another cluster of this one, has the data directory.
        public static let dataDirectoryInUse = Code(value: .dataDirectoryInUse)
        /// Files can't be read or written.
        public static let storage = Code(value: .storage)
        /// The cluster is not started, or ended.
        public static let notRunning = Code(value: .notRunning)
        /// No such topic or partition.
        public static let unknownTopic = Code(value: .unknownTopic)
        /// No such node.
        public static let unknownNode = Code(value: .unknownNode)
        /// A topic of that name exists.
        public static let alreadyExists = Code(value: .alreadyExists)

        /// The code's name.
        public var description: String { self.value.rawValue }
    }

    /// What kind of trouble it is.
    public let code: Code
    /// What happened, and what to do.
    public let message: String

    init(_ code: Code, _ message: String) {
        self.code = code
        self.message = message
    }

    init(_ error: LogError) {
        self.init(error.isInUse ? .dataDirectoryInUse : .storage, error.description)
    }

    /// The message.
    public var description: String { self.message }
}

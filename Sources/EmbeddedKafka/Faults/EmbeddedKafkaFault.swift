/// Something that goes wrong on purpose: which requests, when, and how.
///
/// ```swift
/// // The second and third Produce to "orders" take effect, but their answers never come.
/// let fault = try await cluster.faults.add(.init(.produce, .dropResponse, topic: "orders", skipping: 1, times: 2))
/// ```
public struct EmbeddedKafkaFault: Sendable, Hashable {
    /// An API of the Kafka protocol, by its key (protocol guide, "Api Keys").
    public struct API: Sendable, Hashable, CustomStringConvertible {
        /// The key on the wire.
        public let key: Int16

        init(_ api: APIKey) {
            self.key = api.rawValue
        }

        /// The API of that name, as ``description`` gives it: `produce`, `fetch`, `initProducerID`. Case does not matter.
        public init?(named name: String) {
            guard let api = APIKey.allCases.first(where: { "\($0)".lowercased() == name.lowercased() }) else {
                return nil
            }
            self.init(api)
        }

        /// The names of all APIs, in the order of their keys.
        public static var names: [String] { APIKey.allCases.map { "\($0)" } }

        /// The API's name.
        public var description: String { APIKey(rawValue: self.key).map { "\($0)" } ?? "\(self.key)" }

        /// Records of producers.
        public static let produce = API(.produce)
        /// Records for consumers.
        public static let fetch = API(.fetch)
        /// Offsets by time, and the ends of partitions.
        public static let listOffsets = API(.listOffsets)
        /// Topics, nodes and leaders.
        public static let metadata = API(.metadata)
        /// Committing offsets outside of transactions.
        public static let offsetCommit = API(.offsetCommit)
        /// Reading committed offsets.
        public static let offsetFetch = API(.offsetFetch)
        /// Asking for the coordinator of a group or a transaction.
        public static let findCoordinator = API(.findCoordinator)
        /// Joining a group.
        public static let joinGroup = API(.joinGroup)
        /// Getting the assignment in a group.
        public static let syncGroup = API(.syncGroup)
        /// A member's sign of life.
        public static let heartbeat = API(.heartbeat)
        /// Leaving a group.
        public static let leaveGroup = API(.leaveGroup)
        /// Getting a producer id.
        public static let initProducerID = API(.initProducerID)
        /// Adding partitions to a transaction.
        public static let addPartitionsToTransaction = API(.addPartitionsToTransaction)
        /// Adding a group's offsets to a transaction.
        public static let addOffsetsToTransaction = API(.addOffsetsToTransaction)
        /// Committing offsets within a transaction.
        public static let transactionOffsetCommit = API(.transactionOffsetCommit)
        /// Committing or aborting a transaction.
        public static let endTransaction = API(.endTransaction)
        /// Making topics.
        public static let createTopics = API(.createTopics)
    }

    /// What happens to a request.
    public enum Effect: Sendable, Hashable {
        /// It is answered with an error, and takes no effect. The number is Kafka's (protocol guide, "Error Codes").
        case error(Int16)
        /// It takes effect, and is answered later.
        case delay(Duration)
        /// It takes no effect, and is never answered, nor is what follows on its connection, which stays open: answers
        /// keep the order of the requests, and nothing that comes behind lost bytes is ever read from a socket. Clients
        /// give up such a connection when the first request times out (librdkafka's `socket.timeout.ms`) and make another.
        /// An answer out of its turn would recover sooner and be wrong: Java clients stop at one.
        case dropRequest
        /// It takes effect, and is never answered, nor is what follows on its connection: see ``dropRequest``.
        case dropResponse
        /// It takes no effect, and the connection is cut.
        case disconnectBefore
        /// It takes effect, and the connection is cut instead of an answer.
        case disconnectAfter
    }

    /// Requests of this API; `nil` for all.
    public var api: API?
    /// What happens to them.
    public var effect: Effect
    /// Only requests that name this topic.
    public var topic: String?
    /// Only requests that name this partition of the topic.
    public var partition: Int32?
    /// Only requests of this group.
    public var group: String?
    /// Only requests of this transactional id.
    public var transactionalID: String?
    /// Only requests of clients that call themselves so.
    public var clientID: String?
    /// Only requests to this node.
    public var node: Int32?
    /// How many requests that fit go through before the first that does not. Default: 0.
    public var skipping: Int
    /// How many requests it happens to; `nil` for all until the fault is removed. Default: 1.
    public var times: Int?

    /// Makes a fault.
    public init(
        _ api: API?,
        _ effect: Effect,
        topic: String? = nil,
        partition: Int32? = nil,
        group: String? = nil,
        transactionalID: String? = nil,
        clientID: String? = nil,
        node: Int32? = nil,
        skipping: Int = 0,
        times: Int? = 1
    ) {
        self.api = api
        self.effect = effect
        self.topic = topic
        self.partition = partition
        self.group = group
        self.transactionalID = transactionalID
        self.clientID = clientID
        self.node = node
        self.skipping = skipping
        self.times = times
    }
}

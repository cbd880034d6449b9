extension KafkaError {
    /// The kind of an error.
    public struct Code: Sendable, Hashable, CustomStringConvertible {
        private enum Kind: String {
            case configuration
            case invalidRecord
            case invalidState
            case brokerUnreachable
            case timedOut
            case queueFull
            case outcomeUnknown
            case notSent
            case messageTooLarge
            case unknownTopicOrPartition
            case topicAlreadyExists
            case unknownGroup
            case invalidRequest
            case authentication
            case topicAuthorization
            case groupAuthorization
            case clusterAuthorization
            case offsetOutOfRange
            case groupMembership
            case coordinatorUnavailable
            case leaderUnavailable
            case notEnoughReplicas
            case maxPollIntervalExceeded
            case unsupported
            case fenced
            case fatal
            case closed
            case broker
        }

        private let kind: Kind

        private init(_ kind: Kind) {
            self.kind = kind
        }

        /// A property is unknown, has a bad value or contradicts another one. The message names it.
        public static let configuration = Code(.configuration)
        /// A record can't be sent as it is, for example because its timestamp is negative.
        public static let invalidRecord = Code(.invalidRecord)
        /// The call does not fit what the client is doing, for example a second reader beside the first.
        public static let invalidState = Code(.invalidState)
        /// No broker of the bootstrap servers answered. The message has the addresses and the last reason.
        public static let brokerUnreachable = Code(.brokerUnreachable)
        /// The call's time-out ended before the broker answered.
        public static let timedOut = Code(.timedOut)
        /// The producer's local queue has no room; see ``KafkaProducer/trySend(_:)``.
        public static let queueFull = Code(.queueFull)
        /// The record or the commit was handed over, but nobody knows whether the broker took it.
        public static let outcomeUnknown = Code(.outcomeUnknown)
        /// The record was certainly not sent: the sender was cancelled or the client closed before its turn.
        public static let notSent = Code(.notSent)
        /// The record is larger than the client or the broker allows.
        public static let messageTooLarge = Code(.messageTooLarge)
        /// The topic or the partition does not exist.
        public static let unknownTopicOrPartition = Code(.unknownTopicOrPartition)
        /// A topic of this name exists already.
        public static let topicAlreadyExists = Code(.topicAlreadyExists)
        /// The consumer group does not exist.
        public static let unknownGroup = Code(.unknownGroup)
        /// The call asks for something that can't be, such as an unknown setting or fewer partitions than there are. The
        /// message says what.
        public static let invalidRequest = Code(.invalidRequest)
        /// The broker did not accept the credentials, or the TLS handshake failed.
        public static let authentication = Code(.authentication)
        /// The principal may not do this with the topic.
        public static let topicAuthorization = Code(.topicAuthorization)
        /// The principal may not do this with the consumer group.
        public static let groupAuthorization = Code(.groupAuthorization)
        /// The principal may not do this with the cluster.
        public static let clusterAuthorization = Code(.clusterAuthorization)
        /// The position lies outside the log, and the reset policy is to fail.
        public static let offsetOutOfRange = Code(.offsetOutOfRange)
        /// The group has other members, or this consumer is no longer one of them: the commit was refused.
        public static let groupMembership = Code(.groupMembership)
        /// The group's or transaction's coordinator is moving or loading.
        public static let coordinatorUnavailable = Code(.coordinatorUnavailable)
        /// The partition has no leader at the moment.
        public static let leaderUnavailable = Code(.leaderUnavailable)
        /// Fewer replicas are in sync than the topic demands.
        public static let notEnoughReplicas = Code(.notEnoughReplicas)
        /// Processing took longer than ``KafkaConsumer/Configuration/maxPollInterval``; the consumer left the group.
        public static let maxPollIntervalExceeded = Code(.maxPollIntervalExceeded)
        /// The broker or the loaded librdkafka can't do this.
        public static let unsupported = Code(.unsupported)
        /// Another instance with the same identity took over.
        public static let fenced = Code(.fenced)
        /// The client hit a fatal error before and refuses to go on.
        public static let fatal = Code(.fatal)
        /// The client was closed.
        public static let closed = Code(.closed)
        /// Any other error; ``KafkaError/librdkafkaName`` says which.
        public static let broker = Code(.broker)

        /// The name of the code, as written in source.
        public var description: String { self.kind.rawValue }
    }
}

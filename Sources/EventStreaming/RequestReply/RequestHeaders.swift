public import KafkaClient

/// What makes a record a request: who waits for a reply, where, and for how long.
///
/// | header | |
/// |---|---|
/// | `kstream-request-id` | tells it from all other requests |
/// | `kstream-requester` | the instance that waits |
/// | `kstream-reply-topic`, `kstream-reply-partition` | where the instance reads replies |
/// | `kstream-request-deadline` | until when it waits, RFC 3339 |
public struct RequestHeaders: Sendable, Hashable {
    /// Tells the request from all others.
    public var id: String
    /// The instance that waits for the reply.
    public var requester: String
    /// The topic of the reply.
    public var replyTopic: String
    /// The partition of the reply.
    public var replyPartition: Int32
    /// Until when somebody waits, by the clock of the one who does.
    public var deadline: UTCTime

    init(id: String, requester: String, replyTopic: String, replyPartition: Int32, deadline: UTCTime) {
        self.id = id
        self.requester = requester
        self.replyTopic = replyTopic
        self.replyPartition = replyPartition
        self.deadline = deadline
    }

    /// Reads the headers of a record.
    ///
    /// - Returns: `nil` when it is no request.
    public init?(headers: [KafkaHeader]) {
        let values = ReplyHeaders.texts(of: headers)
        guard let id = values[Name.id], !id.isEmpty, let requester = values[Name.requester],
            let topic = values[Name.replyTopic], let partition = values[Name.replyPartition].flatMap({ Int32($0) }),
            partition >= 0, let deadline = values[Name.deadline].flatMap({ UTCTime(rfc3339: $0.utf8) })
        else { return nil }
        self.init(id: id, requester: requester, replyTopic: topic, replyPartition: partition, deadline: deadline)
    }

    var headers: [KafkaHeader] {
        [
            KafkaHeader(key: Name.id, value: self.id),
            KafkaHeader(key: Name.requester, value: self.requester),
            KafkaHeader(key: Name.replyTopic, value: self.replyTopic),
            KafkaHeader(key: Name.replyPartition, value: "\(self.replyPartition)"),
            KafkaHeader(key: Name.deadline, value: self.deadline.description),
        ]
    }

    enum Name {
        static let id = "kstream-request-id"
        static let requester = "kstream-requester"
        static let replyTopic = "kstream-reply-topic"
        static let replyPartition = "kstream-reply-partition"
        static let deadline = "kstream-request-deadline"
    }
}

public import KafkaClient

/// What the headers of a record in a retry topic tell: where the message was first, and what became of it so far.
///
/// The rest of the record, key, value, and all other headers, is as it was, byte for byte.
public struct MessageRetry: Sendable, Hashable {
    /// The topic that the message was in first.
    public var topic: String
    /// The partition that it was in.
    public var partition: Int32
    /// Its offset there.
    public var offset: Int64
    /// How often the handler got it so far.
    public var attempts: Int
    /// When it was first handled.
    public var firstTime: UTCTime
    /// When it is handled again, not before.
    public var dueTime: UTCTime
    /// The last error, in words.
    public var error: String
    /// The time of the record that it was, unless its log had none.
    public var time: UTCTime?

    private static let prefix = "kstream-retry-"

    /// Reads the headers of a record.
    ///
    /// - Returns: `nil` when it is none of a retry topic.
    public init?(headers: [KafkaHeader]) {
        var values: [String: String] = [:]
        for header in headers where header.key.hasPrefix(Self.prefix) {
            values[String(header.key.dropFirst(Self.prefix.count))] =
                header.value.map { String(decoding: $0, as: UTF8.self) }
        }
        guard let topic = values["topic"], let partition = values["partition"].flatMap({ Int32($0) }), partition >= 0,
            let offset = values["offset"].flatMap({ Int64($0) }), offset >= 0,
            let attempts = values["attempts"].flatMap({ Int($0) }),
            let firstTime = values["first-time"].flatMap({ UTCTime(rfc3339: $0.utf8) }),
            let dueTime = values["due-time"].flatMap({ UTCTime(rfc3339: $0.utf8) }), let error = values["error"]
        else { return nil }
        self.topic = topic
        self.partition = partition
        self.offset = offset
        self.attempts = attempts
        self.firstTime = firstTime
        self.dueTime = dueTime
        self.error = error
        self.time = values["time"].flatMap { UTCTime(rfc3339: $0.utf8) }
    }

    init(from origin: MessageOrigin, failure: MessageFailure, dueTime: UTCTime) {
        self.topic = origin.topic
        self.partition = origin.partition
        self.offset = origin.offset
        self.attempts = failure.attempts
        self.firstTime = failure.firstTime
        self.dueTime = dueTime
        self.error = "\(failure.error)".shortened()
        self.time = origin.time
    }

    var origin: MessageOrigin {
        MessageOrigin(topic: self.topic, partition: self.partition, offset: self.offset, time: self.time)
    }

    /// The record in a retry topic.
    func record(of record: KafkaConsumerRecord, topic: String) -> KafkaProducerRecord {
        KafkaProducerRecord(
            topic: topic,
            key: record.key,
            value: record.value,
            headers: record.headers.filter { !Self.owns($0) } + self.headers
        )
    }

    static func owns(_ header: KafkaHeader) -> Bool { header.key.hasPrefix(self.prefix) }

    private var headers: [KafkaHeader] {
        let values = [
            ("topic", self.topic), ("partition", "\(self.partition)"), ("offset", "\(self.offset)"),
            ("attempts", "\(self.attempts)"), ("first-time", self.firstTime.description),
            ("due-time", self.dueTime.description), ("error", self.error), ("time", self.time?.description),
        ]
        return values.compactMap { name, value in value.map { KafkaHeader(key: Self.prefix + name, value: $0) } }
    }
}

extension ReceivedMessage {
    /// Where the message was first, and what became of it so far, when it was read from a retry topic; else `nil`.
    public var retry: MessageRetry? { MessageRetry(headers: self.record.headers) }
}

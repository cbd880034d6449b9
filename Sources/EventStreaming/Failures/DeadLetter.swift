public import KafkaClient

/// What the headers of a dead letter tell of its way: where the message was, and why it could not be processed.
///
/// The rest of the record, key, value, and all other headers, is as it was, byte for byte.
public struct DeadLetter: Sendable, Hashable {
    /// The topic that it was in.
    public var topic: String
    /// The partition that it was in.
    public var partition: Int32
    /// Its offset there.
    public var offset: Int64
    /// The processor that gave it up.
    public var processor: String
    /// The last error, in words.
    public var error: String
    /// The type of the last error.
    public var errorType: String
    /// How often the handler got it, the last time that it was given up.
    public var attempts: Int
    /// When it was first handled.
    public var firstTime: UTCTime
    /// When it was given up.
    public var lastTime: UTCTime
    /// The time of the record that it was, unless its log had none.
    public var time: UTCTime?
    /// How often it has been a dead letter: 1, and more for one that was replayed and failed again.
    public var count: Int

    private static let prefix = "kstream-dead-letter-"
    /// Errors may be long; headers should not be.
    private static let maxErrorBytes = 4_096

    /// Reads the headers of a record.
    ///
    /// - Returns: `nil` when it is no dead letter.
    public init?(headers: [KafkaHeader]) {
        var values: [String: String] = [:]
        for header in headers where header.key.hasPrefix(Self.prefix) {
            values[String(header.key.dropFirst(Self.prefix.count))] =
                header.value.map { String(decoding: $0, as: UTF8.self) }
        }
        guard let topic = values["topic"], let partition = values["partition"].flatMap({ Int32($0) }),
            let offset = values["offset"].flatMap({ Int64($0) }), let processor = values["processor"],
            let error = values["error"], let errorType = values["error-type"],
            let attempts = values["attempts"].flatMap({ Int($0) }),
            let firstTime = values["first-time"].flatMap({ UTCTime(rfc3339: $0.utf8) }),
            let lastTime = values["last-time"].flatMap({ UTCTime(rfc3339: $0.utf8) }),
            let count = values["count"].flatMap({ Int($0) })
        else { return nil }
        self.topic = topic
        self.partition = partition
        self.offset = offset
        self.processor = processor
        self.error = error
        self.errorType = errorType
        self.attempts = attempts
        self.firstTime = firstTime
        self.lastTime = lastTime
        self.time = values["time"].flatMap { UTCTime(rfc3339: $0.utf8) }
        self.count = count
    }

    /// Says why a record is given up.
    init(_ record: KafkaConsumerRecord, failure: MessageFailure, processor: String) {
        let earlier = DeadLetter(headers: record.headers)
        self.topic = record.topic
        self.partition = record.partition
        self.offset = record.offset
        self.processor = processor
        self.error = "\(failure.error)"
        self.errorType = "\(Swift.type(of: failure.error))"
        self.attempts = failure.attempts
        self.firstTime = earlier?.firstTime ?? failure.firstTime
        self.lastTime = .now
        self.time = record.timestamp.flatMap { UTCTime(millisecondsSince1970: $0.millisecondsSince1970) }
        self.count = min(earlier?.count ?? 0, Int.max - 1) + 1
    }

    /// The record in the topic of dead letters. Its time is that of now, since that is what its retention counts from.
    func record(of record: KafkaConsumerRecord, topic: String) -> KafkaProducerRecord {
        KafkaProducerRecord(
            topic: topic,
            key: record.key,
            value: record.value,
            headers: record.headers.filter { !$0.key.hasPrefix(Self.prefix) } + self.headers
        )
    }

    private var headers: [KafkaHeader] {
        let values = [
            ("topic", self.topic), ("partition", "\(self.partition)"), ("offset", "\(self.offset)"),
            ("processor", self.processor), ("error", Self.shortened(self.error)), ("error-type", self.errorType),
            ("attempts", "\(self.attempts)"), ("first-time", self.firstTime.description),
            ("last-time", self.lastTime.description), ("time", self.time?.description), ("count", "\(self.count)"),
        ]
        return values.compactMap { name, value in value.map { KafkaHeader(key: Self.prefix + name, value: $0) } }
    }

    private static func shortened(_ text: String) -> String {
        guard text.utf8.count > self.maxErrorBytes else { return text }
        return String(decoding: text.utf8.prefix(self.maxErrorBytes), as: UTF8.self) + "…"
    }
}

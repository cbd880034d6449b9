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
    /// The last error, in words; of a letter that follows another one, the error of that.
    public var error: String
    /// The type of the last error.
    public var errorType: String
    /// How often the handler got it, the last time that it was given up, retry topics included; 0 for one that follows another.
    public var attempts: Int
    /// When it was first handled.
    public var firstTime: UTCTime
    /// When it was given up.
    public var lastTime: UTCTime
    /// The time of the record that it was, unless its log had none.
    public var time: UTCTime?
    /// How often it has been a dead letter: 1, and more for one that was replayed and failed again.
    public var count: Int
    /// Whether its processor keeps the order of its key (``DeadLetterPolicy/isOrdered``): later messages of the key follow it.
    public var isOrdered = false
    /// The letter that it waits for: it was not given up by itself, but follows this one of the same key.
    public var follows: DeadLetterPosition?
    /// The letter of the same message that it takes the place of: a copy of that one was replayed, and given up again.
    public var replaces: DeadLetterPosition?
    /// Of a copy that a replay sent: the letter. `nil` of letters themselves.
    public var replayOf: DeadLetterPosition?

    private static let prefix = "kstream-dead-letter-"
    /// The header that every copy has which a replay sent, and nothing else.
    static let replayHeader = "\(prefix)replay"

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
        self.isOrdered = values["ordered"] == "true"
        self.follows = values["follows"].flatMap { DeadLetterPosition($0) }
        self.replaces = values["replaces"].flatMap { DeadLetterPosition($0) }
        self.replayOf = values["replay"].flatMap { DeadLetterPosition($0) }
    }

    /// Says why a message is given up.
    init(
        _ record: KafkaConsumerRecord,
        from origin: MessageOrigin,
        failure: MessageFailure,
        processor: String,
        isOrdered: Bool
    ) {
        let earlier = DeadLetter(headers: record.headers)
        self.topic = origin.topic
        self.partition = origin.partition
        self.offset = origin.offset
        self.processor = processor
        self.error = "\(failure.error)"
        self.errorType = "\(Swift.type(of: failure.error))"
        self.attempts = failure.attempts
        self.firstTime = earlier?.firstTime ?? failure.firstTime
        self.lastTime = .now
        self.time = origin.time
        self.count = max(0, min(earlier?.count ?? 0, Int.max - 1)) + 1
        self.isOrdered = isOrdered
        self.replaces = earlier?.replayed(for: processor)
    }

    /// A record that becomes a dead letter after one attempt, outside of a processor's policies.
    package static func record(
        of record: KafkaConsumerRecord,
        failed error: any Error,
        processor: String,
        topic: String
    ) -> KafkaProducerRecord {
        let failure = MessageFailure(error: error, attempts: 1, firstTime: .now, isWorthRetry: false)
        let origin = MessageOrigin(record)
        let letter = DeadLetter(record, from: origin, failure: failure, processor: processor, isOrdered: false)
        return letter.record(of: record, topic: topic)
    }

    /// Says that a message follows the letter of its key.
    ///
    /// The error is that of the letter, so that who replays letters of that error replays those that follow as well.
    init(
        _ record: KafkaConsumerRecord,
        following head: BlockedKeys.Head,
        in place: KafkaTopicPartition,
        processor: String
    ) {
        let earlier = DeadLetter(headers: record.headers)
        self.topic = record.topic
        self.partition = record.partition
        self.offset = record.offset
        self.processor = processor
        self.error = head.error
        self.errorType = head.errorType
        self.attempts = 0
        self.lastTime = .now
        self.firstTime = earlier?.firstTime ?? self.lastTime
        self.time = MessageOrigin(record).time
        // It did not fail by itself.
        self.count = max(1, earlier?.count ?? 1)
        self.isOrdered = true
        self.follows = DeadLetterPosition(topic: place.topic, partition: place.partition, offset: head.offset)
        self.replaces = earlier?.replayed(for: processor)
    }

    /// The letter that this is a copy of, if it is one of this processor. Others get the copy as well, and say nothing of it.
    func replayed(for processor: String) -> DeadLetterPosition? {
        self.processor == processor ? self.replayOf : nil
    }

    /// The record in the topic of dead letters. Its time is that of now, since that is what its retention counts from.
    func record(of record: KafkaConsumerRecord, topic: String, partition: Int32? = nil) -> KafkaProducerRecord {
        KafkaProducerRecord(
            topic: topic,
            partition: partition,
            key: record.key,
            value: record.value,
            headers: record.headers.filter { !Self.owns($0) && !MessageRetry.owns($0) } + self.headers
        )
    }

    /// A copy of a letter for the topic that its message was in.
    ///
    /// - Parameter partition: `nil` leaves it to the producer.
    func copy(of record: KafkaConsumerRecord, to partition: Int32?) -> KafkaProducerRecord {
        var letter = self
        letter.follows = nil
        letter.replaces = nil
        letter.replayOf = DeadLetterPosition(record)
        return KafkaProducerRecord(
            topic: self.topic,
            partition: partition,
            key: record.key,
            value: record.value,
            headers: record.headers.filter { !Self.owns($0) } + letter.headers
        )
    }

    private static func owns(_ header: KafkaHeader) -> Bool { header.key.hasPrefix(self.prefix) }

    private var headers: [KafkaHeader] {
        let values = [
            ("topic", self.topic), ("partition", "\(self.partition)"), ("offset", "\(self.offset)"),
            ("processor", self.processor), ("error", self.error.shortened()), ("error-type", self.errorType),
            ("attempts", "\(self.attempts)"), ("first-time", self.firstTime.description),
            ("last-time", self.lastTime.description), ("time", self.time?.description), ("count", "\(self.count)"),
            ("ordered", self.isOrdered ? "true" : nil), ("follows", self.follows?.description),
            ("replaces", self.replaces?.description), ("replay", self.replayOf?.description),
        ]
        return values.compactMap { name, value in value.map { KafkaHeader(key: Self.prefix + name, value: $0) } }
    }
}

public import KafkaClient

/// Sends messages to typed topics, in the name of a source.
///
/// ```swift
/// try await withKafkaProducer(.init(bootstrapServers: ["localhost:9092"])) { producer in
///     let events = EventProducer(producer, source: "/shop")
///     try await events.send(Message(key: "42", value: OrderPlaced(total: 990)), to: orders)
/// }
/// ```
public struct EventProducer: Sendable {
    /// The producer that sends.
    public let producer: KafkaProducer
    /// Where events happen whose messages have no metadata of their own: a URI reference (RFC 3986).
    public let source: String

    /// Makes a sender over a producer.
    public init(_ producer: KafkaProducer, source: String) {
        self.producer = producer
        self.source = source
    }

    /// Sends a message and returns when the broker has acknowledged it.
    ///
    /// - Parameters:
    ///   - message: what is sent.
    ///   - topic: where to.
    ///   - cause: the event that it comes of, which gives it its correlation.
    /// - Throws: ``SerdeError``, and as `KafkaProducer.send(_:)`.
    @discardableResult
    public func send<Key, Value>(
        _ message: Message<Key, Value>,
        to topic: Topic<Key, Value>,
        causedBy cause: EventMetadata? = nil
    ) async throws -> KafkaRecordMetadata {
        try await self.producer.send(try topic.record(of: message, source: self.source, causedBy: cause))
    }

    /// Puts a message into the local queue and returns a receipt, by which the acknowledgement can be awaited.
    ///
    /// - Throws: ``SerdeError``, and as `KafkaProducer.enqueue(_:)`.
    @discardableResult
    public func enqueue<Key, Value>(
        _ message: Message<Key, Value>,
        to topic: Topic<Key, Value>,
        causedBy cause: EventMetadata? = nil
    ) async throws -> KafkaSendReceipt {
        try await self.producer.enqueue(try topic.record(of: message, source: self.source, causedBy: cause))
    }
}

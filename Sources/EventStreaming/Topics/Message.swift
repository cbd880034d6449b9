public import KafkaClient
internal import Tracing

/// A message to be sent to a ``Topic``.
public struct Message<Key: Sendable, Value: Sendable>: Sendable {
    /// Chooses the partition; messages with equal keys keep their order.
    public var key: Key
    /// The data.
    public var value: Value
    /// What is known beside the data. Where it is `nil`, id, time, source and type are made when it is sent.
    public var metadata: EventMetadata?
    /// Further headers.
    public var headers: [KafkaHeader]
    /// The partition; `nil` leaves it to the producer's partitioner.
    public var partition: Int32?
    /// The time of the record; `nil` is the time of sending.
    public var timestamp: KafkaTimestamp?

    /// Makes a message.
    public init(
        key: Key,
        value: Value,
        metadata: EventMetadata? = nil,
        headers: [KafkaHeader] = [],
        partition: Int32? = nil,
        timestamp: KafkaTimestamp? = nil
    ) {
        self.key = key
        self.value = value
        self.metadata = metadata
        self.headers = headers
        self.partition = partition
        self.timestamp = timestamp
    }
}

extension Topic {
    /// The record that carries a message.
    ///
    /// - Parameters:
    ///   - message: what is sent.
    ///   - source: where events happen whose metadata is made here: a URI reference.
    ///   - cause: the event that it comes of, unless its metadata says that already.
    /// - Throws: ``SerdeError`` for a key or a value that can't be written.
    public func record(
        of message: Message<Key, Value>,
        source: String,
        causedBy cause: EventMetadata? = nil
    ) throws(SerdeError) -> KafkaProducerRecord {
        var metadata =
            message.metadata
            ?? EventMetadata(source: source, type: self.eventType(message.value), time: .now)
        if let cause {
            metadata.setCause(cause)
            if !Self.isTraced { metadata.trace = metadata.trace ?? cause.trace }
        }
        metadata.contentType = metadata.contentType ?? self.value.contentType
        return KafkaProducerRecord(
            topic: self.name,
            partition: message.partition,
            key: try self.key.encode(message.key),
            value: try self.value.encode(message.value),
            headers: metadata.headers + message.headers,
            timestamp: message.timestamp
        )
    }

    /// Whether the client writes the context of its own spans.
    private static var isTraced: Bool {
        let instrument = InstrumentationSystem.instrument
        return !(instrument is NoOpInstrument || instrument is NoOpTracer)
    }
}

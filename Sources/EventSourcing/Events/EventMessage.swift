public import EventStreaming
public import KafkaClient

/// A message as the handlers of projections and process managers see it, wherever it came from.
///
/// That its bytes are no key or no value is told where ``key`` or ``value`` is asked for.
public struct EventMessage<Key: Sendable, Value: Sendable>: Sendable {
    /// The key, or why the bytes are none.
    public let decodedKey: Result<Key, SerdeError>
    /// The value, or why the bytes are none.
    public let decodedValue: Result<Value, SerdeError>
    @usableFromInline let record: IncomingRecord

    @inlinable
    package init(_ record: IncomingRecord, of topic: Topic<Key, Value>) {
        self.record = record
        self.decodedKey = Result { () throws(SerdeError) in try topic.key.decode(record.key) }
        self.decodedValue = Result { () throws(SerdeError) in try topic.value.decode(record.value) }
    }

    /// The key.
    ///
    /// - Throws: `SerdeError` when the bytes are none.
    @inlinable public var key: Key { get throws(SerdeError) { try self.decodedKey.get() } }

    /// The value.
    ///
    /// - Throws: `SerdeError` when the bytes are none.
    @inlinable public var value: Value { get throws(SerdeError) { try self.decodedValue.get() } }

    /// What is known beside the data; `nil` of records that others wrote without it. It is read when it is asked for.
    public var metadata: EventMetadata? { EventMetadata(headers: self.record.headers) }

    /// The headers, read when they are asked for.
    public var headers: [KafkaHeader] { self.record.headers }

    /// Topic and partition that it was read from.
    public var topicPartition: KafkaTopicPartition { self.record.partition }

    /// The record's offset in the partition.
    public var offset: Int64 { self.record.offset }

    /// The record's time, unless the log has none.
    public var timestamp: KafkaTimestamp? { self.record.timestamp }
}

public import KafkaClient

/// A message that was read from a ``Topic``.
///
/// That its bytes are no key or no value is no error of the reading, but something to be decided for this message: it is
/// told where ``key`` or ``value`` is asked for.
public struct ReceivedMessage<Key: Sendable, Value: Sendable>: Sendable {
    /// The record as it was read, with all headers.
    public let record: KafkaConsumerRecord
    /// The key, or why the bytes are none.
    public let decodedKey: Result<Key, SerdeError>
    /// The value, or why the bytes are none.
    public let decodedValue: Result<Value, SerdeError>
    /// Reads a record of a topic.
    public init(_ record: KafkaConsumerRecord, of topic: Topic<Key, Value>) {
        self.record = record
        self.decodedKey = Result { () throws(SerdeError) in try topic.key.decode(record.key) }
        self.decodedValue = Result { () throws(SerdeError) in try topic.value.decode(record.value) }
    }

    /// The key.
    ///
    /// - Throws: ``SerdeError`` when the bytes are none.
    public var key: Key { get throws(SerdeError) { try self.decodedKey.get() } }

    /// The value.
    ///
    /// - Throws: ``SerdeError`` when the bytes are none.
    public var value: Value { get throws(SerdeError) { try self.decodedValue.get() } }

    /// What is known beside the data; `nil` of records that others wrote without it. It is read when it is asked for.
    public var metadata: EventMetadata? { EventMetadata(headers: self.record.headers) }

    /// The topic that it was read from.
    public var topic: String { self.record.topic }

    /// Topic and partition that it was read from.
    public var topicPartition: KafkaTopicPartition { self.record.topicPartition }

    /// The record's offset in the partition.
    public var offset: Int64 { self.record.offset }

    /// The record's time, unless the log has none.
    public var timestamp: KafkaTimestamp? { self.record.timestamp }
}

extension Topic {
    /// Reads a record of this topic.
    public func message(of record: KafkaConsumerRecord) -> ReceivedMessage<Key, Value> {
        ReceivedMessage(record, of: self)
    }
}

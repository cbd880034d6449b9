internal import CLibrdkafka

/// A consumed record.
///
/// Its fields are read when they are asked for. The record keeps its batch, and so the response of the fetch that it came
/// in, in memory: use ``detached()`` for a record that is to live long.
public struct KafkaConsumerRecord: Sendable {
    @usableFromInline let batch: KafkaConsumerBatch
    @usableFromInline let index: Int

    @inlinable
    init(batch: KafkaConsumerBatch, index: Int) {
        self.batch = batch
        self.index = index
    }

    /// The topic that the record was read from.
    public var topic: String { self.topicPartition.topic }

    /// The partition that the record was read from.
    public var partition: Int32 { self.batch.message(at: self.index).pointee.partition }

    /// Topic and partition that the record was read from.
    public var topicPartition: KafkaTopicPartition { self.batch.partition(at: self.index) }

    /// The record's offset in the partition.
    public var offset: Int64 { self.batch.message(at: self.index).pointee.offset }

    /// The record's time, unless the log has none.
    public var timestamp: KafkaTimestamp? {
        var type = RD_KAFKA_TIMESTAMP_NOT_AVAILABLE
        let timestamp = rd_kafka_message_timestamp(self.batch.message(at: self.index), &type)
        guard type != RD_KAFKA_TIMESTAMP_NOT_AVAILABLE, timestamp >= 0 else { return nil }
        return KafkaTimestamp(millisecondsSince1970: timestamp)
    }

    /// A copy of the key; `nil` when the record has none.
    public var key: [UInt8]? {
        self.keyBuffer.map { Array($0) }
    }

    /// A copy of the value; `nil` is a tombstone.
    public var value: [UInt8]? {
        self.valueBuffer.map { Array($0) }
    }

    /// The key as UTF-8 text, repaired where it is not; `nil` when the record has none.
    public var keyString: String? {
        self.keyBuffer.map { String(decoding: $0, as: UTF8.self) }
    }

    /// The value as UTF-8 text, repaired where it is not; `nil` is a tombstone.
    public var valueString: String? {
        self.valueBuffer.map { String(decoding: $0, as: UTF8.self) }
    }

    /// The headers in their order.
    public var headers: [KafkaHeader] { self.batch.headers(at: self.index) }

    /// Whether there is a header of this name, without a copy of any.
    package func hasHeader(named name: String) -> Bool { self.batch.hasHeader(named: name, at: self.index) }

    /// Looks at the key's bytes without copying them; they are valid within `body`.
    @inlinable
    public func withKeyBytes<R, E>(_ body: (RawSpan?) throws(E) -> R) throws(E) -> R {
        defer { withExtendedLifetime(self.batch) {} }
        guard let key = self.keyBuffer else { return try body(nil) }
        return try body(key.bytes)
    }

    /// Looks at the value's bytes without copying them; they are valid within `body`, and `nil` for a tombstone.
    @inlinable
    public func withValueBytes<R, E>(_ body: (RawSpan?) throws(E) -> R) throws(E) -> R {
        defer { withExtendedLifetime(self.batch) {} }
        guard let value = self.valueBuffer else { return try body(nil) }
        return try body(value.bytes)
    }

    /// Valid as long as the batch.
    @usableFromInline var keyBuffer: UnsafeRawBufferPointer? {
        let message = self.batch.message(at: self.index)
        return message.pointee.key.map { UnsafeRawBufferPointer(start: $0, count: message.pointee.key_len) }
    }

    /// Valid as long as the batch.
    @usableFromInline var valueBuffer: UnsafeRawBufferPointer? {
        let message = self.batch.message(at: self.index)
        return message.pointee.payload.map { UnsafeRawBufferPointer(start: $0, count: message.pointee.len) }
    }

    /// A copy that keeps nothing else in memory.
    public func detached() -> KafkaRecord {
        KafkaRecord(
            topic: self.topic,
            partition: self.partition,
            offset: self.offset,
            timestamp: self.timestamp,
            key: self.key,
            value: self.value,
            headers: self.headers
        )
    }
}

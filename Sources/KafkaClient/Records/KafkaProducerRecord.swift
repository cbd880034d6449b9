/// A record to be sent.
///
/// ```swift
/// KafkaProducerRecord(topic: "orders", key: "42", value: payload)   // payload: [UInt8] or String
/// KafkaProducerRecord(topic: "orders", key: "42", value: nil)       // a tombstone
/// ```
public struct KafkaProducerRecord: Sendable, Hashable {
    /// The topic to send to.
    public var topic: String
    /// The partition to send to; `nil` leaves it to ``KafkaProducer/Configuration/partitioner``.
    public var partition: Int32?
    /// The key; `nil` is no key, which is not the same as an empty one.
    public var key: [UInt8]?
    /// The value; `nil` is a tombstone, which is not the same as an empty value.
    public var value: [UInt8]?
    /// The headers, in this order; keys may repeat.
    public var headers: [KafkaHeader]
    /// The record's time; `nil` is the time of sending.
    public var timestamp: KafkaTimestamp?

    /// Makes a record of bytes.
    public init(
        topic: String,
        partition: Int32? = nil,
        key: [UInt8]? = nil,
        value: [UInt8]?,
        headers: [KafkaHeader] = [],
        timestamp: KafkaTimestamp? = nil
    ) {
        self.topic = topic
        self.partition = partition
        self.key = key
        self.value = value
        self.headers = headers
        self.timestamp = timestamp
    }

    /// Makes a record with the UTF-8 form of a key.
    public init(
        topic: String,
        partition: Int32? = nil,
        key: String,
        value: [UInt8]?,
        headers: [KafkaHeader] = [],
        timestamp: KafkaTimestamp? = nil
    ) {
        self.init(
            topic: topic,
            partition: partition,
            key: Array(key.utf8),
            value: value,
            headers: headers,
            timestamp: timestamp
        )
    }

    /// Makes a record with the UTF-8 form of a value.
    public init(
        topic: String,
        partition: Int32? = nil,
        key: [UInt8]? = nil,
        value: String,
        headers: [KafkaHeader] = [],
        timestamp: KafkaTimestamp? = nil
    ) {
        self.init(
            topic: topic,
            partition: partition,
            key: key,
            value: Array(value.utf8),
            headers: headers,
            timestamp: timestamp
        )
    }

    /// Makes a record with the UTF-8 forms of a key and a value.
    public init(
        topic: String,
        partition: Int32? = nil,
        key: String,
        value: String,
        headers: [KafkaHeader] = [],
        timestamp: KafkaTimestamp? = nil
    ) {
        self.init(
            topic: topic,
            partition: partition,
            key: Array(key.utf8),
            value: Array(value.utf8),
            headers: headers,
            timestamp: timestamp
        )
    }
}

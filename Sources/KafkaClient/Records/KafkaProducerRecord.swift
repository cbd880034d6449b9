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

extension KafkaProducerRecord {
    /// How many bytes it takes at most, headers included: what ``KafkaProducer/Configuration/maxMessageBytes`` limits.
    package var maxEncodedSize: Int {
        // Lengths of the record, its key and its value, attributes, differences of time and offset, and the count of headers,
        // each in its longest form (protocol guide, "Record").
        let fields = 36 + (self.key?.count ?? 0) + (self.value?.count ?? 0)
        return self.headers.reduce(fields) { size, header in
            let name = header.key.utf8.count
            let value = header.value?.count ?? 0
            return size + Self.varintSize(name) + name + Self.varintSize(header.value?.count ?? -1) + value
        }
    }

    /// How many bytes a number has as a zigzag varint.
    private static func varintSize(_ number: Int) -> Int {
        let zigzag = UInt(bitPattern: (number << 1) ^ (number >> (Int.bitWidth - 1)))
        return max(1, (UInt.bitWidth - zigzag.leadingZeroBitCount + 6) / 7)
    }
}

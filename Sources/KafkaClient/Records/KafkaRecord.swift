/// A consumed record that owns its bytes.
///
/// A ``KafkaConsumerRecord`` keeps the whole response of the fetch in memory that it came in; this copy keeps only itself.
public struct KafkaRecord: Sendable, Hashable {
    /// The topic that the record was read from.
    public var topic: String
    /// The partition that the record was read from.
    public var partition: Int32
    /// The record's offset in the partition.
    public var offset: Int64
    /// The record's time, unless the log has none.
    public var timestamp: KafkaTimestamp?
    /// The key; `nil` when the record has none.
    public var key: [UInt8]?
    /// The value; `nil` is a tombstone.
    public var value: [UInt8]?
    /// The headers in their order.
    public var headers: [KafkaHeader]

    /// Makes a record, for example for a test of what handles records.
    public init(
        topic: String,
        partition: Int32,
        offset: Int64,
        timestamp: KafkaTimestamp? = nil,
        key: [UInt8]? = nil,
        value: [UInt8]?,
        headers: [KafkaHeader] = []
    ) {
        self.topic = topic
        self.partition = partition
        self.offset = offset
        self.timestamp = timestamp
        self.key = key
        self.value = value
        self.headers = headers
    }
}

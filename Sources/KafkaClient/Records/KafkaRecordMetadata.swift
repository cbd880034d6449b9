/// Where the broker put a record that it acknowledged.
public struct KafkaRecordMetadata: Sendable, Hashable {
    /// The topic.
    public var topic: String
    /// The partition, chosen by the sender or by the partitioner.
    public var partition: Int32
    /// The record's offset; `nil` with ``KafkaProducer/Acknowledgements/none``, where the broker does not say.
    public var offset: Int64?
    /// The record's time in the log: the sender's, or the broker's for topics with log append time.
    public var timestamp: KafkaTimestamp?

    /// Makes the acknowledgement of a record: for tests of what goes on from one.
    public init(topic: String, partition: Int32, offset: Int64?, timestamp: KafkaTimestamp?) {
        self.topic = topic
        self.partition = partition
        self.offset = offset
        self.timestamp = timestamp
    }

    /// Where the record is.
    public var topicPartition: KafkaTopicPartition {
        KafkaTopicPartition(topic: self.topic, partition: self.partition)
    }
}

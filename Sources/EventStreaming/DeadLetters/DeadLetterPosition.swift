public import KafkaClient

/// Where a dead letter is in its topic; as text `orders.dead-letters/3/17`.
public struct DeadLetterPosition: Sendable, Hashable {
    /// The topic of dead letters.
    public var topic: String
    /// The partition.
    public var partition: Int32
    /// The offset.
    public var offset: Int64

    /// Names a place in a topic of dead letters.
    public init(topic: String, partition: Int32, offset: Int64) {
        self.topic = topic
        self.partition = partition
        self.offset = offset
    }

    /// Reads the text form.
    ///
    /// - Returns: `nil` for anything else.
    public init?(_ text: String) {
        // Names of topics have no slash.
        let parts = text.split(separator: "/", omittingEmptySubsequences: false)
        guard parts.count == 3, !parts[0].isEmpty, let partition = Int32(parts[1]), partition >= 0,
            let offset = Int64(parts[2]), offset >= 0
        else { return nil }
        self.init(topic: String(parts[0]), partition: partition, offset: offset)
    }

    init(_ record: KafkaConsumerRecord) {
        self.init(topic: record.topic, partition: record.partition, offset: record.offset)
    }

    /// The partition with its topic.
    public var topicPartition: KafkaTopicPartition {
        KafkaTopicPartition(topic: self.topic, partition: self.partition)
    }
}

extension DeadLetterPosition: CustomStringConvertible {
    /// The text form.
    public var description: String { "\(self.topic)/\(self.partition)/\(self.offset)" }
}

/// A partition of a topic.
struct TopicPartition: Hashable, Sendable, Comparable, CustomStringConvertible {
    var topic: String
    var partition: Int32

    init(_ topic: String, _ partition: Int32) {
        self.topic = topic
        self.partition = partition
    }

    static func < (left: TopicPartition, right: TopicPartition) -> Bool {
        (left.topic, left.partition) < (right.topic, right.partition)
    }

    /// The name that Kafka gives the partition's directory: `topic-0`.
    var description: String { "\(self.topic)-\(self.partition)" }
}

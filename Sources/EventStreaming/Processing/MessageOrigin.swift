internal import KafkaClient

/// The record that a message was at first, also when it was read from a retry topic.
struct MessageOrigin: Sendable, Hashable {
    var topic: String
    var partition: Int32
    var offset: Int64
    /// The record's time, unless its log had none.
    var time: UTCTime?

    init(topic: String, partition: Int32, offset: Int64, time: UTCTime?) {
        self.topic = topic
        self.partition = partition
        self.offset = offset
        self.time = time
    }

    init(_ record: KafkaConsumerRecord) {
        self.init(
            topic: record.topic,
            partition: record.partition,
            offset: record.offset,
            time: record.timestamp.flatMap { UTCTime(millisecondsSince1970: $0.millisecondsSince1970) }
        )
    }
}

extension MessageOrigin: CustomStringConvertible {
    var description: String { "\(self.topic)[\(self.partition)]@\(self.offset)" }
}

internal import CLibrdkafka

/// A list of partitions with offsets and results, as librdkafka takes and gives it.
final class PartitionList: Sequence {
    struct Entry {
        var partition: KafkaTopicPartition
        var offset: Int64
        var response: ResponseCode
        /// What was committed with the offset, where that is known.
        var metadata: String
    }

    let pointer: UnsafeMutablePointer<rd_kafka_topic_partition_list_t>
    private let isOwner: Bool

    /// Makes an empty list.
    init(capacity: Int = 8) {
        self.pointer = rd_kafka_topic_partition_list_new(Int32(clamping: capacity))
        self.isOwner = true
    }

    /// Looks at a list that something else owns, such as an event.
    init(borrowing pointer: UnsafeMutablePointer<rd_kafka_topic_partition_list_t>) {
        self.pointer = pointer
        self.isOwner = false
    }

    convenience init(_ partitions: some Collection<KafkaTopicPartition>) {
        self.init(capacity: partitions.count)
        for partition in partitions {
            self.append(partition)
        }
    }

    convenience init(_ offsets: [KafkaTopicPartition: Int64]) {
        self.init(capacity: offsets.count)
        for (partition, offset) in offsets {
            self.append(partition, offset: offset)
        }
    }

    deinit {
        if self.isOwner {
            rd_kafka_topic_partition_list_destroy(self.pointer)
        }
    }

    /// Appends a partition, with librdkafka's "no offset" unless one is given.
    func append(_ partition: KafkaTopicPartition, offset: Int64 = LogicalOffset.invalid) {
        let entry = rd_kafka_topic_partition_list_add(self.pointer, partition.topic, partition.partition)
        entry?.pointee.offset = offset
    }

    func makeIterator() -> AnyIterator<Entry> {
        var index = 0
        return AnyIterator {
            guard index < Int(self.pointer.pointee.cnt) else { return nil }
            defer { index += 1 }
            let entry = self.pointer.pointee.elems[index]
            return Entry(
                partition: KafkaTopicPartition(topic: String(cString: entry.topic), partition: entry.partition),
                offset: entry.offset,
                response: entry.err,
                metadata: entry.metadata.map { metadata in
                    let bytes = UnsafeRawBufferPointer(start: metadata, count: entry.metadata_size)
                    return String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
                } ?? ""
            )
        }
    }

    var partitions: [KafkaTopicPartition] { self.map(\.partition) }
}

/// librdkafka's offsets that are not offsets (macros with casts, which Swift does not import).
enum LogicalOffset {
    static let beginning: Int64 = -2
    static let end: Int64 = -1
    static let stored: Int64 = -1000
    static let invalid: Int64 = -1001
    static let tailBase: Int64 = -2000
}

extension KafkaOffset {
    /// librdkafka's number for the place.
    var librdkafkaValue: Int64 {
        switch self {
        case .beginning: LogicalOffset.beginning
        case .end: LogicalOffset.end
        case .committed: LogicalOffset.stored
        case .absolute(let offset): Swift.max(0, offset)
        case .tail(let count): LogicalOffset.tailBase - Swift.max(0, Swift.min(count, Int64.max / 2))
        }
    }
}

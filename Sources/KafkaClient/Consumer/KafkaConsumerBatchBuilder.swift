internal import CLibrdkafka

/// Collects messages into a batch and notes the last offset of each of their partitions.
struct KafkaConsumerBatchBuilder {
    private let client: ClientHandle
    private let owner: KafkaConsumerBatch?
    private let messages: UnsafeMutableBufferPointer<KafkaConsumerBatch.Message>
    private var count = 0
    private var progress: [KafkaConsumerBatch.Progress] = []
    /// The partition of the last message, in plain fields: messages of one partition mostly follow each other.
    private var current = 0
    private var currentTopic: OpaquePointer?
    private var currentPartition: Int32 = -1
    private var currentOffset: Int64 = -1

    /// - Parameters:
    ///   - messages: where the batch keeps its messages, owned by it from now on; they may be appended in place.
    ///   - owner: the batch that goes on owning the messages that will be appended, if there is one.
    init(
        client: ClientHandle,
        messages: UnsafeMutableBufferPointer<KafkaConsumerBatch.Message>,
        owner: KafkaConsumerBatch? = nil
    ) {
        self.client = client
        self.owner = owner
        self.messages = messages
    }

    /// Takes over a record.
    @inline(__always)
    mutating func append(_ message: KafkaConsumerBatch.Message) {
        self.messages[self.count] = message
        self.count += 1
        if message.pointee.rkt != self.currentTopic || message.pointee.partition != self.currentPartition {
            self.change(to: message)
        }
        self.currentOffset = message.pointee.offset
    }

    private mutating func change(to message: KafkaConsumerBatch.Message) {
        self.settle()
        self.currentTopic = message.pointee.rkt
        self.currentPartition = message.pointee.partition
        if let index = self.progress.firstIndex(where: { self.isOf(message, $0) }) {
            self.current = index
        } else {
            self.current = self.progress.count
            self.progress.append(
                KafkaConsumerBatch.Progress(
                    topicHandle: message.pointee.rkt,
                    partition: self.partition(ofNew: message),
                    lastOffset: message.pointee.offset
                )
            )
        }
    }

    /// Notes the last offset of the current partition.
    private mutating func settle() {
        if self.current < self.progress.count {
            self.progress[self.current].lastOffset = self.currentOffset
        }
    }

    private func isOf(_ message: KafkaConsumerBatch.Message, _ progress: KafkaConsumerBatch.Progress) -> Bool {
        progress.partition.partition == message.pointee.partition && progress.topicHandle == message.pointee.rkt
    }

    /// The partition of a message, with the name of its topic from another partition of the batch where there is one.
    private func partition(ofNew message: KafkaConsumerBatch.Message) -> KafkaTopicPartition {
        guard let other = self.progress.first(where: { $0.topicHandle == message.pointee.rkt }) else {
            return Self.partition(of: message)
        }
        return KafkaTopicPartition(topic: other.partition.topic, partition: message.pointee.partition)
    }

    /// The topic and partition of a message or of an error in the shape of one.
    static func partition(of message: KafkaConsumerBatch.Message) -> KafkaTopicPartition {
        let topic = message.pointee.rkt.flatMap { rd_kafka_topic_name($0) }.map { String(cString: $0) }
        return KafkaTopicPartition(topic: topic ?? "", partition: message.pointee.partition)
    }

    /// The batch; `nil` when it would be empty and no partition ended.
    mutating func finish(endOfPartitions: [KafkaTopicPartition: Int64] = [:]) -> KafkaConsumerBatch? {
        guard self.count > 0 || !endOfPartitions.isEmpty else {
            self.messages.deallocate()
            return nil
        }
        self.settle()
        return KafkaConsumerBatch(
            client: self.client,
            messages: self.messages,
            count: self.count,
            progress: self.progress,
            endOfPartitions: endOfPartitions,
            owner: self.owner
        )
    }
}

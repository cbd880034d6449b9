/// The check of topic names before they become C strings, in which a NUL byte would cut them.
enum TopicName {
    static func check(_ topic: String, operation: String) throws(KafkaError) {
        guard !topic.isEmpty, !topic.utf8.contains(0) else {
            throw KafkaError(
                .unknownTopicOrPartition,
                operation: operation,
                message: "\"\(topic)\" is not a topic name: it must have 1 to 249 of the characters a-z A-Z 0-9 . _ -"
            )
        }
    }

    static func check(
        _ partitions: some Sequence<KafkaTopicPartition>,
        operation: String
    ) throws(KafkaError) {
        for partition in partitions {
            try self.check(partition.topic, operation: operation)
            guard partition.partition >= 0 else {
                throw KafkaError(
                    .unknownTopicOrPartition,
                    operation: operation,
                    topic: partition.topic,
                    message: "\(partition.partition) is not the number of a partition"
                )
            }
        }
    }
}

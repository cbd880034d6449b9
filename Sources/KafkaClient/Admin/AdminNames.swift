/// The checks of what becomes a C string or an argument, in which a NUL byte would cut it or an empty one mean something else.
enum AdminNames {
    static func problem(withTopic topic: String, _ request: AdminRequest) -> KafkaError? {
        do throws(KafkaError) {
            try TopicName.check(topic, operation: request.operation)
            return nil
        } catch {
            return KafkaError(
                error.code,
                operation: request.operation,
                topic: topic,
                group: request.group,
                message: error.message
            )
        }
    }

    static func problem(with partition: KafkaTopicPartition, _ request: AdminRequest) -> KafkaError? {
        if let problem = self.problem(withTopic: partition.topic, request) { return problem }
        guard partition.partition < 0 else { return nil }
        return KafkaError(
            .unknownTopicOrPartition,
            operation: request.operation,
            topic: partition.topic,
            group: request.group,
            message: "\(partition.partition) is not the number of a partition"
        )
    }

    static func problem(withGroup group: String, _ request: AdminRequest) -> KafkaError? {
        guard group.isEmpty || group.utf8.contains(0) else { return nil }
        return request.invalid(
            "\"\(group)\" is not the name of a consumer group: it must not be empty or have a NUL character",
            group: group
        )
    }

    static func problem(
        withSetting name: String,
        value: String?,
        of topic: String?,
        _ request: AdminRequest
    ) -> KafkaError? {
        guard !name.isEmpty, !name.utf8.contains(0) else {
            return request.invalid("\"\(name)\" is not the name of a setting", topic: topic)
        }
        guard value?.utf8.contains(0) != true else {
            return request.invalid("the value of \"\(name)\" has a NUL character", topic: topic)
        }
        return nil
    }

    /// Parts what can be asked for from what can't.
    static func sort<Key: Hashable, Value>(
        _ all: some Sequence<Key>,
        _ problem: (Key) -> KafkaError?
    ) -> (good: [Key], results: [Key: Result<Value, KafkaError>]) {
        var good: [Key] = []
        var seen: Set<Key> = []
        var results: [Key: Result<Value, KafkaError>] = [:]
        for each in all where seen.insert(each).inserted {
            if let problem = problem(each) {
                results[each] = .failure(problem)
            } else {
                good.append(each)
            }
        }
        return (good, results)
    }
}

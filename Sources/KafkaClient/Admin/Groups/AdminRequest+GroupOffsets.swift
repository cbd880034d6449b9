internal import CLibrdkafka

/// Requests about the offsets of one group.
extension AdminRequest {
    /// Asks for the committed offsets of the request's group.
    ///
    /// - Parameters:
    ///   - partitions: which; `nil` for all that have one.
    ///   - requireStable: whether a partition gets an error while an open transaction may still change its offset.
    func listGroupOffsets(
        for partitions: PartitionList?,
        requireStable: Bool,
        client: OpaquePointer,
        options: OpaquePointer,
        queue: OpaquePointer
    ) throws(KafkaError) {
        if requireStable, let error = rd_kafka_AdminOptions_set_require_stable_offsets(options, 1) {
            defer { rd_kafka_error_destroy(error) }
            throw self.error(rd_kafka_error_code(error), text: rd_kafka_error_string(error))
        }
        var object = rd_kafka_ListConsumerGroupOffsets_new(self.group ?? "", partitions?.pointer)
        rd_kafka_ListConsumerGroupOffsets(client, &object, 1, options, queue)
        rd_kafka_ListConsumerGroupOffsets_destroy(object)
    }

    /// The answer to that: partitions without an offset are left out.
    func groupOffsets(
        in event: OpaquePointer
    ) -> Result<[KafkaTopicPartition: Result<KafkaCommittedOffset, KafkaError>], KafkaError> {
        let result = rd_kafka_event_ListConsumerGroupOffsets_result(event)
        return self.partitions(of: event) {
            rd_kafka_ListConsumerGroupOffsets_result_groups(result, $0)
        } read: { entry -> KafkaCommittedOffset? in
            guard entry.offset >= 0 else { return nil }
            return KafkaCommittedOffset(offset: entry.offset, metadata: entry.metadata)
        }
    }

    /// The results in an event about one group.
    ///
    /// - Parameter read: the value of a partition without an error; `nil` leaves it out.
    func partitions<R: Sendable>(
        of event: OpaquePointer,
        _ groups: (UnsafeMutablePointer<Int>) -> UnsafeMutablePointer<OpaquePointer?>?,
        read: (PartitionList.Entry) -> R?
    ) -> Result<[KafkaTopicPartition: Result<R, KafkaError>], KafkaError> {
        var count = 0
        guard let result = groups(&count)?[0], count > 0 else { return .failure(self.noAnswer()) }
        if let error = self.failure(of: result, group: self.group ?? "") { return .failure(error) }
        guard let list = rd_kafka_group_result_partitions(result) else { return .success([:]) }
        return .success(self.results(PartitionList(borrowing: UnsafeMutablePointer(mutating: list)), read: read))
    }

    /// The result of each partition in a list.
    func results<R: Sendable>(
        _ list: PartitionList,
        read: (PartitionList.Entry) -> R?
    ) -> [KafkaTopicPartition: Result<R, KafkaError>] {
        var results: [KafkaTopicPartition: Result<R, KafkaError>] = [:]
        for entry in list {
            if entry.response != RD_KAFKA_RESP_ERR_NO_ERROR {
                results[entry.partition] = .failure(
                    self.error(
                        entry.response,
                        text: nil,
                        topic: entry.partition.topic,
                        partition: entry.partition.partition
                    )
                )
            } else if let value = read(entry) {
                results[entry.partition] = .success(value)
            }
        }
        return results
    }

    /// Adds an error for partitions that the answer does not mention.
    func complete<R>(
        _ results: [KafkaTopicPartition: Result<R, KafkaError>],
        _ asked: [KafkaTopicPartition]
    ) -> [KafkaTopicPartition: Result<R, KafkaError>] {
        var results = results
        for partition in asked where results[partition] == nil {
            results[partition] = .failure(self.noAnswer(topic: partition.topic, partition: partition.partition))
        }
        return results
    }
}

internal import CLibrdkafka

/// Questions to the brokers. They block in C, so they run on the client's threads for blocking calls; a task that is cancelled
/// does not wait for them.
extension ClientHandle {
    /// Asks a broker that librdkafka chooses for metadata. Blocks in C.
    ///
    /// librdkafka may choose one that has just gone, and then waits for that one until the time is up; and it answers that there is
    /// none when no connection stands by then. So it is asked again, after pauses that grow, since a broker may be slow as well.
    ///
    /// - Parameters:
    ///   - all: whether to ask for all topics, rather than those that the client has handles of.
    ///   - topic: the one topic to ask for.
    func metadata(
        all: Bool = false,
        topic: OpaquePointer? = nil,
        timeout: Duration
    ) -> (response: ResponseCode, metadata: UnsafePointer<rd_kafka_metadata>?) {
        let deadline = ContinuousClock.now + timeout
        var metadata: UnsafePointer<rd_kafka_metadata>?
        var attempt = 0
        while true {
            let left = deadline - .now
            let step = min(left, .seconds(1 << min(attempt / 2, 10)))
            let milliseconds = Int32(max(1, step.milliseconds))
            let response = rd_kafka_metadata(self.pointer, all ? 1 : 0, topic, &metadata, milliseconds)
            let mayPass = response == RD_KAFKA_RESP_ERR__TIMED_OUT || response == RD_KAFKA_RESP_ERR__TRANSPORT
            guard mayPass, step < left, self.connectionProblem.refusal == nil else { return (response, metadata) }
            attempt += 1
        }
    }

    /// The numbers of a topic's partitions.
    func partitions(of topic: String, timeout: Duration, operation: String) async throws -> [Int32] {
        try await self.blocking { client throws(KafkaError) in
            let handle = try client.topic(topic, operation: operation)
            let (response, metadata) = client.metadata(topic: handle, timeout: timeout)
            guard response == RD_KAFKA_RESP_ERR_NO_ERROR, let metadata else {
                throw client.queryError(response, operation: operation, timeout: timeout, topic: topic)
            }
            defer { rd_kafka_metadata_destroy(metadata) }
            client.connectionProblem.clear()
            guard metadata.pointee.topic_cnt > 0 else {
                throw KafkaError(RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART, operation: operation, topic: topic)
            }
            let described = metadata.pointee.topics[0]
            guard described.err == RD_KAFKA_RESP_ERR_NO_ERROR else {
                throw KafkaError(described.err, operation: operation, topic: topic)
            }
            return (0..<Int(described.partition_cnt)).map { described.partitions[$0].id }.sorted()
        }
    }

    /// Returns when a broker has answered. Blocks in C.
    ///
    /// - Parameter total: the time-out that an error tells.
    func connect(timeout: Duration, total: Duration, operation: String) throws(KafkaError) {
        var metadata: UnsafePointer<rd_kafka_metadata>?
        let response = rd_kafka_metadata(self.pointer, 0, nil, &metadata, Int32(timeout.milliseconds))
        guard response == RD_KAFKA_RESP_ERR_NO_ERROR, let metadata else {
            throw self.queryError(response, operation: operation, timeout: total)
        }
        self.connectionProblem.clear()
        rd_kafka_metadata_destroy(metadata)
    }

    /// The two ends of a partition's log.
    func watermarks(
        of partition: KafkaTopicPartition,
        timeout: Duration,
        operation: String
    )
        async throws -> KafkaWatermarks
    {
        try TopicName.check(CollectionOfOne(partition), operation: operation)
        return try await self.blocking { client throws(KafkaError) in
            var low: Int64 = 0
            var high: Int64 = 0
            let response = rd_kafka_query_watermark_offsets(
                client.pointer,
                partition.topic,
                partition.partition,
                &low,
                &high,
                Int32(timeout.milliseconds)
            )
            guard response == RD_KAFKA_RESP_ERR_NO_ERROR else {
                throw client.queryError(
                    response,
                    operation: operation,
                    timeout: timeout,
                    topic: partition.topic,
                    partition: partition.partition
                )
            }
            client.connectionProblem.clear()
            return KafkaWatermarks(low: low, high: high)
        }
    }

    /// The offsets that the group has committed; partitions without one are left out.
    func committedOffsets(
        for partitions: [KafkaTopicPartition],
        timeout: Duration,
        operation: String
    )
        async throws -> [KafkaTopicPartition: Int64]
    {
        try TopicName.check(partitions, operation: operation)
        return try await self.blocking { client throws(KafkaError) in
            let list = PartitionList(partitions)
            let response = rd_kafka_committed(client.pointer, list.pointer, Int32(timeout.milliseconds))
            guard response == RD_KAFKA_RESP_ERR_NO_ERROR else {
                throw client.queryError(response, operation: operation, timeout: timeout)
            }
            client.connectionProblem.clear()
            var offsets: [KafkaTopicPartition: Int64] = [:]
            for entry in list {
                guard entry.response == RD_KAFKA_RESP_ERR_NO_ERROR else {
                    throw client.queryError(
                        entry.response,
                        operation: operation,
                        timeout: timeout,
                        topic: entry.partition.topic,
                        partition: entry.partition.partition
                    )
                }
                if entry.offset >= 0 {
                    offsets[entry.partition] = entry.offset
                }
            }
            return offsets
        }
    }

    /// The error of a question, which says why no broker can be reached where that is the reason.
    func queryError(
        _ response: ResponseCode,
        operation: String,
        timeout: Duration,
        topic: String? = nil,
        partition: Int32? = nil,
        group: String? = nil,
        text: String? = nil
    ) -> KafkaError {
        let error = KafkaError(
            response,
            operation: operation,
            topic: topic,
            partition: partition,
            group: group,
            text: text,
            detail: self.connectionProblem.detail
        )
        guard error.code == .timedOut || error.code == .brokerUnreachable,
            let problem = self.connectionProblem.detail
        else { return error }
        return KafkaError(
            self.connectionProblem.code,
            operation: operation,
            topic: topic,
            partition: partition,
            group: group,
            message: "no broker answered within \(timeout): \(problem)",
            librdkafkaName: error.librdkafkaName,
            disposition: KafkaError.Disposition(isRetriable: self.connectionProblem.code == .brokerUnreachable)
        )
    }
}

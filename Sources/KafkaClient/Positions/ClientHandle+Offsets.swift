internal import CLibrdkafka

/// Questions for offsets, several partitions at a time.
extension ClientHandle {
    /// Places in a log that the brokers know like times.
    enum LogEnd {
        /// Behind the newest record, or the last stable offset where only committed records are read.
        static let newest: Int64 = -1
        /// The oldest record.
        static let oldest: Int64 = -2
    }

    /// For each partition the offset of its first record of a time or later; for a time behind all records the end.
    ///
    /// Nothing that comes meanwhile is skipped: the end is one from before the last look for a record of that time.
    func offsets(
        for times: [KafkaTopicPartition: KafkaTimestamp],
        timeout: Duration,
        operation: String
    ) async throws -> [KafkaTopicPartition: Int64] {
        let deadline = ContinuousClock.now + timeout
        let questions = times.mapValues { max(0, $0.millisecondsSince1970) }
        var offsets = try await self.lookUp(questions, until: deadline, timeout: timeout, operation: operation)
        let missing = questions.filter { offsets[$0.key] == nil }
        guard !missing.isEmpty else { return offsets }
        let ends = try await self.lookUp(
            missing.mapValues { _ in LogEnd.newest },
            until: deadline,
            timeout: timeout,
            operation: operation
        )
        let late = try await self.lookUp(missing, until: deadline, timeout: timeout, operation: operation)
        offsets.merge(ends) { _, end in end }
        offsets.merge(late) { _, found in found }
        return offsets
    }

    /// For each partition the first offset of a time (milliseconds since 1970) or later, or an end of the log.
    /// Partitions without one are left out.
    ///
    /// - Parameter timeout: the time-out that an error tells.
    /// - Throws: the error of the first partition that has one.
    func lookUp(
        _ times: [KafkaTopicPartition: Int64],
        until deadline: ContinuousClock.Instant,
        timeout: Duration,
        operation: String
    ) async throws -> [KafkaTopicPartition: Int64] {
        guard !times.isEmpty else { return [:] }
        try TopicName.check(times.keys, operation: operation)
        return try await self.blocking { client throws(KafkaError) in
            let list = PartitionList(times)
            let left = max(Duration.milliseconds(1), deadline - .now)
            let response = rd_kafka_offsets_for_times(client.pointer, list.pointer, Int32(left.milliseconds))
            guard response == RD_KAFKA_RESP_ERR_NO_ERROR else {
                let only = times.count == 1 ? times.keys.first : nil
                throw client.queryError(
                    response,
                    operation: operation,
                    timeout: timeout,
                    topic: only?.topic,
                    partition: only?.partition
                )
            }
            client.connectionProblem.clear()
            var offsets: [KafkaTopicPartition: Int64] = [:]
            for entry in list.sorted(by: { $0.partition < $1.partition }) {
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

    /// The two ends of the logs of several partitions.
    func logEnds(
        of partitions: some Sequence<KafkaTopicPartition>,
        until deadline: ContinuousClock.Instant,
        timeout: Duration,
        operation: String
    ) async throws -> [KafkaTopicPartition: KafkaWatermarks] {
        let partitions = Set(partitions)
        // The starts go first: they only move towards the ends.
        let questions = [LogEnd.oldest, LogEnd.newest].map { end in partitions.reduce(into: [:]) { $0[$1] = end } }
        let answers = try await self.lookUp(questions, until: deadline, timeout: timeout, operation: operation)
        return partitions.reduce(into: [:]) { result, partition in
            let start = answers[0][partition] ?? 0
            result[partition] = KafkaWatermarks(low: start, high: max(start, answers[1][partition] ?? start))
        }
    }

    /// Makes several look-ups at the same time.
    func lookUp(
        _ rounds: [[KafkaTopicPartition: Int64]],
        until deadline: ContinuousClock.Instant,
        timeout: Duration,
        operation: String
    ) async throws -> [[KafkaTopicPartition: Int64]] {
        try await withThrowingTaskGroup(of: (Int, [KafkaTopicPartition: Int64]).self) { group in
            for (index, times) in rounds.enumerated() {
                group.addTask {
                    (index, try await self.lookUp(times, until: deadline, timeout: timeout, operation: operation))
                }
            }
            var answers = Array(repeating: [KafkaTopicPartition: Int64](), count: rounds.count)
            for try await (index, answer) in group { answers[index] = answer }
            return answers
        }
    }
}

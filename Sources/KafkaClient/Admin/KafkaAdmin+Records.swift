internal import CLibrdkafka

// MARK: Records and offsets

extension KafkaAdmin {
    /// Deletes the oldest records of partitions (DeleteRecords, KIP-107).
    ///
    /// - Parameter offsets: for each partition where it begins afterwards: the `absolute` offset of the oldest record to stay,
    ///   or the `end`, to delete all. Of other places it is not known what would be deleted.
    /// - Returns: for each partition the offset of the oldest record that is left. Codes: `offsetOutOfRange` beyond the end,
    ///   `unknownTopicOrPartition`, `invalidRequest`.
    /// - Throws: ``KafkaError`` when the request as a whole failed; see ``KafkaAdmin``.
    public func deleteRecords(
        before offsets: [KafkaTopicPartition: KafkaOffset],
        timeout: Duration = .seconds(30)
    ) async throws -> [KafkaTopicPartition: Result<Int64, KafkaError>] {
        let request = self.core.request(
            operation: "delete records",
            kind: RD_KAFKA_ADMIN_OP_DELETERECORDS,
            timeout: timeout,
            isChange: true
        )
        let (asked, rejected): ([KafkaTopicPartition], [KafkaTopicPartition: Result<Int64, KafkaError>]) =
            AdminNames.sort(offsets.keys) { partition in
                if let problem = AdminNames.problem(with: partition, request) { return problem }
                switch offsets[partition] {
                case .end: return nil
                case .absolute(let offset) where offset >= 0: return nil
                case let place:
                    return request.invalid(
                        "records are deleted before an `absolute` offset from 0 or the `end`, not before "
                            + "\(place.map { "\($0)" } ?? "nothing")",
                        topic: partition.topic,
                        partition: partition.partition
                    )
                }
            }
        guard !asked.isEmpty else { return rejected }
        let list = PartitionList(offsets.filter { rejected[$0.key] == nil }.mapValues(\.librdkafkaValue))
        var found: [KafkaTopicPartition: Result<Int64, KafkaError>] = [:]
        do {
            found = try await self.core.ask(request) { client, options, queue in
                var object = rd_kafka_DeleteRecords_new(list.pointer)
                rd_kafka_DeleteRecords(client, &object, 1, options, queue)
                rd_kafka_DeleteRecords_destroy(object)
            } read: { event in
                let list = rd_kafka_DeleteRecords_result_offsets(rd_kafka_event_DeleteRecords_result(event))
                guard let list else { return .failure(request.noAnswer()) }
                return .success(
                    request.results(PartitionList(borrowing: UnsafeMutablePointer(mutating: list))) { $0.offset }
                )
            }
        } catch let error as KafkaError where error.librdkafkaName == Self.noLeadersName {
            // None of the partitions exists, so librdkafka had nobody to ask.
            for partition in asked {
                found[partition] = .failure(
                    request.error(
                        RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART,
                        text: nil,
                        topic: partition.topic,
                        partition: partition.partition
                    )
                )
            }
        }
        return rejected.merging(request.complete(found, asked)) { _, new in new }
    }

    /// librdkafka's name of the error that no partition of a request has a leader.
    private static let noLeadersName = String(cString: rd_kafka_err2name(RD_KAFKA_RESP_ERR__NOENT))

    /// The two ends of a partition's log.
    ///
    /// - Throws: `CancellationError` at once when the task is cancelled; ``KafkaError`` with the code
    ///   `unknownTopicOrPartition`, or `brokerUnreachable` when no broker answers within `timeout`.
    public func watermarks(
        of partition: KafkaTopicPartition,
        timeout: Duration = .seconds(5)
    ) async throws -> KafkaWatermarks {
        let operation = "watermarks"
        return try await self.core.question(operation: operation) { client in
            try await client.watermarks(of: partition, timeout: timeout, operation: operation)
        }
    }

    /// For each partition the offset of its first record of that time or later.
    ///
    /// A time behind all records means the end, where records will be that come later; see ``Configuration/isolationLevel``.
    /// A time before 1970 means the oldest record.
    ///
    /// - Throws: `CancellationError` at once when the task is cancelled; ``KafkaError`` with the code
    ///   `unknownTopicOrPartition`, or `brokerUnreachable` when no broker answers within `timeout`.
    public func offsets(
        for times: [KafkaTopicPartition: KafkaTimestamp],
        timeout: Duration = .seconds(5)
    ) async throws -> [KafkaTopicPartition: Int64] {
        let operation = "offsets for times"
        return try await self.core.question(operation: operation) { client in
            try await client.offsets(for: times, timeout: timeout, operation: operation)
        }
    }

    /// How far a group is behind the ends of the partitions that it has committed offsets of, in records and in time.
    ///
    /// What counts is what is committed: a member may have processed more.
    ///
    /// - Throws: ``KafkaError`` that names the partition that can't be asked for, or with the code `brokerUnreachable` when
    ///   no broker answers within `timeout`; `CancellationError` at once when the task is cancelled.
    public func lag(
        of group: String,
        timeout: Duration = .seconds(10)
    ) async throws -> [KafkaTopicPartition: KafkaLag] {
        let operation = "lag"
        let deadline = ContinuousClock.now + timeout
        let committed = try await self.listGroupOffsets(group, timeout: timeout).mapValues { try $0.get().offset }
        return try await self.core.question(operation: operation) { client in
            let ends = try await client.logEnds(
                of: committed.keys,
                until: deadline,
                timeout: timeout,
                operation: operation
            )
            return try await client.lag(
                of: committed,
                ends: ends,
                until: deadline,
                timeout: timeout,
                operation: operation
            )
        }
    }
}

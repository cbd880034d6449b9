// MARK: Positions

extension KafkaConsumer {
    /// The offset of the next record that the consumer hands over of a partition.
    ///
    /// Once something was read of the partition, that is the offset behind the last record that was taken, which the
    /// consumer knows. Before, it is the place that was given for it, the committed offset, or what
    /// ``Configuration/autoOffsetReset`` says, which the brokers are asked for. What waits in ``partitions`` or in
    /// ``process(ordering:concurrency:window:_:)`` counts as handed over.
    ///
    /// - Throws: ``KafkaError`` with the code `invalidState` for a partition that is not assigned to this consumer,
    ///   `brokerUnreachable` when no broker answers within `timeout`; `CancellationError` at once when the task is cancelled.
    public func position(of partition: KafkaTopicPartition, timeout: Duration = .seconds(5)) async throws -> Int64 {
        let operation = "position"
        let client = try self.core.client(for: operation)
        guard self.core.assignment.contains(partition) else {
            throw KafkaError(
                .invalidState,
                operation: operation,
                topic: partition.topic,
                partition: partition.partition,
                message: "the partition is not assigned to this consumer"
            )
        }
        if let next = self.core.next(of: [partition], client: client)[partition] { return next.offset }
        let deadline = ContinuousClock.now + timeout
        let ends = try await client.logEnds(of: [partition], until: deadline, timeout: timeout, operation: operation)
        let first = try await self.core.firstPositions(
            of: [partition],
            ends: ends,
            client: client,
            until: deadline,
            timeout: timeout,
            operation: operation
        )
        return first[partition] ?? 0
    }

    /// How far this consumer is behind the ends of the partitions that it reads, in records and in time.
    ///
    /// The brokers are asked when this is called, and only then, in up to six rounds: a consumer that waits for records may
    /// have to wait ``Configuration/fetchMaxWait`` for each. What ``position(of:timeout:)`` says of a partition that
    /// nothing was read of yet goes for its lag, too.
    ///
    /// ```swift
    /// for (partition, lag) in try await consumer.lag() {
    ///     print(partition, lag.records, lag.age ?? .zero)
    /// }
    /// ```
    ///
    /// - Throws: ``KafkaError`` that names the partition that can't be asked for, or with the code `brokerUnreachable` when
    ///   no broker answers within `timeout`; `CancellationError` at once when the task is cancelled.
    public func lag(timeout: Duration = .seconds(10)) async throws -> [KafkaTopicPartition: KafkaLag] {
        let operation = "lag"
        let client = try self.core.client(for: operation)
        let assignment = self.core.assignment
        let deadline = ContinuousClock.now + timeout
        let ends = try await client.logEnds(of: assignment, until: deadline, timeout: timeout, operation: operation)
        let next = self.core.next(of: assignment, client: client)
        let first = try await self.core.firstPositions(
            of: assignment.filter { next[$0] == nil },
            ends: ends,
            client: client,
            until: deadline,
            timeout: timeout,
            operation: operation
        )
        return try await client.lag(
            of: first.merging(next.mapValues(\.offset)) { _, next in next },
            times: next.compactMapValues(\.timestamp),
            ends: ends,
            until: deadline,
            timeout: timeout,
            operation: operation
        )
    }

    /// For each partition the offset of its first record of that time or later.
    ///
    /// A time behind all records means the end, where records will be that come later; with `read_committed` the last
    /// stable offset. A time before 1970 means the oldest record.
    ///
    /// - Throws: `CancellationError` at once when the task is cancelled; ``KafkaError`` with the code
    ///   `unknownTopicOrPartition`, or `brokerUnreachable` when no broker answers within `timeout`.
    public func offsets(
        for times: [KafkaTopicPartition: KafkaTimestamp],
        timeout: Duration = .seconds(5)
    ) async throws -> [KafkaTopicPartition: Int64] {
        let operation = "offsets for times"
        return try await self.core.client(for: operation)
            .offsets(for: times, timeout: timeout, operation: operation)
    }
}

/// Reading on from another place.
///
/// After a seek returns, no record from before it is handed out any more: neither what waits in the client nor what a
/// sequence of records has left of its batch. What is in hand is not counted as processed any more. The group's commits follow: the
/// place counts as processed up to, so a later commit may be lower than an earlier one. Other partitions are not touched.
///
/// The stream of a partition (``partitions``) ends at a seek, and another one begins at the new place.
///
/// Seeking works while the reader waits or processes, from any task, while a partition is being assigned, before the first
/// record and while it is paused; it stays paused. Only partitions that the consumer owns can be moved, not those that it is
/// about to give up.
extension KafkaConsumer {
    /// Reads a partition on from a place.
    ///
    /// ``KafkaOffset/end`` is the end of this moment: what is written after the seek has returned is read.
    ///
    /// - Parameter timeout: how long each question to the brokers may take that finds out the offset. An absolute offset needs none.
    /// - Returns: the offset that is read next, if the log still has it; else see ``Configuration/autoOffsetReset``.
    /// - Throws: ``KafkaError`` with the code `groupMembership` for a partition that the consumer does not own, and for
    ///   one that has not been read yet while others are taken away (it may be retried); `offsetOutOfRange` for the
    ///   committed offset of a group without one when ``Configuration/autoOffsetReset`` is `fail`, `brokerUnreachable` when no broker
    ///   answers within `timeout`; `CancellationError`. When librdkafka fails or
    ///   takes too long in the middle, some of several partitions may have been moved.
    @discardableResult
    public func seek(
        _ partition: KafkaTopicPartition,
        to place: KafkaOffset,
        timeout: Duration = .seconds(5)
    ) async throws -> Int64 {
        let offsets = try await self.core.seek([partition: place], timeout: timeout)
        return offsets[partition] ?? 0
    }

    /// Reads partitions on, each from a place of its own.
    ///
    /// - Parameter timeout: as for ``seek(_:to:timeout:)-(KafkaTopicPartition,_,_)``.
    /// - Returns: the offset that is read next, per partition.
    /// - Throws: as ``seek(_:to:timeout:)-(KafkaTopicPartition,_,_)``.
    @discardableResult
    public func seek(
        _ places: [KafkaTopicPartition: KafkaOffset],
        timeout: Duration = .seconds(5)
    ) async throws -> [KafkaTopicPartition: Int64] {
        try await self.core.seek(places, timeout: timeout)
    }

    /// Reads partitions on from the first record whose time is this or later; from the end where there is none.
    ///
    /// - Parameters:
    ///   - partitions: partitions that the consumer owns.
    ///   - time: the time of records, by the producer's or the broker's clock, as the topic says (KIP-32).
    ///   - timeout: as for ``seek(_:to:timeout:)-(KafkaTopicPartition,_,_)``.
    /// - Returns: the offset that is read next, per partition.
    /// - Throws: as ``seek(_:to:timeout:)-(KafkaTopicPartition,_,_)``.
    @discardableResult
    public func seek(
        _ partitions: some Collection<KafkaTopicPartition>,
        to time: KafkaTimestamp,
        timeout: Duration = .seconds(5)
    ) async throws -> [KafkaTopicPartition: Int64] {
        try await self.core.seek(partitions, to: time, timeout: timeout)
    }
}

internal import Synchronization

/// Reading each partition apart from the others.
extension KafkaConsumer {
    /// A stream of each partition, when it is assigned. Ends when the consumer is closed or the task is cancelled.
    ///
    /// A partition that is read slowly, or not at all, holds up no other one: what is fetched of it waits, up to
    /// ``Configuration/maxPrefetchedBytes`` and ``Configuration/maxPrefetchedRecords``, which here hold for each partition.
    /// ``Configuration/maxPollInterval`` holds for each stream.
    ///
    /// ```swift
    /// for try await partition in consumer.partitions {
    ///     group.addTask {
    ///         for try await record in partition.records { ... }
    ///     }
    /// }
    /// ```
    ///
    /// Note that a task group whose child throws cancels the other children but does not end such a loop in its body:
    /// ``forEachPartition(_:)`` does. A consumer that is read by partitions can't be read in another way any more, nor the
    /// other way round.
    public var partitions: KafkaPartitionStreams { KafkaPartitionStreams(core: self.core) }

    /// Runs `body` for each partition, from when it is assigned, in a task of its own.
    ///
    /// ```swift
    /// try await consumer.forEachPartition { partition in
    ///     for try await record in partition.records {
    ///         try await bill(record)
    ///     }
    /// }
    /// ```
    ///
    /// Returns when the consumer is closed or the task is cancelled, and every `body` has ended.
    ///
    /// - Throws: the first error that a `body` throws, after the others were cancelled and have ended, and ``KafkaError`` as
    ///   ``partitions`` does. Called again, it goes on where it was.
    public func forEachPartition(
        _ body: @escaping @Sendable (KafkaPartitionStream) async throws -> Void
    ) async throws {
        guard self.core.state.withLock({ $0.phase == .open }) else { return }
        let readers = try self.core.partitionReaders(.partitions)
        try await readers.forEachChannel { try await body(KafkaPartitionStream(channel: $0)) }
    }
}

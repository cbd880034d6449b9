extension KafkaConsumer {
    /// Stops handing out records of partitions, and returns when it has: what was on its way is kept and comes first after
    /// ``resume(_:)``, so nothing is lost, repeated or out of order.
    ///
    /// The consumer stays the owner of the partitions and may go on committing what it has in hand of them. Their records go
    /// on being fetched until ``Configuration/maxPrefetchedBytes`` or ``Configuration/maxPrefetchedRecords`` is reached by
    /// each partition.
    ///
    /// A pause ends with ``resume(_:)`` and with the consumer, by nothing else: a partition that is taken away and comes
    /// back is still paused, and so is one that is paused before it is given for the first time.
    ///
    /// - Throws: ``KafkaError`` with the code `closed`.
    public func pause(_ partitions: some Sequence<KafkaTopicPartition> & Sendable) async throws(KafkaError) {
        try await self.core.pause(Set(partitions))
    }

    /// Hands out records of paused partitions again. Partitions that are not paused are left alone.
    ///
    /// - Throws: ``KafkaError`` with the code `closed`.
    public func resume(_ partitions: some Sequence<KafkaTopicPartition> & Sendable) async throws(KafkaError) {
        try await self.core.resume(Set(partitions))
    }

    /// The partitions that are paused, whether the consumer owns them or not.
    public var paused: Set<KafkaTopicPartition> { self.core.paused }
}

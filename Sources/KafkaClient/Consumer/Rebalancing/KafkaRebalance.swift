internal import Synchronization

/// A rebalance of a consumer group, as a member's hook sees it.
///
/// Given to ``KafkaConsumer/Configuration/onAssigned``, ``KafkaConsumer/Configuration/onRevoked`` and
/// ``KafkaConsumer/Configuration/onLost``. The group waits for the hook to return, until ``deadline``.
public final class KafkaRebalance: Sendable {
    /// The partitions that are given or taken; an eager group gives and takes all at once.
    public let partitions: Set<KafkaTopicPartition>

    /// Until when the group waits. Then the hook's task is cancelled, and the rebalance goes on without it: partitions that
    /// are revoked are given up, and commits for them are refused.
    public let deadline: ContinuousClock.Instant

    private let core: ConsumerCore
    private let kind: Rebalance.Kind
    /// Where to begin, per partition; `nil` once the rebalance has gone on.
    private let starts = Mutex<[KafkaTopicPartition: KafkaOffset]?>([:])

    init(_ rebalance: Rebalance, deadline: ContinuousClock.Instant, core: ConsumerCore) {
        self.partitions = rebalance.partitions
        self.deadline = deadline
        self.core = core
        self.kind = rebalance.kind
    }

    /// Commits what was processed, and returns when the broker has taken it.
    ///
    /// - Throws: ``KafkaError`` with the code `groupMembership` for partitions that are lost, or whose deadline is over;
    ///   else as ``KafkaConsumer/commit()``.
    public func commit() async throws(KafkaError) {
        try self.core.checkOwned(self.partitions, operation: ConsumerCore.commitOperation)
        try await self.core.commit()
    }

    /// Commits positions, and returns when the broker has taken them.
    ///
    /// - Parameter offsets: the offset of the next record to read, per partition.
    /// - Throws: ``KafkaError`` with the code `groupMembership` for partitions that are lost, or whose deadline is over;
    ///   else as ``KafkaConsumer/commit(_:)-([KafkaTopicPartition:Int64])``.
    public func commit(_ offsets: [KafkaTopicPartition: Int64]) async throws(KafkaError) {
        try self.core.checkOwned(self.partitions, operation: ConsumerCore.commitOperation)
        try await self.core.commit(offsets)
    }

    /// Reads a partition that was given from this place on, instead of from the offset that the group committed.
    ///
    /// Only in ``KafkaConsumer/Configuration/onAssigned``, where nothing has been fetched yet.
    ///
    /// - Throws: ``KafkaError`` with the code `invalidState` in another hook, for another partition, or after ``deadline``.
    public func seek(_ partition: KafkaTopicPartition, to offset: KafkaOffset) throws(KafkaError) {
        try self.starts.withLock { starts throws(KafkaError) in
            guard self.kind == .assigned, self.partitions.contains(partition), starts != nil else {
                throw KafkaError(
                    .invalidState,
                    operation: "seek",
                    topic: partition.topic,
                    partition: partition.partition,
                    message: "the partition is not being assigned: seek in onAssigned, before its deadline"
                )
            }
            starts?[partition] = offset
        }
    }

    /// Reads partitions from these places on, whoever chose them.
    func choose(_ places: [KafkaTopicPartition: KafkaOffset]) {
        self.starts.withLock { $0?.merge(places) { _, chosen in chosen } }
    }

    /// The places that were chosen. Further ones are refused.
    func takeStarts() -> [KafkaTopicPartition: KafkaOffset] {
        self.starts.withLock { starts in
            defer { starts = nil }
            return starts ?? [:]
        }
    }
}

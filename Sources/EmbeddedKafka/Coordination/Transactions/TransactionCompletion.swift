/// The outcome of a transaction, to be carried out by the caller: a control batch in each partition, data or not, and the
/// offsets of each group shown or dropped. Then comes ``TransactionCoordinator/completed(transactionalID:now:)``.
///
/// After a restart it may come a second time. A partition whose topic has been deleted is passed over.
struct TransactionCompletion: Hashable, Sendable {
    var transactionalID: String
    /// What the markers say. When the coordinator has fenced the producer the epoch is already above the producer's own, so
    /// that the partitions refuse what the producer sends late.
    var producer: ProducerIdentity
    var coordinatorEpoch: Int32
    var commit: Bool
    /// Sorted.
    var partitions: [TopicPartition]
    /// Sorted.
    var groups: [String]
}

/// What DescribeTransactions tells about a transactional id.
struct TransactionDescription: Hashable, Sendable {
    var transactionalID: String
    var state: TransactionState
    var producer: ProducerIdentity
    /// Milliseconds.
    var timeout: Int32
    /// Milliseconds since 1970; -1 when no transaction is open.
    var startTime: Int64
    /// Sorted.
    var partitions: [TopicPartition]
}

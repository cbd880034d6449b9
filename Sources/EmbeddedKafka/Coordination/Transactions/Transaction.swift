/// A transactional id, with its producer and the transaction that is open, if one is.
struct Transaction {
    /// What the id becomes when its open transaction is aborted for the sake of a new producer.
    struct Successor: Hashable {
        var producer: ProducerIdentity
        var formerProducer: ProducerIdentity?
        var timeout: Int32
    }

    var producer: ProducerIdentity
    /// Who this producer was before it bumped its own epoch (KIP-360): a repeated request of that one gets the same answer.
    /// Nil when another producer took the id over, which fences it for good.
    var formerProducer: ProducerIdentity?
    /// How long a transaction may stay open, milliseconds.
    var timeout: Int32
    var state = TransactionState.empty
    var partitions: Set<TopicPartition> = []
    /// The groups whose offsets are committed with the transaction.
    var groups: Set<String> = []
    /// When the open transaction began, milliseconds since 1970; -1 when none is open.
    var startTime: Int64 = -1
    var successor: Successor?

    /// When the coordinator gives the open transaction up.
    var deadline: Int64? {
        self.state == .ongoing ? Deadline.after(self.timeout, from: self.startTime) : nil
    }

    /// Whether the outcome is decided and not yet carried out.
    var isDecided: Bool { self.state == .prepareCommit || self.state == .prepareAbort }

    /// Opens a transaction unless one is open.
    mutating func begin(now: Int64) {
        guard self.state != .ongoing else { return }
        self.state = .ongoing
        self.startTime = now
        self.partitions = []
        self.groups = []
    }

    /// What remains to be done once the outcome is decided; nil while it isn't.
    func completion(transactionalID: String, coordinatorEpoch: Int32) -> TransactionCompletion? {
        guard self.isDecided else { return nil }
        return TransactionCompletion(
            transactionalID: transactionalID,
            producer: self.producer,
            coordinatorEpoch: coordinatorEpoch,
            commit: self.state == .prepareCommit,
            partitions: self.partitions.sorted(),
            groups: self.groups.sorted()
        )
    }
}

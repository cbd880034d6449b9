/// What a group gave to a member or took from it.
struct Rebalance: Sendable, Equatable {
    enum Kind: Sendable {
        case assigned
        case revoked
        /// Others may own the partitions already.
        case lost
        /// The consumer left the group by itself, because processing took too long; librdkafka revokes the partitions later.
        case expelled
        /// The consumer is closed, and gives up all that it has.
        case closing
    }

    var id: Int
    var kind: Kind
    var partitions: Set<KafkaTopicPartition>
}

/// The rebalances of a member, which are answered one after the other, and how far the one that is being served has come.
///
/// librdkafka mostly waits for an answer before it sends another rebalance, but not always: a session that ends, or a
/// subscription that ends, revokes again what is being revoked.
struct RebalanceLine {
    enum Stage: Sendable {
        /// What is in hand is being finished.
        case draining
        /// The application's hook is running.
        case hook
        /// What was processed is being committed.
        case committing
        /// Where to begin is being found out.
        case placing
    }

    private var waiting: [Rebalance] = []
    private var nextID = 0
    private(set) var current: Rebalance?
    private(set) var stage = Stage.draining

    /// A rebalance came; it waits for its turn.
    @discardableResult
    mutating func append(_ kind: Rebalance.Kind, _ partitions: Set<KafkaTopicPartition>) -> Rebalance {
        defer { self.nextID += 1 }
        let rebalance = Rebalance(id: self.nextID, kind: kind, partitions: partitions)
        self.waiting.append(rebalance)
        return rebalance
    }

    /// The next rebalance to serve, unless one is being served.
    mutating func begin() -> Rebalance? {
        guard self.current == nil, !self.waiting.isEmpty else { return nil }
        self.current = self.waiting.removeFirst()
        self.stage = .draining
        return self.current
    }

    /// The rebalance that is being served has come further.
    mutating func enter(_ stage: Stage) {
        self.stage = stage
    }

    /// The rebalance with this number, if it is being served and is in this stage; `nil` says that a report comes late.
    func served(_ id: Int, in stage: Stage? = nil) -> Rebalance? {
        guard let current, current.id == id, stage == nil || stage == self.stage else { return nil }
        return current
    }

    /// The rebalance that is being served was answered.
    mutating func finish() {
        self.current = nil
    }
}

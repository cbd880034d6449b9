internal import NIOCore

/// The coordinator of transactions, which also gives out producer ids.
///
/// A plain state machine. It decides; the caller carries out a ``TransactionCompletion`` as soon as it gets one and then
/// says so, before it lets anything else happen. A producer that has been fenced gets 90, which the oldest versions of the
/// requests call 47.
struct TransactionCoordinator {
    /// The longest transaction that a producer may ask for (`transaction.max.timeout.ms`), milliseconds.
    let maximumTimeout: Int32
    /// There is one coordinator for good, so that its epoch in the markers never changes.
    let coordinatorEpoch: Int32 = 0

    var transactions: [String: Transaction] = [:]
    /// Who has or had an id: what a transactional batch is checked by if its request doesn't name the transactional id.
    var owners: [Int64: String] = [:]
    var producerIDs = ProducerIDs()
    var changes: ChangedKeys<String>

    /// - Parameters:
    ///   - maximumTimeout: The longest transaction that a producer may ask for, milliseconds.
    ///   - keepsChanges: Whether changes are remembered for ``takeChanges()``. A broker that keeps nothing says no.
    init(maximumTimeout: Int32 = 900_000, keepsChanges: Bool = true) {
        self.maximumTimeout = maximumTimeout
        self.changes = ChangedKeys(isKept: keepsChanges)
    }

    // MARK: What goes into a transaction

    /// Adds partitions, opening a transaction with the first (AddPartitionsToTxn). Whether they exist is the caller's to
    /// check.
    mutating func addPartitions(
        transactionalID: String,
        producerID: Int64,
        epoch: Int16,
        _ partitions: [TopicPartition],
        now: Int64
    ) -> ErrorCode {
        self.add(transactionalID, producerID, epoch, now: now) { $0.partitions.formUnion(partitions) }
    }

    /// Adds a group, so that its offsets can be committed with the transaction (AddOffsetsToTxn).
    mutating func addOffsets(
        transactionalID: String,
        producerID: Int64,
        epoch: Int16,
        group: String,
        now: Int64
    ) -> ErrorCode {
        self.add(transactionalID, producerID, epoch, now: now) { $0.groups.insert(group) }
    }

    private mutating func add(
        _ transactionalID: String,
        _ producerID: Int64,
        _ epoch: Int16,
        now: Int64,
        _ change: (inout Transaction) -> Void
    ) -> ErrorCode {
        if let complaint = self.complaint(transactionalID, producerID, epoch) { return complaint }
        guard var transaction = self.transactions[transactionalID] else { return .invalidProducerIDMapping }
        guard !transaction.isDecided else { return .concurrentTransactions }
        transaction.begin(now: now)
        change(&transaction)
        self.store(transactionalID, transaction)
        return .none
    }

    // MARK: The end

    /// Commits or aborts (EndTxn). Asked again for the same outcome it says yes without doing anything.
    mutating func end(
        transactionalID: String,
        producerID: Int64,
        epoch: Int16,
        commit: Bool,
        now: Int64
    ) -> (error: ErrorCode, effects: [TransactionCompletion]) {
        if let complaint = self.complaint(transactionalID, producerID, epoch) { return (complaint, []) }
        guard var transaction = self.transactions[transactionalID] else { return (.invalidProducerIDMapping, []) }
        switch (transaction.state, commit) {
        case (.ongoing, _):
            transaction.state = commit ? .prepareCommit : .prepareAbort
            self.store(transactionalID, transaction)
            return (.none, self.completions(of: [transactionalID]))
        case (.completeCommit, true), (.completeAbort, false):
            return (.none, [])
        case (.prepareCommit, true), (.prepareAbort, false):
            return (.concurrentTransactions, [])
        case (.empty, _), (.completeCommit, _), (.completeAbort, _), (.prepareCommit, _), (.prepareAbort, _),
            (.dead, _),
            (.prepareEpochFence, _):
            return (.invalidTransactionState, [])
        }
    }

    /// The outcome has been carried out: markers and offsets are written.
    mutating func completed(transactionalID: String, now: Int64) {
        guard var transaction = self.transactions[transactionalID] else { return }
        switch transaction.state {
        case .prepareCommit: transaction.state = .completeCommit
        case .prepareAbort: transaction.state = .completeAbort
        case .empty, .ongoing, .completeCommit, .completeAbort, .dead, .prepareEpochFence: return
        }
        transaction.partitions = []
        transaction.groups = []
        transaction.startTime = -1
        if let successor = transaction.successor {
            transaction.state = .empty
            transaction.producer = successor.producer
            transaction.formerProducer = successor.formerProducer
            transaction.timeout = successor.timeout
            transaction.successor = nil
        }
        self.store(transactionalID, transaction)
    }

    // MARK: Time

    /// When the first open transaction has been open for too long.
    var nextDeadline: Int64? {
        self.transactions.values.reduce(nil) { Deadline.earlier($0, $1.deadline) }
    }

    /// Aborts what has been open for too long. The producer is fenced: what it sends late must not begin another
    /// transaction unnoticed.
    mutating func tick(now: Int64) -> [TransactionCompletion] {
        let due = self.transactions.filter { ($0.value.deadline ?? .max) <= now }.keys.sorted()
        for transactionalID in due {
            guard var transaction = self.transactions[transactionalID] else { continue }
            transaction.fence()
            self.store(transactionalID, transaction)
        }
        return self.completions(of: due)
    }

    // MARK: Inner matters

    /// What is wrong with who asks, if anything.
    func complaint(_ transactionalID: String, _ producerID: Int64, _ epoch: Int16) -> ErrorCode? {
        guard !transactionalID.isEmpty else { return .invalidRequest }
        guard let transaction = self.transactions[transactionalID], transaction.producer.id == producerID else {
            return .invalidProducerIDMapping
        }
        return transaction.producer.epoch == epoch ? nil : .producerFenced
    }

    func completions(of transactionalIDs: [String]) -> [TransactionCompletion] {
        transactionalIDs.compactMap { transactionalID in
            self.transactions[transactionalID]?
                .completion(transactionalID: transactionalID, coordinatorEpoch: self.coordinatorEpoch)
        }
    }

    mutating func store(_ transactionalID: String, _ transaction: Transaction) {
        self.transactions[transactionalID] = transaction
        self.owners[transaction.producer.id] = transactionalID
        self.changes.insert(transactionalID)
    }
}

extension Transaction {
    /// Takes the open transaction out of its producer's hands, to be aborted.
    mutating func fence() {
        self.producer = self.producer.fencing
        self.formerProducer = nil
        self.state = .prepareAbort
    }
}

/// What the transactions of a producer have come to, without doing anything itself: ``ProducerTransactions`` carries the
/// decisions out, outside of the lock that guards this value.
struct TransactionState {
    /// The two ways in which a transaction ends.
    enum Ending {
        case commit
        case abort
    }

    /// What must be done before a transaction can begin.
    enum Preparation: Equatable {
        /// The producer has no identity yet.
        case initialize
        /// The last transaction's end has not been answered: the same call goes on with it.
        case resume(Ending)
    }

    /// What the end of a transaction's body leads to.
    enum End: Equatable {
        /// Records or offsets are being handed over at this moment: wait for the last one.
        case wait
        case proceed
        /// The time was up before: the transaction is being aborted by somebody else.
        case expired
    }

    private struct Open {
        var id: Int
        var deadline: ContinuousClock.Instant
        /// How many are handing over records or offsets right now.
        var entered = 0
        var isEnding = false
        /// Set when its time is up.
        var expiry: KafkaError?
    }

    private enum Phase {
        case uninitialized
        case idle
        case open(Open)
        case unresolved(Ending)
    }

    private var phase = Phase.uninitialized
    private var lastID = 0
    /// Why the producer is of no use any more.
    private(set) var fatalError: KafkaError?
    /// Whether somebody will look whether the time of the open transaction is up.
    private var isWatched = false

    // MARK: Before

    /// What must be done before the next transaction; `nil` for nothing.
    ///
    /// - Throws: the fatal error of the producer.
    func preparation(operation: String) throws(KafkaError) -> Preparation? {
        if let fatalError { throw fatalError.restated(operation: operation) }
        return switch self.phase {
        case .uninitialized: .initialize
        case .idle, .open: nil
        case .unresolved(let ending): .resume(ending)
        }
    }

    /// No transaction is open any more, or yet.
    mutating func ready() {
        self.phase = .idle
    }

    /// The end of the transaction was asked for and not answered.
    mutating func leaveUnresolved(_ ending: Ending) {
        self.phase = .unresolved(ending)
    }

    /// The producer is of no use any more.
    mutating func breakDown(_ error: KafkaError) {
        self.fatalError = self.fatalError ?? error
    }

    /// A transaction has begun.
    ///
    /// - Returns: its number, and whether somebody must look at the time from now on.
    mutating func begin(deadline: ContinuousClock.Instant) -> (id: Int, mustWatch: Bool) {
        self.lastID += 1
        self.phase = .open(Open(id: self.lastID, deadline: deadline))
        defer { self.isWatched = true }
        return (self.lastID, !self.isWatched)
    }

    // MARK: Within

    /// Somebody is about to hand over records or offsets, and says ``leave(_:)`` afterwards.
    ///
    /// - Parameter id: the transaction that they belong to; `nil` outside of transactions.
    func checkEntry(_ id: Int?, operation: String) throws(KafkaError) {
        guard let id else {
            throw KafkaError(
                .invalidState,
                operation: operation,
                message: "the producer has a `transactionalID`: send through the transaction of `withTransaction`"
            )
        }
        if let fatalError { throw fatalError.restated(operation: operation) }
        if let expiry = self.current(id)?.expiry { throw expiry.restated(operation: operation) }
        guard self.isOpen(id) else {
            throw KafkaError(
                .invalidState,
                operation: operation,
                message: "the transaction has ended: it can't be used outside of its closure"
            )
        }
    }

    mutating func enter(_ id: Int?, operation: String) throws(KafkaError) {
        try self.checkEntry(id, operation: operation)
        self.change(id) { $0.entered += 1 }
    }

    /// - Returns: whether the end of the transaction waits for this.
    mutating func leave(_ id: Int?) -> Bool {
        self.change(id) { $0.entered -= 1 }
        return self.current(id).map { $0.isEnding && $0.entered == 0 } ?? false
    }

    /// Whether the body of a transaction runs.
    func isOpen(_ id: Int) -> Bool { self.current(id).map { !$0.isEnding } ?? false }

    // MARK: The end

    /// The body has ended; nothing more is handed over.
    mutating func end(_ id: Int) -> End {
        guard let open = self.current(id), open.expiry == nil else { return .expired }
        self.change(id) { $0.isEnding = true }
        return open.entered == 0 ? .proceed : .wait
    }

    enum Expiry: Equatable {
        /// No transaction is open.
        case none
        /// The open one has time until then.
        case later(ContinuousClock.Instant)
        /// The time of this one is up. It is ended here; `isQuiet`: nothing is being handed over.
        case expired(id: Int, isQuiet: Bool)
    }

    /// Looks whether the time of the open transaction is up, and ends it then.
    ///
    /// - Parameter error: what whoever goes on using it is told.
    mutating func expire(now: ContinuousClock.Instant, because error: @autoclosure () -> KafkaError) -> Expiry {
        guard case .open(let open) = self.phase, !open.isEnding else {
            self.isWatched = false
            return .none
        }
        guard now >= open.deadline else { return .later(open.deadline) }
        self.isWatched = false
        self.change(open.id) { open in
            open.isEnding = true
            open.expiry = error()
        }
        return .expired(id: open.id, isQuiet: open.entered == 0)
    }

    // MARK: Inner matters

    private func current(_ id: Int?) -> Open? {
        guard case .open(let open) = self.phase, open.id == id else { return nil }
        return open
    }

    private mutating func change(_ id: Int?, _ body: (inout Open) -> Void) {
        guard var open = self.current(id) else { return }
        body(&open)
        self.phase = .open(open)
    }
}

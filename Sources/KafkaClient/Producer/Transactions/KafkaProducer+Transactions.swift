internal import Synchronization

/// Sending atomically (KIP-98), and consuming, transforming and producing exactly once (KIP-447).
extension KafkaProducer {
    /// The transactions that are open around the current task, to recognise one that would wait for itself.
    @TaskLocal private static var surrounding: [TransactionRun] = []

    /// Makes the producer known to the brokers under its ``Configuration/transactionalID``: another producer with that
    /// name is fenced, and the transaction that it may have left open is aborted.
    ///
    /// The first ``withTransaction(attempts:_:)`` does this by itself. Calling it when a service starts shows early whether
    /// transactions work, and ends what a crash left open, which readers of committed records may be waiting for.
    ///
    /// - Parameter timeout: how long it may take. When it has passed, another call goes on with it.
    /// - Throws: `CancellationError` at once when the task is cancelled. ``KafkaError`` with the code `invalidState` for a
    ///   producer without a transactional id, with others when the coordinator does not answer in time or refuses.
    public func initializeTransactions(timeout: Duration = .seconds(30)) async throws {
        let operation = TransactionCall.initialize.operation
        let (transactions, client) = try self.transactions(for: operation)
        try await transactions.prepare(client, operation: operation, timeout: timeout)
        transactions.turns.giveBack()
    }

    /// Runs `body` with a transaction: what is sent through it becomes visible to readers of committed records all
    /// together when `body` has returned, or never.
    ///
    /// ```swift
    /// try await producer.withTransaction { transaction in
    ///     try await transaction.send(.init(topic: "payments", key: "42", value: payment))
    ///     try await transaction.send(.init(topic: "orders", key: "42", value: "paid"))
    /// }
    /// ```
    ///
    /// A producer has one transaction at a time: others wait for it, in the order in which they came.
    ///
    /// - The transaction is committed when `body` returns, after everything that was handed over is acknowledged. Cancelling
    ///   the task then no longer matters: a commit is carried to its end.
    /// - It is aborted when `body` throws, when the task is cancelled before `body` has returned, when a record or offsets
    ///   could not be sent (also if `body` ignored that), and when it takes longer than ``Configuration/transactionTimeout``.
    ///   Aborting does not end with the task's cancellation, but after 10 s; what is left then is done before the next
    ///   transaction, or by the brokers when the time of the transaction is up.
    /// - Errors that may pass are retried inside. One with ``KafkaError/requiresAbort`` means: aborted, and worth another
    ///   attempt from the beginning, which `attempts` makes by itself. After one with ``KafkaError/isFatal``, such as
    ///   `fenced`, the producer is of no use any more and says so in every call.
    /// - A commit whose answer does not come is asked for again until ``Configuration/transactionTimeout`` has passed. Then
    ///   the code is `outcomeUnknown`; the next transaction first waits to know.
    ///
    /// - Parameters:
    ///   - attempts: how often `body` is run at most. From the second time on, everything before was aborted.
    ///   - body: sends through the transaction. The transaction can't be used when `body` has ended.
    /// - Throws: what `body` throws, or what made the transaction fail; `CancellationError` when the task is cancelled
    ///   before or within `body`; ``KafkaError`` with the code `invalidState` for a producer without a transactional id, or
    ///   when called within a transaction of the same producer.
    public func withTransaction<R>(
        attempts: Int = 1,
        _ body: (KafkaTransaction) async throws -> R
    ) async throws -> R {
        var attempt = 1
        while true {
            do {
                return try await self.runTransaction(attempt: attempt, body)
            } catch let error as KafkaError where error.requiresAbort && attempt < attempts {
                try await suspend(for: .attempt(attempt))
                attempt += 1
            }
        }
    }

    /// Runs `body` with a transaction, once.
    func runTransaction<R>(
        attempt: Int,
        _ body: (KafkaTransaction) async throws -> R
    ) async throws -> R {
        guard let tracing = self.core.tracing else { return try await self.runUntraced(attempt: attempt, body) }
        let span = tracing.startTransaction(self.core.transactions?.transactionalID, attempt: attempt)
        return try await tracing.withSpan(span) { try await self.runUntraced(attempt: attempt, body) }
    }

    private func runUntraced<R>(
        attempt: Int,
        _ body: (KafkaTransaction) async throws -> R
    ) async throws -> R {
        let operation = TransactionCall.begin.operation
        let (transactions, client) = try self.transactions(for: operation)
        let surrounding = Self.surrounding
        if surrounding.contains(where: { $0.client === client && transactions.isOpen($0) }) {
            throw KafkaError(
                .invalidState,
                operation: operation,
                message: "a transaction of this producer is open around this call, which would wait for it for ever"
            )
        }
        let timeout = ProducerTransactions.initializationTimeout
        try await transactions.prepare(client, operation: operation, timeout: timeout)
        defer { transactions.turns.giveBack() }
        try Task.checkCancellation()
        let run = try await transactions.begin(client)
        let transaction = KafkaTransaction(core: self.core, transactions: transactions, run: run, attempt: attempt)
        let result: R
        do {
            result = try await Self.$surrounding.withValue(surrounding + [run]) { try await body(transaction) }
            try Task.checkCancellation()
        } catch {
            throw await transactions.abort(run, because: error)
        }
        try await transactions.commit(run)
        return result
    }

    /// What became of a transaction whose commit had no answer.
    ///
    /// - Throws: as ``withTransaction(attempts:_:)``; the code `outcomeUnknown` when there is still no answer.
    func resolveTransaction() async throws -> ProducerTransactions.Resolution? {
        let operation = TransactionCall.commit.operation
        let (transactions, client) = try self.transactions(for: operation)
        let resolution = try await transactions.prepare(
            client,
            operation: operation,
            timeout: ProducerTransactions.initializationTimeout
        )
        transactions.turns.giveBack()
        return resolution
    }

    private func transactions(for operation: String) throws(KafkaError) -> (ProducerTransactions, ClientHandle) {
        guard let transactions = self.core.transactions else {
            throw KafkaError(
                .invalidState,
                operation: operation,
                message: "the producer has no `transactionalID`: set it in the configuration"
            )
        }
        return (transactions, try self.core.client(for: operation))
    }
}

extension Duration {
    /// How long to wait before another attempt: from 50 ms on, twice as long each time, up to 2 s.
    static func attempt(_ number: Int) -> Duration {
        .milliseconds(min(2_000, 50 << min(max(0, number - 1), 6)))
    }
}

internal import Dispatch
internal import Logging
internal import Synchronization

/// The transactions of a producer, one after the other.
///
/// librdkafka has one transaction at a time and keeps its state between calls, so every call is awaited to its end, whatever
/// the task: what can take long goes on in a task of its own when its caller is cancelled.
final class ProducerTransactions: Sendable {
    let transactionalID: String
    let timeout: Duration
    let logger: Logger
    let state = Mutex(TransactionState())
    let turns = TurnQueue()
    private let current = Mutex<TransactionRun?>(nil)

    /// How long aborting may take before it is left to the next transaction, or to the broker's time-out.
    static let abortTimeout = Duration.seconds(10)

    init(transactionalID: String, timeout: Duration, logger: Logger) {
        self.transactionalID = transactionalID
        self.timeout = timeout
        self.logger = logger
    }

    /// When a transaction that begins now must have ended. A little before the broker would give it up, which fences the
    /// producer for good.
    private var deadline: ContinuousClock.Instant { .now + (self.timeout - min(self.timeout / 10, .seconds(5))) }

    // MARK: Within

    func enter(_ run: TransactionRun?, operation: String) throws(KafkaError) {
        do throws(KafkaError) {
            try self.state.withLock { state throws(KafkaError) in try state.enter(run?.id, operation: operation) }
        } catch {
            // Why it has ended says more, if it did not end well.
            throw run?.failure?.restated(operation: operation) ?? error
        }
    }

    func leave(_ run: TransactionRun?) {
        if self.state.withLock({ $0.leave(run?.id) }) {
            run?.quiet.complete()
        }
    }

    /// Whether the body of a transaction runs.
    func isOpen(_ run: TransactionRun) -> Bool {
        self.state.withLock { $0.isOpen(run.id) }
    }

    /// Makes offsets part of the transaction.
    ///
    /// - Throws: `CancellationError` at once when the task is cancelled; the transaction then waits for the call's end.
    func sendOffsets(
        _ offsets: [KafkaTopicPartition: Int64],
        metadata: ConsumerGroupMetadata,
        run: TransactionRun
    ) async throws {
        let call = TransactionCall.sendOffsets(offsets, metadata)
        try self.enter(run, operation: call.operation)
        let outcome = BorrowedTurn<KafkaError?>()
        Task {
            let error = await run.client.persist(
                with: call,
                until: .now + self.timeout,
                atATime: .seconds(15),
                transactionalID: self.transactionalID,
                while: { self.isOpen(run) }
            )
            if let error { run.fail(error) }
            self.leave(run)
            _ = outcome.finish(error)
        }
        guard let error = await outcome.result() else { throw CancellationError() }
        if let error { throw self.noting(error) }
    }

    // MARK: Begin

    /// Begins a transaction. The caller has the turn.
    func begin(_ client: ClientHandle) async throws(KafkaError) -> TransactionRun {
        let deadline = self.deadline
        if let error = await client.call(.begin, timeout: .seconds(1), transactionalID: self.transactionalID) {
            throw self.noting(error)
        }
        // In one step: its time may be up at once.
        let (run, mustWatch) = self.state.withLock { state in
            let (id, mustWatch) = state.begin(deadline: deadline)
            let run = TransactionRun(id: id, client: client)
            self.current.withLock { $0 = run }
            return (run, mustWatch)
        }
        if mustWatch {
            self.lookAtTheTime(at: deadline)
        }
        return run
    }

    // MARK: End

    /// Waits until nothing is being handed over any more.
    ///
    /// - Returns: whether the transaction was aborted meanwhile, since its time was up.
    private func quieten(_ run: TransactionRun) async -> Bool {
        let end = self.state.withLock { $0.end(run.id) }
        switch end {
        case .proceed: break
        case .wait: await run.quiet.wait()
        case .expired: await run.expired.wait()
        }
        self.current.withLock { $0 = nil }
        return end == .expired
    }

    /// Commits a transaction, or aborts it when anything that belongs to it failed.
    func commit(_ run: TransactionRun) async throws(KafkaError) {
        let isAborted = await self.quieten(run)
        if let failure = run.failure {
            throw isAborted ? failure : await self.rollBack(run.client, because: await self.cause(of: failure, in: run))
        }
        let error = await run.client.persist(
            with: .commit,
            until: .now + self.timeout,
            transactionalID: self.transactionalID
        )
        guard let error else { return self.state.withLock { $0.ready() } }
        throw await self.settle(run.client, commitError: error)
    }

    /// What a failed commit leads to.
    private func settle(_ client: ClientHandle, commitError error: KafkaError) async -> KafkaError {
        if error.isFatal {
            self.state.withLock { $0.ready() }
            return self.noting(error)
        }
        if error.isRetriable {
            self.state.withLock { $0.leaveUnresolved(.commit) }
            let error = self.unknownOutcome(error)
            self.logger.warning("\(error)")
            return error
        }
        return await self.rollBack(client, because: error)
    }

    /// The error of a commit that has no answer.
    func unknownOutcome(_ error: KafkaError) -> KafkaError {
        KafkaError(
            .outcomeUnknown,
            operation: error.operation,
            message: "the commit was not answered in time, so it may have taken effect or not: \(error.message). The "
                + "producer asks again before its next transaction",
            librdkafkaName: error.librdkafkaName
        )
    }

    /// Aborts a transaction because its body failed.
    ///
    /// - Returns: the error to throw: the body's, or where that is one of the client, what it came from.
    func abort(_ run: TransactionRun, because error: any Error) async -> any Error {
        let isAborted = await self.quieten(run)
        guard let bodyError = error as? KafkaError else {
            if !isAborted {
                await self.rollBack(run.client, because: nil)
            }
            return error
        }
        if isAborted { return run.failure ?? bodyError }
        return await self.rollBack(run.client, because: await self.cause(of: bodyError, in: run))
    }

    /// What an error within a transaction comes from: librdkafka knows why the transaction has failed, if it has, while
    /// the sends that this makes fail do not.
    private func cause(of error: KafkaError, in run: TransactionRun) async -> KafkaError {
        guard !error.isFatal else { return error }
        // While a transaction is open, beginning another one does nothing but tell.
        let refusal = await run.client.call(.begin, timeout: .seconds(1), transactionalID: self.transactionalID)
        guard let refusal, refusal.requiresAbort || refusal.isFatal else { return error }
        return refusal.restated(operation: error.operation)
    }

    /// Aborts what is open in librdkafka.
    ///
    /// - Returns: `error`, or the fatal error that this met, or why it could not be aborted.
    @discardableResult
    func rollBack(_ client: ClientHandle, because error: KafkaError?) async -> KafkaError {
        let abortError = await client.persist(
            with: .abort,
            until: .now + Self.abortTimeout,
            transactionalID: self.transactionalID
        )
        guard let abortError, !abortError.isFatal else {
            self.state.withLock { $0.ready() }
            return self.noting(abortError ?? error ?? KafkaError.aborted)
        }
        self.logger.warning("\(abortError): the next transaction goes on with it")
        self.state.withLock { $0.leaveUnresolved(.abort) }
        return error ?? abortError
    }

    /// Remembers a fatal error, after which the producer refuses everything.
    func noting(_ error: KafkaError) -> KafkaError {
        if error.isFatal {
            self.state.withLock { $0.breakDown(error) }
        }
        return error
    }

    // MARK: Time

    /// Aborts the transaction that is open when its time is up.
    private func lookAtTheTime(at deadline: ContinuousClock.Instant) {
        let left = max(.zero, deadline - .now)
        Completion.schedule(at: .now() + .milliseconds(left.milliseconds)) { [weak self] in
            guard let self else { return }
            switch self.state.withLock({ $0.expire(now: .now, because: self.timeIsUp) }) {
            case .none: break
            case .later(let deadline): self.lookAtTheTime(at: deadline)
            case .expired(let id, let isQuiet): self.abortExpired(id, isQuiet: isQuiet)
            }
        }
    }

    private var timeIsUp: KafkaError {
        KafkaError(
            .timedOut,
            operation: "run a transaction",
            message: "the transaction took longer than transactionTimeout (\(self.timeout)) and was aborted",
            disposition: KafkaError.Disposition(requiresAbort: true)
        )
    }

    private func abortExpired(_ id: Int, isQuiet: Bool) {
        guard let run = self.current.withLock({ $0 }), run.id == id else { return }
        run.fail(self.timeIsUp)
        Task {
            if !isQuiet { await run.quiet.wait() }
            await self.rollBack(run.client, because: nil)
            run.expired.complete()
        }
    }

    // MARK: Close

    /// Refuses more transactions, and waits for the one that runs.
    func close(until deadline: DispatchTime) async {
        await self.turns.close(until: deadline)
    }
}

extension KafkaError {
    fileprivate static var aborted: KafkaError {
        KafkaError(.notSent, operation: "abort a transaction", message: "the transaction was aborted")
    }
}

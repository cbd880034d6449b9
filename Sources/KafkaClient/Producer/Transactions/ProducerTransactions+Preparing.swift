internal import Logging
internal import Synchronization

/// What comes before a transaction: the turn, the producer's identity, and the end of the transaction before.
extension ProducerTransactions {
    /// What became of a transaction whose end was not known.
    enum Resolution {
        case committed
        case aborted
    }

    /// How long the first contact with the coordinator may take when nothing else is said.
    static let initializationTimeout = Duration.seconds(30)

    /// Waits for the turn and does what must be done before a transaction can begin. The caller then has the turn.
    ///
    /// - Returns: what became of the transaction before, if that was not known yet.
    /// - Throws: `CancellationError` as soon as the task is cancelled; what librdkafka does goes on meanwhile. ``KafkaError``
    ///   when the producer is closed or of no use any more, or the coordinator does not answer.
    @discardableResult
    func prepare(_ client: ClientHandle, operation: String, timeout: Duration) async throws -> Resolution? {
        switch await self.turns.take() {
        case .granted: break
        case .cancelled: throw CancellationError()
        case .closed: throw KafkaError.closed(operation: operation)
        }
        let preparation: TransactionState.Preparation?
        do throws(KafkaError) {
            if let fatal = client.fatalError(operation: operation) { throw self.noting(fatal) }
            preparation = try self.state.withLock { state throws(KafkaError) in
                try state.preparation(operation: operation)
            }
        } catch {
            self.turns.giveBack()
            throw error
        }
        guard let preparation else { return nil }
        let turn = BorrowedTurn<Result<Resolution?, KafkaError>>()
        Task {
            let result = await self.carryOut(preparation, client: client, timeout: timeout)
            if !turn.finish(result) {
                self.turns.giveBack()
            }
        }
        switch await turn.result() {
        case .success(let resolution):
            return resolution
        case .failure(let error):
            self.turns.giveBack()
            throw error
        case nil:
            throw CancellationError()
        }
    }

    private func carryOut(
        _ preparation: TransactionState.Preparation,
        client: ClientHandle,
        timeout: Duration
    ) async -> Result<Resolution?, KafkaError> {
        let call: TransactionCall =
            switch preparation {
            case .initialize: .initialize
            case .resume(.commit): .commit
            case .resume(.abort): .abort
            }
        let error = await client.persist(
            with: call,
            until: .now + timeout,
            transactionalID: self.transactionalID
        )
        switch (preparation, error) {
        case (.initialize, nil):
            self.state.withLock { $0.ready() }
            return .success(nil)
        case (.initialize, .some(let error)):
            return .failure(self.noting(error))
        case (.resume(let ending), nil):
            self.state.withLock { $0.ready() }
            self.logger.notice("the transaction before was \(ending == .commit ? "committed" : "aborted") in the end")
            return .success(ending == .commit ? .committed : .aborted)
        case (.resume(let ending), .some(let error)):
            return await self.resumed(ending, client: client, error: error)
        }
    }

    private func resumed(
        _ ending: TransactionState.Ending,
        client: ClientHandle,
        error: KafkaError
    ) async -> Result<Resolution?, KafkaError> {
        if error.isFatal { return .failure(self.noting(error)) }
        switch ending {
        case .commit where error.isRetriable:
            return .failure(self.unknownOutcome(error))
        case .commit:
            // Known at last, and not committed.
            let outcome = await self.rollBack(client, because: nil)
            return outcome.isFatal ? .failure(outcome) : .success(.aborted)
        case .abort where error.code == .invalidState:
            // It has ended by itself.
            self.state.withLock { $0.ready() }
            return .success(.aborted)
        case .abort:
            return .failure(error)
        }
    }
}

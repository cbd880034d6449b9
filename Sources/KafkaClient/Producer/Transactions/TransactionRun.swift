internal import Synchronization

/// One transaction, from its begin to its end.
final class TransactionRun: Sendable {
    let id: Int
    /// Held to the end, so that a transaction can be ended when its producer is being closed.
    let client: ClientHandle
    /// Completed when its body has ended and nothing is being handed over any more.
    let quiet = Completion()
    /// Completed when it was aborted because its time was up.
    let expired = Completion()
    private let firstFailure = Mutex<KafkaError?>(nil)

    init(id: Int, client: ClientHandle) {
        self.id = id
        self.client = client
    }

    /// Why it can't be committed; `nil` when it can.
    var failure: KafkaError? { self.firstFailure.withLock { $0 } }

    /// Something that belongs to the transaction failed: it must not be committed.
    ///
    /// - Returns: what failed first.
    @discardableResult
    func fail(_ error: KafkaError) -> KafkaError {
        self.firstFailure.withLock { first in
            let failure = first ?? error
            first = failure
            return failure
        }
    }
}

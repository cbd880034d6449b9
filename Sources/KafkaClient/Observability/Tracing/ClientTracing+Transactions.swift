internal import Tracing

extension ClientTracing {
    /// Begins the span of a transaction, around all that belongs to it.
    func startTransaction(_ transactionalID: String?, attempt: Int) -> ClientSpan {
        self.startSpan(named: "transaction", kind: .internal) { attributes in
            if let transactionalID {
                attributes["kafka.transactional_id"] = transactionalID
            }
            if attempt > 1 {
                attributes["kafka.transaction.attempt"] = attempt
            }
        }
    }

    /// Begins the span of a call within a transaction, or at its end.
    func startCall(_ call: TransactionCall, transactionalID: String) -> ClientSpan {
        self.startSpan(named: call.spanName, kind: .client) { $0["kafka.transactional_id"] = transactionalID }
    }
}

extension TransactionCall {
    fileprivate var spanName: String {
        switch self {
        case .initialize: "initialize transactions"
        case .begin: "begin transaction"
        case .sendOffsets: "commit offsets in transaction"
        case .commit: "commit transaction"
        case .abort: "abort transaction"
        }
    }
}

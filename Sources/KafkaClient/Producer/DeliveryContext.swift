internal import CLibrdkafka
internal import Synchronization

/// What is known of a producer beyond the reports of single records, to tell why they failed.
final class DeliveryContext: Sendable {
    let connectionProblem: ConnectionProblem
    /// Whether records are sent in transactions only: those that are given up belong to one that was not committed.
    let isTransactional: Bool
    private let fatal = Mutex<KafkaError?>(nil)

    init(connectionProblem: ConnectionProblem, isTransactional: Bool) {
        self.connectionProblem = connectionProblem
        self.isTransactional = isTransactional
    }

    /// The fatal error for which records were given up.
    var fatalError: KafkaError? { self.fatal.withLock { $0 } }

    /// Takes note of the client's fatal error, if there is one. Called when records were given up, which a fatal error
    /// makes librdkafka do; their reports do not say so.
    func lookForFatalError(of client: OpaquePointer) {
        guard self.fatalError == nil, let error = KafkaError.fatal(of: client, operation: "send") else { return }
        self.fatal.withLock { $0 = error }
    }
}

internal import CommandLineSupport
internal import KafkaClient
internal import Synchronization

/// Says on standard error when the brokers are gone, and when they are back.
final class ConnectionNotices: Sendable {
    private let state = Mutex(false)
    private let write: @Sendable (String) -> Void

    init(write: @escaping @Sendable (String) -> Void = { writeToStandardError($0) }) {
        self.write = write
    }

    /// Whether no broker can be reached at the moment.
    var isLost: Bool { self.state.withLock { $0 } }

    /// Tells of a change.
    func tell(_ change: KafkaConnectionChange) {
        switch change {
        case .lost(let reason):
            self.state.withLock { $0 = true }
            self.write("no broker reachable: \(reason); trying again\n")
        case .restored:
            self.state.withLock { $0 = false }
            self.write("connected again\n")
        }
    }
}

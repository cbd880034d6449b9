internal import CLibrdkafka
internal import Synchronization

/// The last complaint about a connection, so that a time-out can say why nothing came.
final class ConnectionProblem: Sendable {
    private let text = Mutex<String?>(nil)

    /// Takes note of an error event.
    func record(_ response: ResponseCode, text: String) {
        switch response {
        case RD_KAFKA_RESP_ERR__TRANSPORT, RD_KAFKA_RESP_ERR__RESOLVE, RD_KAFKA_RESP_ERR__AUTHENTICATION,
            RD_KAFKA_RESP_ERR__SSL:
            self.text.withLock { $0 = text }
        default:
            break
        }
    }

    /// Forgets it: a broker answered.
    func clear() {
        self.text.withLock { $0 = nil }
    }

    /// "last connection error: ..." or nothing.
    var detail: String? {
        self.text.withLock { $0 }.map { "last connection error: \($0)" }
    }
}

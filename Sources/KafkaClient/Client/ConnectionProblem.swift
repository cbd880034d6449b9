internal import CLibrdkafka
internal import Synchronization

/// What is known about the connections, so that a time-out can say why nothing came.
final class ConnectionProblem: Sendable {
    private struct State {
        var text: String?
        var hasContact = false
    }

    private let state = Mutex(State())
    /// The addresses that the client was given.
    private let servers: String

    init(servers: String = "") {
        self.servers = servers
    }

    /// Takes note of an error event.
    func record(_ response: ResponseCode, text: String) {
        switch response {
        case RD_KAFKA_RESP_ERR__TRANSPORT, RD_KAFKA_RESP_ERR__RESOLVE, RD_KAFKA_RESP_ERR__AUTHENTICATION,
            RD_KAFKA_RESP_ERR__SSL:
            self.state.withLock { $0.text = text }
        default:
            break
        }
    }

    /// Forgets the problem: a broker answered.
    func clear() {
        self.state.withLock { state in
            state.text = nil
            state.hasContact = true
        }
    }

    /// Whether a broker has ever answered.
    var hasContact: Bool { self.state.withLock { $0.hasContact } }

    /// Why no broker can be reached: librdkafka's last complaint, or that none answers.
    var reason: String { self.state.withLock { $0.text } ?? self.silence }

    /// "last connection error: ...", "no answer from ..." before the first contact, or nothing.
    var detail: String? {
        let state = self.state.withLock { $0 }
        if let text = state.text { return "last connection error: \(text)" }
        return state.hasContact || self.servers.isEmpty ? nil : self.silence
    }

    private var silence: String { "no answer from \(self.servers)" }
}

internal import CLibrdkafka
internal import Synchronization

/// What is known about the connections, so that a time-out can say why nothing came.
final class ConnectionProblem: Sendable {
    private struct State {
        var text: String?
        var diagnosis: ConnectionDiagnosis?
        var response: ResponseCode?
        var hasContact = false
        /// Why no broker lets the client in, since that is known.
        var refusal: KafkaError?
        /// Those who need not wait any longer when no broker lets the client in.
        var waiting: [ObjectIdentifier: Completion] = [:]
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
            RD_KAFKA_RESP_ERR__SSL, RD_KAFKA_RESP_ERR__BAD_MSG:
            let diagnosis = ConnectionDiagnosis(response, text: text)
            self.state.withLock { state in
                // Other brokers of the list may not be there at all; a plain refusal of one of them says more. A guess does
                // not, when the broker can't be connected to any more: it may have gone down since. That a connection
                // ends is what the guess was made of.
                if diagnosis == nil, let known = state.diagnosis,
                    known.code == .authentication || text.contains("Disconnected")
                {
                    return
                }
                state.text = text
                state.response = response
                state.diagnosis = diagnosis
            }
        default:
            break
        }
    }

    /// Forgets the problem: a broker answered.
    func clear() {
        self.state.withLock { state in
            state.text = nil
            state.diagnosis = nil
            state.response = nil
            state.hasContact = true
            state.refusal = nil
        }
    }

    /// Whether a broker has ever answered.
    var hasContact: Bool { self.state.withLock { $0.hasContact } }

    /// Why no broker can be reached: librdkafka's last complaint, or that none answers.
    var reason: String { self.state.withLock { $0.text } ?? self.silence }

    /// "last connection error: ...", "no answer from ..." before the first contact, or nothing.
    var detail: String? {
        let state = self.state.withLock { $0 }
        if let text = state.text {
            return "last connection error: \(text)" + (state.diagnosis.map { "; \($0.advice)" } ?? "")
        }
        return state.hasContact || self.servers.isEmpty ? nil : self.silence
    }

    /// The code of an error that comes of it.
    var code: KafkaError.Code { self.state.withLock { $0.diagnosis?.code } ?? .brokerUnreachable }

    private var silence: String { "no answer from \(self.servers)" }

    // MARK: Refusal

    /// What brokers hold against the client, as far as is known, before one has answered.
    var suspicion: ConnectionDiagnosis? { self.state.withLock { $0.hasContact ? nil : $0.diagnosis } }

    /// The error of calls that would wait in vain, while no broker lets the client in.
    var refusal: KafkaError? { self.state.withLock { $0.refusal } }

    /// No broker lets the client in: those who wait need not any longer.
    func refuse() {
        let waiting = self.state.withLock { state -> [Completion] in
            guard !state.hasContact, let text = state.text, let diagnosis = state.diagnosis else { return [] }
            state.refusal = KafkaError(
                diagnosis.code,
                operation: "connect",
                message: "no broker lets the client in: \(text); \(diagnosis.advice)",
                librdkafkaName: state.response.map { String(cString: rd_kafka_err2name($0)) },
                disposition: KafkaError.Disposition(isRetriable: diagnosis.code == .brokerUnreachable)
            )
            defer { state.waiting = [:] }
            return Array(state.waiting.values)
        }
        for completion in waiting {
            completion.complete()
        }
    }

    /// It is no longer known why no broker would let the client in: it is worth waiting for one again.
    func endRefusal() {
        self.state.withLock { $0.refusal = nil }
    }

    /// Completes this, too, when no broker lets the client in.
    func add(_ completion: Completion) {
        self.state.withLock { state in
            guard !state.hasContact else { return }
            state.waiting[ObjectIdentifier(completion)] = completion
        }
    }

    func remove(_ completion: Completion) {
        self.state.withLock { $0.waiting[ObjectIdentifier(completion)] = nil }
    }
}

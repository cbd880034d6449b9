internal import CLibrdkafka
internal import Synchronization

/// The admin requests that are on their way, and who waits for their answers.
///
/// librdkafka is given a number and not a reference: an answer may come when nobody waits for it any more, or never.
final class AdminCalls: Sendable {
    /// Takes the answer, or learns that none will come since the client was closed.
    typealias Receiver = @Sendable (_ event: OpaquePointer?) -> Void

    private struct State {
        var lastID = 0
        var waiting: [Int: Receiver] = [:]
        var isClosed = false
    }

    private let state = Mutex(State())

    /// Takes note of a request that is about to be made.
    ///
    /// - Returns: its number; `nil` when the client is closed.
    func begin(_ receiver: @escaping Receiver) -> Int? {
        self.state.withLock { state in
            guard !state.isClosed else { return nil }
            state.lastID += 1
            state.waiting[state.lastID] = receiver
            return state.lastID
        }
    }

    /// Nobody waits for the answer any more.
    func forget(_ id: Int) {
        self.state.withLock { _ = $0.waiting.removeValue(forKey: id) }
    }

    /// Gives an answer to whoever waits for it. On the pump.
    func handle(_ event: OpaquePointer) {
        guard let opaque = rd_kafka_event_opaque(event) else { return }
        let receiver = self.state.withLock { $0.waiting.removeValue(forKey: Int(bitPattern: opaque)) }
        receiver?(event)
    }

    /// Answers all who wait, and refuses further requests.
    func close() {
        let waiting = self.state.withLock { state in
            defer { state.waiting = [:] }
            state.isClosed = true
            return state.waiting
        }
        for receiver in waiting.values { receiver(nil) }
    }
}

/// Where the answer to one request and the task that asked meet.
final class AdminAnswer<R: Sendable>: Completion, @unchecked Sendable {
    private let first = Mutex<Result<R, KafkaError>?>(nil)

    var result: Result<R, KafkaError>? { self.first.withLock { $0 } }

    func deliver(_ result: Result<R, KafkaError>) {
        self.first.withLock { $0 = $0 ?? result }
        self.complete()
    }
}

internal import CLibrdkafka
internal import Dispatch
internal import Synchronization

/// Finds out when no broker lets the client in, so that nobody waits in vain: with a wrong password, librdkafka would try for
/// ever, and each call to its time-out.
///
/// One broker's refusal is not all brokers'. So once there is one, before the first contact, a broker is asked; when none
/// answers in time, waiting calls fail and queued records too. A broker is then asked again and again until one answers.
///
/// It has a pointer to the client and no reference, as ``ConnectionWatch``; the client stops it before it is destroyed.
final class RefusalWatch: Sendable {
    private struct State {
        var isLooking = false
        var isStopped = false
        var observer: (@Sendable (KafkaError) -> Void)?
    }

    /// How long one question takes, so that an end need not wait long. In milliseconds.
    private static let step = 500

    private let client: SendablePointer
    private let pump: EventPump
    private let problem: ConnectionProblem
    private let queue: DispatchQueue
    private let state = Mutex(State())

    init(client: OpaquePointer, pump: EventPump, problem: ConnectionProblem, label: String) {
        self.client = SendablePointer(client)
        self.pump = pump
        self.problem = problem
        self.queue = DispatchQueue(label: label)
    }

    /// Sets who else is to know that no broker lets the client in. It is told about once a second while that is so.
    func observe(_ observer: @escaping @Sendable (KafkaError) -> Void) {
        self.state.withLock { $0.observer = observer }
    }

    /// A connection failed.
    func problemWasRecorded() {
        guard let suspicion = self.problem.suspicion else { return }
        let begins = self.state.withLock { state in
            guard !state.isLooking, !state.isStopped else { return false }
            state.isLooking = true
            return true
        }
        guard begins else { return }
        let deadline = ContinuousClock.now + suspicion.patience
        self.queue.async { self.look(until: deadline) }
    }

    /// Ends it, within a moment. Nothing is told and no call is made afterwards.
    func stop() {
        self.state.withLock { $0.isStopped = true }
        self.queue.sync {}
    }

    private func look(until deadline: ContinuousClock.Instant) {
        guard !self.state.withLock({ $0.isStopped }) else { return }
        let nextLook = DispatchTime.now() + .milliseconds(Self.step)
        var metadata: UnsafePointer<rd_kafka_metadata>?
        let response = rd_kafka_metadata(self.client.value, 0, nil, &metadata, Int32(Self.step))
        if let metadata { rd_kafka_metadata_destroy(metadata) }
        if response == RD_KAFKA_RESP_ERR_NO_ERROR {
            self.problem.clear()
        }
        guard self.problem.suspicion != nil else {
            // A broker answered, here or elsewhere, or there is none any more.
            self.problem.endRefusal()
            self.state.withLock { $0.isLooking = false }
            return
        }
        let isOver = ContinuousClock.now >= deadline
        if isOver { self.giveUp() }
        let nextDeadline = isOver ? .now + .seconds(1) : deadline
        self.queue.asyncAfter(deadline: nextLook) { self.look(until: nextDeadline) }
    }

    private func giveUp() {
        self.problem.refuse()
        guard let refusal = self.problem.refusal else { return }
        if rd_kafka_type(self.client.value) == RD_KAFKA_PRODUCER, rd_kafka_outq_len(self.client.value) > 0 {
            // Nothing can be in flight. The reports are given while it is known why there is no use.
            rd_kafka_purge(self.client.value, RD_KAFKA_PURGE_F_QUEUE)
            self.pump.dispatchQueue.sync { self.pump.drain() }
        }
        self.state.withLock { $0.observer }?(refusal)
    }
}

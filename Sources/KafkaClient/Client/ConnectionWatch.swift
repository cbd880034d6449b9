internal import CLibrdkafka
internal import Dispatch
internal import Synchronization

/// Tells an observer when no broker can be reached any more, and when one answers again.
///
/// librdkafka says when a connection ends, and mostly, but not always, when all have: it miscounts those to coordinators that
/// it has lost (2.0). It never says that one is up again. So a broker is asked then: the connection counts as lost when none
/// answers within a moment, and one is asked again and again until it does.
///
/// It has a pointer to the client and no reference, since a weak one would make every retain of the client slow; the client
/// stops it before it is destroyed.
final class ConnectionWatch: Sendable {
    private struct State {
        var isLooking = false
        var isLost = false
        var isStopped = false
    }

    /// How long a broker may take to answer.
    private static let step = 500

    private let client: SendablePointer
    private let problem: ConnectionProblem
    private let observer: @Sendable (KafkaConnectionChange) -> Void
    private let queue: DispatchQueue
    private let state = Mutex(State())

    init(
        client: OpaquePointer,
        problem: ConnectionProblem,
        label: String,
        observer: @escaping @Sendable (KafkaConnectionChange) -> Void
    ) {
        self.client = SendablePointer(client)
        self.problem = problem
        self.observer = observer
        self.queue = DispatchQueue(label: label)
    }

    /// librdkafka says that a connection is down, or all are. Before the first contact that is for others to tell.
    func connectionWentDown() {
        guard self.problem.hasContact else { return }
        let begins = self.state.withLock { state in
            guard !state.isLooking, !state.isStopped else { return false }
            state.isLooking = true
            return true
        }
        if begins {
            self.queue.async { self.look() }
        }
    }

    /// Ends it, within a moment. Nothing is told and no call is made afterwards.
    func stop() {
        self.state.withLock { $0.isStopped = true }
        self.queue.sync {}
    }

    /// Asks a broker; on the queue, so that what is told keeps its order.
    private func look() {
        guard !self.state.withLock({ $0.isStopped }) else { return }
        let nextLook = DispatchTime.now() + .milliseconds(Self.step)
        var metadata: UnsafePointer<rd_kafka_metadata>?
        let response = rd_kafka_metadata(self.client.value, 0, nil, &metadata, Int32(Self.step))
        let isReached = response == RD_KAFKA_RESP_ERR_NO_ERROR
        if let metadata { rd_kafka_metadata_destroy(metadata) }
        let reason = self.problem.reason
        if isReached { self.problem.clear() }
        let change = self.state.withLock { state -> KafkaConnectionChange? in
            guard !state.isStopped else { return nil }
            state.isLooking = !isReached
            guard state.isLost == isReached else { return nil }
            state.isLost = !isReached
            return isReached ? .restored : .lost(reason: reason)
        }
        if let change { self.observer(change) }
        if !isReached {
            self.queue.asyncAfter(deadline: nextLook) { self.look() }
        }
    }
}

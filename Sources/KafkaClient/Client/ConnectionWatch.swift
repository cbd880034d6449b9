internal import CLibrdkafka
internal import Dispatch
internal import Synchronization

/// Tells an observer when no broker can be reached any more, and when one answers again.
///
/// librdkafka says when a connection ends, and mostly, but not always, when all have: it miscounts those to coordinators that
/// it has lost (2.0). It never says that one is up again. So a broker is asked then: the connection counts as lost when none
/// answers within some seconds, and one is asked again and again until it does.
///
/// It has a pointer to the client and no reference, since a weak one would make every retain of the client slow; the client
/// stops it before it is destroyed.
final class ConnectionWatch: Sendable {
    /// What was heard and asked, and what follows.
    struct State {
        /// How many times in a row no broker answers before the connection counts as lost. A broker that is busy, or is being
        /// connected to again, may take its time.
        static let looksBeforeLoss = 4

        private(set) var isLooking = false
        private(set) var isLost = false
        private var hasNews = false
        private var misses = 0
        var isStopped = false

        /// A connection is down. The answer: whether a look has to begin.
        mutating func wentDown() -> Bool {
            guard !self.isStopped else { return false }
            self.hasNews = true
            defer { self.isLooking = true }
            return !self.isLooking
        }

        /// A broker is about to be asked: what is heard from now on may be news to it. The answer: whether it still should.
        mutating func willLook() -> Bool {
            self.hasNews = false
            return !self.isStopped
        }

        /// A broker was asked. The answer: what is to be told, if anything.
        mutating func looked(isReached: Bool) -> Change? {
            guard !self.isStopped else { return nil }
            self.isLooking = !isReached || self.hasNews
            self.misses = isReached ? 0 : self.misses + 1
            if self.isLost, isReached {
                self.isLost = false
                return .restored
            }
            if !self.isLost, self.misses >= Self.looksBeforeLoss {
                self.isLost = true
                return .lost
            }
            return nil
        }
    }

    /// What an observer may be told.
    enum Change {
        case lost
        case restored
    }

    /// How long a broker may take to answer, and the least time between two questions.
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
        if self.state.withLock({ $0.wentDown() }) {
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
        guard self.state.withLock({ $0.willLook() }) else { return }
        let nextLook = DispatchTime.now() + .milliseconds(Self.step)
        var metadata: UnsafePointer<rd_kafka_metadata>?
        let response = rd_kafka_metadata(self.client.value, 0, nil, &metadata, Int32(Self.step))
        let isReached = response == RD_KAFKA_RESP_ERR_NO_ERROR
        if let metadata { rd_kafka_metadata_destroy(metadata) }
        let reason = self.problem.reason
        if isReached { self.problem.clear() }
        let (change, looksAgain) = self.state.withLock { ($0.looked(isReached: isReached), $0.isLooking) }
        switch change {
        case .lost: self.observer(.lost(reason: reason))
        case .restored: self.observer(.restored)
        case nil: break
        }
        if looksAgain {
            self.queue.asyncAfter(deadline: nextLook) { self.look() }
        }
    }
}

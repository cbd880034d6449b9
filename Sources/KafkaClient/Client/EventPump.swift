internal import CLibrdkafka
internal import Dispatch
internal import Synchronization

/// Serves librdkafka's event queues without polling and without a parked thread.
///
/// librdkafka calls back when a queue is no longer empty; the callback schedules one drain on a serial dispatch queue,
/// which takes events until there are none. All of a client's events are handled there, one after the other.
///
/// Unchecked, because `queues` and `handler` are confined to the dispatch queue.
final class EventPump: @unchecked Sendable {
    /// What to do with an event.
    ///
    /// The answer says whether the handler keeps the event; else the pump destroys it.
    typealias Handler = @Sendable (_ event: OpaquePointer) -> Disposition

    enum Disposition {
        case done
        /// The handler keeps the event and destroys it later.
        case kept
        /// To be called once the event is destroyed.
        case afterwards(@Sendable () -> Void)
    }

    /// The serial queue on which all handling runs.
    let dispatchQueue: DispatchQueue
    private let isScheduled = Atomic<Bool>(false)
    private var queues: [(pointer: OpaquePointer, isOwned: Bool)] = []
    private var handler: Handler?
    private var drained: (@Sendable () -> Void)?

    init(label: String) {
        self.dispatchQueue = DispatchQueue(label: label, qos: .userInitiated)
    }

    /// Sets who handles events, before any queue is connected.
    ///
    /// - Parameters:
    ///   - handler: gets every event.
    ///   - drained: called when all queues were found empty.
    func start(handler: @escaping Handler, drained: (@Sendable () -> Void)? = nil) {
        self.dispatchQueue.sync {
            self.handler = handler
            self.drained = drained
        }
    }

    /// Serves a queue from now on.
    ///
    /// - Parameter isOwned: whether the pump gives the reference back when it is disconnected.
    func connect(_ queue: OpaquePointer, isOwned: Bool = true) {
        let queue = SendablePointer(queue)
        self.dispatchQueue.async {
            self.queues.append((queue.value, isOwned))
            rd_kafka_queue_cb_event_enable(
                queue.value,
                { _, opaque in
                    guard let opaque else { return }
                    Unmanaged<EventPump>.fromOpaque(opaque).takeUnretainedValue().signal()
                },
                Unmanaged.passUnretained(self).toOpaque()
            )
            // What came before the callback was set would not be announced.
            self.drain()
        }
    }

    /// Disables callbacks and gives the queues back, before the client is destroyed.
    func disconnect() {
        self.dispatchQueue.sync {
            self.handler = nil
            self.drained = nil
            for queue in self.queues {
                rd_kafka_queue_cb_event_enable(queue.pointer, nil, nil)
                if queue.isOwned {
                    rd_kafka_queue_destroy(queue.pointer)
                }
            }
            self.queues = []
        }
    }

    /// Schedules a drain. Called by librdkafka with the queue's lock held, so it calls nothing of librdkafka.
    func signal() {
        guard !self.isScheduled.exchange(true, ordering: .acquiringAndReleasing) else { return }
        self.dispatchQueue.async { self.drain() }
    }

    /// Serves all queues now. On the pump's queue only.
    func drain() {
        // Cleared first: an event that comes during the drain schedules another one.
        self.isScheduled.store(false, ordering: .sequentiallyConsistent)
        for queue in self.queues {
            while let event = rd_kafka_queue_poll(queue.pointer, 0) {
                switch self.handler?(event) ?? .done {
                case .done:
                    rd_kafka_event_destroy(event)
                case .kept:
                    break
                case .afterwards(let action):
                    rd_kafka_event_destroy(event)
                    action()
                }
            }
        }
        self.drained?()
    }
}

internal import KafkaClient
internal import Synchronization

/// Knows how a processor is doing.
final class ProcessorMonitor: Sendable {
    /// What became of a message.
    enum Outcome {
        case processed
        /// It went to a retry topic.
        case postponed
        /// It was given up.
        case failed
        /// The processor ended, or its transaction was aborted.
        case interrupted
    }

    /// A message that is being handled.
    struct Handling {
        fileprivate let slot: Int
        fileprivate let start: ContinuousClock.Instant
    }

    private struct State {
        var status: ProcessorStatus
        var consumer: KafkaConsumer?
        /// When the handling of messages began, each in a slot of its own.
        var starts: [ContinuousClock.Instant?] = []
        var freeSlots: [Int] = []
    }

    private let state: Mutex<State>
    private let metrics: [String: InputMetrics]
    private let name: String

    init(_ configuration: ProcessorConfiguration, topics: [String]) {
        self.name = configuration.name
        self.state = Mutex(State(status: ProcessorStatus(handlingLimit: configuration.consumer.maxPollInterval)))
        let pairs = configuration.metrics.map { metrics in
            topics.map { ($0, InputMetrics(metrics, processor: configuration.name, topic: $0)) }
        }
        self.metrics = Dictionary(pairs ?? []) { first, _ in first }
    }

    // MARK: The processor

    /// - Throws: ``ProcessorError`` when it runs already.
    func starts() throws(ProcessorError) {
        try self.state.withLock { state throws(ProcessorError) in
            guard ![.starting, .running].contains(state.status.phase) else {
                throw ProcessorError(.configuration, processor: self.name, message: "it runs already")
            }
            state.status.phase = .starting
            state.status.error = nil
            state.status.committed = [:]
        }
    }

    func runs(with consumer: KafkaConsumer) {
        self.state.withLock { state in
            state.status.phase = .running
            state.consumer = consumer
        }
    }

    func ended(_ error: (any Error)? = nil) {
        let consumer = self.state.withLock { $0.consumer }
        let committed = consumer?.acknowledgedCommits ?? [:]
        self.state.withLock { state in
            state.status.phase = error == nil ? .ended : .failed
            state.status.error = error
            state.status.committed = committed
            state.consumer = nil
        }
    }

    /// Who reads, while it runs.
    var consumer: KafkaConsumer? { self.state.withLock { $0.consumer } }

    var status: ProcessorStatus {
        let (consumer, found) = self.state.withLock { state in
            var status = state.status
            status.oldestInFlight = state.starts.lazy.compactMap { $0 }.min().map { $0.duration(to: .now) }
            return (state.consumer, status)
        }
        var status = found
        if let consumer {
            status.partitions = consumer.assignment
            status.committed = consumer.acknowledgedCommits
        }
        return status
    }

    // MARK: Messages

    func begins(_ record: KafkaConsumerRecord) -> Handling {
        self.metrics[record.topic]?.begins()
        let start = ContinuousClock.now
        let slot = self.state.withLock { state in
            state.status.inFlight += 1
            if let slot = state.freeSlots.popLast() {
                state.starts[slot] = start
                return slot
            }
            state.starts.append(start)
            return state.starts.count - 1
        }
        return Handling(slot: slot, start: start)
    }

    func ends(_ record: KafkaConsumerRecord, _ handling: Handling, as outcome: Outcome) {
        if !self.metrics.isEmpty {
            self.metrics[record.topic]?.ends(outcome, after: handling.start.duration(to: .now))
        }
        self.state.withLock { state in
            state.starts[handling.slot] = nil
            state.freeSlots.append(handling.slot)
            state.status.inFlight -= 1
            switch outcome {
            case .processed: state.status.processed += 1
            case .postponed: state.status.postponed += 1
            case .failed: state.status.failures += 1
            case .interrupted: break
            }
        }
    }

    func retried(_ record: KafkaConsumerRecord) {
        self.metrics[record.topic]?.retried()
        self.state.withLock { $0.status.retries += 1 }
    }
}

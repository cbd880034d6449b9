internal import Dispatch
internal import KafkaClient
internal import Synchronization

/// Follows the share of a member by what its group gives and takes, and says in time why there is nothing to read.
///
/// Nothing is looked at in between: the group's hooks tell of every change, and a timer of the next limit.
final class AssignmentWatch: Sendable {
    private struct State {
        var wait: AssignmentWait
        var share: Set<KafkaTopicPartition> = []
        var hasAssignment = false
        var timer: (any DispatchSourceTimer)?
    }

    /// What is worth saying, until ``finish()``.
    let steps: AsyncStream<AssignmentWait.Step>
    private let continuation: AsyncStream<AssignmentWait.Step>.Continuation
    private let state: Mutex<State>
    private let queue = DispatchQueue(label: "kstream.assignment")
    private let start = ContinuousClock.now

    init(_ wait: AssignmentWait) {
        self.state = Mutex(State(wait: wait))
        (self.steps, self.continuation) = AsyncStream.makeStream()
    }

    deinit {
        self.finish()
    }

    /// Sets the hooks of a consumer to be made.
    func follow(_ configuration: inout KafkaConsumer.Configuration) {
        configuration.onAssigned = { self.change($0.partitions, isGiven: true) }
        configuration.onRevoked = { self.change($0.partitions, isGiven: false) }
        configuration.onLost = { self.change($0.partitions, isGiven: false) }
    }

    /// The member has asked for its share.
    func begin() {
        self.state.withLock { state in
            let timer = DispatchSource.makeTimerSource(queue: self.queue)
            timer.setEventHandler { [weak self] in self?.look() }
            timer.schedule(deadline: .distantFuture)
            timer.resume()
            state.timer = timer
        }
        self.look()
    }

    /// Ends ``steps``.
    func finish() {
        self.state.withLock { state in
            state.timer?.cancel()
            state.timer = nil
        }
        self.continuation.finish()
    }

    private func change(_ partitions: Set<KafkaTopicPartition>, isGiven: Bool) {
        self.state.withLock { state in
            if isGiven {
                state.share.formUnion(partitions)
            } else {
                state.share.subtract(partitions)
            }
            state.hasAssignment = isGiven
        }
        self.look()
    }

    private func look() {
        let now = self.start.duration(to: .now)
        let step = self.state.withLock { state in
            let step = state.wait.look(hasAssignment: state.hasAssignment, isEmpty: state.share.isEmpty, now: now)
            let next = state.wait.nextLook.map {
                DispatchTime.now() + .milliseconds(Int(($0 - now) / .milliseconds(1)) + 1)
            }
            state.timer?.schedule(deadline: next ?? .distantFuture)
            return step
        }
        if step != .none {
            self.continuation.yield(step)
        }
    }
}

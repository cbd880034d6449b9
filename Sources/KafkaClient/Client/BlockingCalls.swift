internal import Dispatch
internal import Synchronization

/// The threads of one client for calls that block in C.
///
/// Serial queues, each with a thread of its own while it works: the blocks of a concurrent queue would run on the threads
/// that Swift concurrency shares. A call goes where the fewest wait, so that time-outs do not add up.
///
/// A call in C can't be interrupted. When the task that waits for it is cancelled, the task goes on at once, and the call
/// ends by itself: until its time-out it keeps its thread and whatever it holds, such as the client.
final class BlockingCalls: Sendable {
    private struct Lane {
        let queue: DispatchQueue
        var load = 0
    }

    private let lanes: Mutex<[Lane]>
    private let abandonedCount = Atomic<Int>(0)

    init(label: String, count: Int = 8) {
        self.lanes = Mutex((0..<count).map { Lane(queue: DispatchQueue(label: "\(label).\($0)")) })
    }

    /// Whether calls are still running for which nobody waits any more.
    var hasAbandonedCalls: Bool { self.abandonedCount.load(ordering: .acquiring) > 0 }

    /// Runs a call on one of the threads; the calling task is suspended meanwhile.
    ///
    /// - Parameter problem: what may turn out to be no use waiting for.
    /// - Throws: `CancellationError` as soon as the task is cancelled, and the refusal as soon as no broker lets the client
    ///   in. A call that is still waiting for a thread is then dropped; the others go on without anybody waiting for them.
    func run<R: Sendable>(
        unless problem: ConnectionProblem? = nil,
        _ call: @escaping @Sendable () throws(KafkaError) -> R
    ) async throws -> R {
        try Task.checkCancellation()
        let outcome = BlockingOutcome<R>()
        problem?.add(outcome)
        defer { problem?.remove(outcome) }
        self.async {
            guard outcome.begin() else { return }
            let result: Result<R, KafkaError>
            do throws(KafkaError) {
                result = .success(try call())
            } catch {
                result = .failure(error)
            }
            if outcome.end(result) {
                self.abandonedCount.subtract(1, ordering: .acquiringAndReleasing)
            }
        }
        _ = await outcome.waitUnlessCancelled()
        let result = outcome.take {
            self.abandonedCount.add(1, ordering: .acquiringAndReleasing)
        }
        guard let result else {
            if !Task.isCancelled, let refusal = problem?.refusal { throw refusal }
            throw CancellationError()
        }
        return try result.get()
    }

    /// Runs a call on one of the threads and waits for its end, also when the task is cancelled.
    ///
    /// - Parameter limit: how long to wait, which is longer than the call should take.
    /// - Returns: `nil` when the limit has passed: the call then goes on without anybody waiting for it.
    func runToTheEnd<R: Sendable>(limit: Duration, _ call: @escaping @Sendable () -> R) async -> R? {
        let outcome = BlockingOutcome<R>()
        self.async {
            guard outcome.begin() else { return }
            if outcome.end(.success(call())) {
                self.abandonedCount.subtract(1, ordering: .acquiringAndReleasing)
            }
        }
        await outcome.wait(until: .now() + .milliseconds(limit.milliseconds))
        let result = outcome.take {
            self.abandonedCount.add(1, ordering: .acquiringAndReleasing)
        }
        guard case .success(let value) = result else { return nil }
        return value
    }

    private func async(_ call: @escaping @Sendable () -> Void) {
        let (index, queue) = self.lanes.withLock { lanes in
            let index = lanes.indices.min { lanes[$0].load < lanes[$1].load } ?? 0
            lanes[index].load += 1
            return (index, lanes[index].queue)
        }
        queue.async {
            call()
            self.lanes.withLock { $0[index].load -= 1 }
        }
    }
}

/// Where a call that blocks and the task that waits for it meet.
private final class BlockingOutcome<R: Sendable>: Completion, @unchecked Sendable {
    private enum State {
        case waiting
        case running
        case done(Result<R, KafkaError>)
        /// The call is running, and says when it has ended.
        case abandoned
        /// The call had not begun, and never will.
        case dropped
    }

    private let state = Mutex(State.waiting)

    /// The call is about to begin.
    /// - Returns: Whether somebody still wants it.
    func begin() -> Bool {
        self.state.withLock { state in
            guard case .waiting = state else { return false }
            state = .running
            return true
        }
    }

    /// The call has ended.
    /// - Returns: Whether it was abandoned meanwhile.
    func end(_ result: Result<R, KafkaError>) -> Bool {
        let isAbandoned = self.state.withLock { state in
            guard case .running = state else { return true }
            state = .done(result)
            return false
        }
        self.complete()
        return isAbandoned
    }

    /// The task no longer waits.
    ///
    /// - Parameter abandoning: called when the call is running and left alone, before the call can notice.
    /// - Returns: The result, if there is one.
    func take(abandoning: () -> Void) -> Result<R, KafkaError>? {
        self.state.withLock { state in
            switch state {
            case .done(let result):
                return result
            case .waiting:
                state = .dropped
            case .running:
                abandoning()
                state = .abandoned
            case .abandoned, .dropped:
                break
            }
            return nil
        }
    }
}

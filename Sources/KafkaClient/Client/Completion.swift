internal import Dispatch
internal import Synchronization

/// Something that happens once, for which several tasks may wait.
///
/// Subclasses carry what it brought. They are concrete, since the deinitialiser of a generic class looks up metadata each
/// time, and one is made for every record that is sent.
///
/// Unchecked, because a class that can be subclassed can't be checked; all that changes is behind the mutex.
class Completion: @unchecked Sendable {
    private struct Waiting {
        var id: Int
        /// Gets whether it happened, and not the end of the wait.
        var continuation: UnsafeContinuation<Bool, Never>
    }

    private enum State {
        case pending
        /// Mostly one waits, for which nothing is allocated.
        case waiting(Waiting, others: [Waiting])
        case done
    }

    private let state = Mutex(State.pending)
    private let lastID = Atomic<Int>(0)
    private static let deadlines = DispatchQueue(label: "kafka.deadlines")

    /// Wakes all who wait, now and later. Calling it again does nothing.
    final func complete() {
        let previous = self.state.withLock { state in
            let previous = state
            state = .done
            return previous
        }
        guard case .waiting(let first, let others) = previous else { return }
        first.continuation.resume(returning: true)
        for other in others {
            other.continuation.resume(returning: true)
        }
    }

    final var isComplete: Bool {
        self.state.withLock { state in
            if case .done = state { true } else { false }
        }
    }

    /// Returns when it has happened, or at the deadline if there is one, cancelled or not. Without a deadline, whoever
    /// completes it guarantees it.
    final func wait(until deadline: DispatchTime? = nil) async {
        let id = self.lastID.add(1, ordering: .relaxed).newValue
        _ = await withUnsafeContinuation { continuation in
            self.register(Waiting(id: id, continuation: continuation), isCancellable: false)
            if let deadline {
                Self.schedule(at: deadline) { self.giveUp(id) }
            }
        }
    }

    /// Does something short at a time.
    static func schedule(at time: DispatchTime, _ action: @escaping @Sendable () -> Void) {
        self.deadlines.asyncAfter(deadline: time, execute: action)
    }

    /// Returns when it has happened, with `true`, or when the task is cancelled, with `false`.
    ///
    /// Inlined, as what calls it for every record: of 10,000 tasks that wait, each brings its frames back into the cache.
    @inline(__always)
    final func waitUnlessCancelled() async -> Bool {
        if self.isComplete { return true }
        let id = self.lastID.add(1, ordering: .relaxed).newValue
        return await withTaskCancellationHandler {
            await withUnsafeContinuation { continuation in
                self.register(Waiting(id: id, continuation: continuation), isCancellable: true)
            }
        } onCancel: {
            self.giveUp(id)
        }
    }

    private func register(_ waiting: Waiting, isCancellable: Bool) {
        let outcome = self.state.withLock { state -> Bool? in
            switch state {
            case .done:
                return true
            case _ where isCancellable && Task.isCancelled:
                // The handler of the cancellation may have run before there was something to cancel.
                return false
            case .pending:
                state = .waiting(waiting, others: [])
                return nil
            case .waiting(let first, let others):
                state = .waiting(first, others: others + [waiting])
                return nil
            }
        }
        if let outcome {
            waiting.continuation.resume(returning: outcome)
        }
    }

    private func giveUp(_ id: Int) {
        let waiting = self.state.withLock { state -> Waiting? in
            guard case .waiting(let first, var others) = state else { return nil }
            if first.id == id {
                state = others.isEmpty ? .pending : .waiting(others.removeFirst(), others: others)
                return first
            }
            guard let index = others.firstIndex(where: { $0.id == id }) else { return nil }
            let waiting = others.remove(at: index)
            state = .waiting(first, others: others)
            return waiting
        }
        waiting?.continuation.resume(returning: false)
    }
}

/// Returns when the task is cancelled.
func waitForCancellation() async {
    _ = await Completion().waitUnlessCancelled()
}

/// Waits for a while without a thread.
///
/// - Throws: `CancellationError` at once when the task is cancelled.
func suspend(for duration: Duration) async throws(CancellationError) {
    let end = Completion()
    Completion.schedule(at: .now() + .milliseconds(duration.milliseconds)) { end.complete() }
    guard await end.waitUnlessCancelled() else { throw CancellationError() }
}

extension DispatchTime {
    /// Whole milliseconds from now, 0 when it is past.
    var milliseconds: Int32 {
        let now = DispatchTime.now()
        guard self > now else { return 0 }
        return Int32(clamping: (self.uptimeNanoseconds - now.uptimeNanoseconds) / 1_000_000)
    }
}

internal import Synchronization

/// Returns when the task is cancelled.
func waitForCancellation() async {
    let cancelled = Completion()
    await withTaskCancellationHandler {
        await cancelled.wait()
    } onCancel: {
        cancelled.complete()
    }
}

/// Something that happens once, for which several tasks may wait.
final class Completion: Sendable {
    private enum State {
        case pending([UnsafeContinuation<Void, Never>])
        case done
    }

    private let state = Mutex(State.pending([]))

    /// Wakes all who wait, now and later. Calling it again does nothing.
    func complete() {
        let waiting = self.state.withLock { state -> [UnsafeContinuation<Void, Never>] in
            guard case .pending(let waiting) = state else { return [] }
            state = .done
            return waiting
        }
        for continuation in waiting {
            continuation.resume()
        }
    }

    var isComplete: Bool {
        self.state.withLock { state in
            if case .done = state { true } else { false }
        }
    }

    /// Returns when it has happened. Whoever completes it guarantees that this has a deadline.
    func wait() async {
        await withUnsafeContinuation { continuation in
            let isDone = self.state.withLock { state -> Bool in
                guard case .pending(let waiting) = state else { return true }
                state = .pending(waiting + [continuation])
                return false
            }
            if isDone {
                continuation.resume()
            }
        }
    }
}

internal import Synchronization

/// A task that waits until a fault has happened. It is told once: by the fault, by the end of the cluster, or by its own
/// cancellation, whichever comes first.
final class FaultObserver: Sendable {
    private enum State {
        case new
        case waiting(CheckedContinuation<Void, any Error>)
        case ended(Result<Void, any Error>)
    }

    /// How often the fault must have happened.
    let count: Int
    private let state = Mutex(State.new)

    init(count: Int) {
        self.count = count
    }

    /// Returns when it is told.
    func wait() async throws {
        try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { continuation in
                let result = self.state.withLock { state -> Result<Void, any Error>? in
                    if case .ended(let result) = state { return result }
                    state = .waiting(continuation)
                    return nil
                }
                if let result { continuation.resume(with: result) }
            }
        } onCancel: {
            self.end(.failure(CancellationError()))
        }
    }

    /// Ends the waiting, if it has not ended.
    func end(_ result: Result<Void, any Error>) {
        let continuation = self.state.withLock { state -> CheckedContinuation<Void, any Error>? in
            switch state {
            case .ended: return nil
            case .new:
                state = .ended(result)
                return nil
            case .waiting(let continuation):
                state = .ended(result)
                return continuation
            }
        }
        continuation?.resume(with: result)
    }
}

internal import Synchronization

/// A value that comes once, or an error in its place, for tasks that wait for it.
final class Deferred<Value: Sendable>: Sendable {
    private enum State {
        case pending([Int: CheckedContinuation<Value, any Error>])
        case done(Result<Value, any Error>)
    }

    private let state = Mutex((state: State.pending([:]), nextWaiter: 0))

    /// Gives the value, unless there is one already.
    ///
    /// - Returns: whether it was the first.
    @discardableResult
    func fulfil(_ result: Result<Value, any Error>) -> Bool {
        let waiters = self.state.withLock { state -> [Int: CheckedContinuation<Value, any Error>]? in
            guard case .pending(let waiters) = state.state else { return nil }
            state.state = .done(result)
            return waiters
        }
        guard let waiters else { return false }
        for waiter in waiters.values { waiter.resume(with: result) }
        return true
    }

    /// The value, when it is there.
    ///
    /// - Throws: the error that came instead; `CancellationError` when the task is cancelled before.
    var value: Value {
        get async throws {
            let number = self.state.withLock { state in
                defer { state.nextWaiter += 1 }
                return state.nextWaiter
            }
            return try await withTaskCancellationHandler {
                try await withCheckedThrowingContinuation { self.wait($0, number: number) }
            } onCancel: {
                self.stopWaiting(number)
            }
        }
    }

    private func wait(_ continuation: CheckedContinuation<Value, any Error>, number: Int) {
        let result = self.state.withLock { state -> Result<Value, any Error>? in
            switch state.state {
            case .done(let result): return result
            case .pending where Task.isCancelled: return .failure(CancellationError())
            case .pending(var waiters):
                waiters[number] = continuation
                state.state = .pending(waiters)
                return nil
            }
        }
        if let result { continuation.resume(with: result) }
    }

    private func stopWaiting(_ number: Int) {
        let waiter = self.state.withLock { state -> CheckedContinuation<Value, any Error>? in
            guard case .pending(var waiters) = state.state, let waiter = waiters.removeValue(forKey: number) else {
                return nil
            }
            state.state = .pending(waiters)
            return waiter
        }
        waiter?.resume(throwing: CancellationError())
    }
}

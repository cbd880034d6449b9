internal import Synchronization

/// Wakes the one reader of a consumer: by librdkafka when its data queue is no longer empty, and by the consumer when
/// there is something else to see.
///
/// A signal that comes while nobody waits is kept for the next wait.
final class DataSignal: Sendable {
    private enum State {
        case none
        case signalled
        case waiting(UnsafeContinuation<Void, Never>)
    }

    private let state = Mutex(State.none)

    /// Called also from librdkafka's callback, with the queue's lock held: so it calls nothing of librdkafka.
    func signal() {
        let continuation = self.state.withLock { state -> UnsafeContinuation<Void, Never>? in
            guard case .waiting(let continuation) = state else {
                state = .signalled
                return nil
            }
            state = .none
            return continuation
        }
        continuation?.resume()
    }

    /// Returns at the next signal, at once if one was kept, or when the task is cancelled.
    func wait() async {
        await withTaskCancellationHandler {
            await withUnsafeContinuation { continuation in
                let isOver = self.state.withLock { state -> Bool in
                    if case .signalled = state {
                        state = .none
                        return true
                    }
                    if Task.isCancelled { return true }
                    state = .waiting(continuation)
                    return false
                }
                if isOver {
                    continuation.resume()
                }
            }
        } onCancel: {
            self.signal()
        }
    }
}

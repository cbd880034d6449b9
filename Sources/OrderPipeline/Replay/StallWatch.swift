internal import Dispatch
internal import Synchronization

/// Notices when nothing has happened for a while.
final class StallWatch: Sendable {
    private struct State {
        var lastProgress = ContinuousClock.now
        var waiter: CheckedContinuation<Void, any Error>?
        var isCancelled = false
    }

    private let limit: Duration
    private let state = Mutex(State())

    /// - Parameter limit: How long nothing may happen.
    init(limit: Duration) {
        self.limit = limit
    }

    /// Something has happened.
    func progressed() {
        self.state.withLock { $0.lastProgress = .now }
    }

    /// Returns when nothing has happened for the limit, from now on.
    /// - Throws: `CancellationError` when the task is cancelled before.
    func waitForStall() async throws {
        self.progressed()
        let timer = DispatchSource.makeTimerSource(queue: DispatchQueue(label: "order-pipeline.stall"))
        let interval = max(0.01, self.limit / .seconds(1) / 10)
        timer.schedule(deadline: .now() + interval, repeating: interval)
        timer.setEventHandler { self.check() }
        timer.activate()
        defer { timer.cancel() }
        try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { continuation in
                let isCancelled = self.state.withLock { state in
                    if !state.isCancelled { state.waiter = continuation }
                    return state.isCancelled
                }
                if isCancelled { continuation.resume(throwing: CancellationError()) }
            }
        } onCancel: {
            let waiter = self.state.withLock { state in
                state.isCancelled = true
                return state.waiter.take()
            }
            waiter?.resume(throwing: CancellationError())
        }
    }

    private func check() {
        let waiter = self.state.withLock { state in
            state.lastProgress.duration(to: .now) >= self.limit ? state.waiter.take() : nil
        }
        waiter?.resume()
    }
}

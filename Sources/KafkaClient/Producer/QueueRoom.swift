internal import Synchronization

/// The senders that wait for room in the local queue.
final class QueueRoom: Sendable {
    private struct State {
        var waiting: [(id: Int, continuation: UnsafeContinuation<Void, Never>)] = []
        var nextID = 0
    }

    private let state = Mutex(State())
    /// Read for every delivery event, so that nobody pays for a lock when nobody waits.
    private let waitingCount = Atomic<Int>(0)

    /// Whether somebody waits.
    var isAwaited: Bool { self.waitingCount.load(ordering: .sequentiallyConsistent) > 0 }

    /// Waits until ``wake()`` is called.
    ///
    /// - Parameter isStillFull: asked after the caller is registered: when it answers `false`, there is no wait, since the
    ///   call of ``wake()`` may have been missed.
    /// - Throws: `CancellationError` when the task is cancelled.
    func wait(isStillFull: () -> Bool) async throws(CancellationError) {
        let id = self.state.withLock { state in
            defer { state.nextID += 1 }
            return state.nextID
        }
        await withTaskCancellationHandler {
            await withUnsafeContinuation { continuation in
                self.state.withLock { $0.waiting.append((id, continuation)) }
                self.waitingCount.add(1, ordering: .sequentiallyConsistent)
                if Task.isCancelled || !isStillFull() {
                    self.remove(id)
                }
            }
        } onCancel: {
            self.remove(id)
        }
        if Task.isCancelled { throw CancellationError() }
    }

    /// Wakes all who wait.
    func wake() {
        let waiting = self.state.withLock { state in
            defer { state.waiting = [] }
            return state.waiting
        }
        self.waitingCount.subtract(waiting.count, ordering: .sequentiallyConsistent)
        for (_, continuation) in waiting {
            continuation.resume()
        }
    }

    private func remove(_ id: Int) {
        let continuation = self.state.withLock { state -> UnsafeContinuation<Void, Never>? in
            guard let index = state.waiting.firstIndex(where: { $0.id == id }) else { return nil }
            return state.waiting.remove(at: index).continuation
        }
        guard let continuation else { return }
        self.waitingCount.subtract(1, ordering: .sequentiallyConsistent)
        continuation.resume()
    }
}

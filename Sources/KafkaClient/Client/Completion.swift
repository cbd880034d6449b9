internal import Dispatch
internal import Synchronization

/// Something that happens once, for which several tasks may wait.
final class Completion: Sendable {
    private enum State {
        case pending([Int: UnsafeContinuation<Void, Never>], nextID: Int)
        case done
    }

    private let state = Mutex(State.pending([:], nextID: 0))
    private static let deadlines = DispatchQueue(label: "kafka.deadlines")

    /// Wakes all who wait, now and later. Calling it again does nothing.
    func complete() {
        let waiting = self.state.withLock { state -> [Int: UnsafeContinuation<Void, Never>] in
            guard case .pending(let waiting, _) = state else { return [:] }
            state = .done
            return waiting
        }
        for continuation in waiting.values {
            continuation.resume()
        }
    }

    var isComplete: Bool {
        self.state.withLock { state in
            if case .done = state { true } else { false }
        }
    }

    /// Returns when it has happened, or at the deadline if there is one. Without one, whoever completes it guarantees it.
    func wait(until deadline: DispatchTime? = nil) async {
        await withUnsafeContinuation { continuation in
            guard let id = self.register(continuation) else { return continuation.resume() }
            if let deadline {
                Self.deadlines.asyncAfter(deadline: deadline) { self.giveUp(id) }
            }
        }
    }

    private func register(_ continuation: UnsafeContinuation<Void, Never>) -> Int? {
        self.state.withLock { state in
            guard case .pending(var waiting, let id) = state else { return nil }
            waiting[id] = continuation
            state = .pending(waiting, nextID: id + 1)
            return id
        }
    }

    private func giveUp(_ id: Int) {
        let continuation = self.state.withLock { state -> UnsafeContinuation<Void, Never>? in
            guard case .pending(var waiting, let nextID) = state else { return nil }
            let continuation = waiting.removeValue(forKey: id)
            state = .pending(waiting, nextID: nextID)
            return continuation
        }
        continuation?.resume()
    }
}

/// Returns when the task is cancelled.
func waitForCancellation() async {
    let cancelled = Completion()
    await withTaskCancellationHandler {
        await cancelled.wait()
    } onCancel: {
        cancelled.complete()
    }
}

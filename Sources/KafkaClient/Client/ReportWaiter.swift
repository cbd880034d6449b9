internal import Synchronization

/// Where a report of librdkafka and the task that asked for it meet, whichever comes first.
///
/// Its address travels through librdkafka as an opaque pointer, so the report finds it without a look-up.
final class ReportWaiter<Report: Sendable>: Sendable {
    private struct Waiting {
        var id: Int
        var continuation: UnsafeContinuation<Report?, Never>
    }

    private enum State {
        case pending
        /// One waits, and rarely others: a receipt can be awaited by several tasks.
        case waiting(Waiting, others: [Waiting], nextID: Int)
        case delivered(Report)
    }

    private let state = Mutex(State.pending)

    /// The opaque pointer for librdkafka, which holds a reference until the report has come.
    func makeOpaque() -> UnsafeMutableRawPointer {
        Unmanaged.passRetained(self).toOpaque()
    }

    /// Takes the reference back that ``makeOpaque()`` gave away.
    static func take(opaque: UnsafeMutableRawPointer) -> ReportWaiter {
        Unmanaged<ReportWaiter>.fromOpaque(opaque).takeRetainedValue()
    }

    /// Called once with the report.
    func deliver(_ report: Report) {
        let previous = self.state.withLock { state in
            let previous = state
            state = .delivered(report)
            return previous
        }
        guard case .waiting(let first, let others, _) = previous else { return }
        first.continuation.resume(returning: report)
        for other in others {
            other.continuation.resume(returning: report)
        }
    }

    /// Waits for the report; `nil` when the task was cancelled first.
    func wait() async -> Report? {
        if let report = self.deliveredReport { return report }
        let id = Atomic<Int>(-1)
        return await withTaskCancellationHandler {
            await withUnsafeContinuation { continuation in
                self.install(continuation, id: id)
            }
        } onCancel: {
            self.cancel(id.load(ordering: .acquiring))
        }
    }

    private var deliveredReport: Report? {
        self.state.withLock { state in
            guard case .delivered(let report) = state else { return nil }
            return report
        }
    }

    private func install(_ continuation: UnsafeContinuation<Report?, Never>, id: borrowing Atomic<Int>) {
        // `nil` means suspended, `.some(nil)` cancelled.
        let outcome = self.state.withLock { state -> Report?? in
            switch state {
            case .delivered(let report):
                return .some(report)
            case .pending:
                // A cancellation that ran before the id was known is seen here instead.
                id.store(0, ordering: .releasing)
                if Task.isCancelled { return .some(nil) }
                state = .waiting(Waiting(id: 0, continuation: continuation), others: [], nextID: 1)
                return nil
            case .waiting(let first, let others, let nextID):
                id.store(nextID, ordering: .releasing)
                if Task.isCancelled { return .some(nil) }
                let waiting = Waiting(id: nextID, continuation: continuation)
                state = .waiting(first, others: others + [waiting], nextID: nextID + 1)
                return nil
            }
        }
        if let report = outcome {
            continuation.resume(returning: report)
        }
    }

    private func cancel(_ id: Int) {
        let cancelled = self.state.withLock { state -> Waiting? in
            guard case .waiting(let first, var others, let nextID) = state else { return nil }
            if first.id == id {
                if others.isEmpty {
                    state = .pending
                } else {
                    state = .waiting(others.removeFirst(), others: others, nextID: nextID)
                }
                return first
            }
            guard let index = others.firstIndex(where: { $0.id == id }) else { return nil }
            let cancelled = others.remove(at: index)
            state = .waiting(first, others: others, nextID: nextID)
            return cancelled
        }
        cancelled?.continuation.resume(returning: nil)
    }
}

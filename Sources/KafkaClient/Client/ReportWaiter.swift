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
        case waiting(Waiting, others: [Waiting])
        case delivered(Report)
    }

    private let state = Mutex(State.pending)
    private let lastID = Atomic<Int>(0)

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
        guard case .waiting(let first, let others) = previous else { return }
        first.continuation.resume(returning: report)
        for other in others {
            other.continuation.resume(returning: report)
        }
    }

    /// Waits for the report; `nil` when the task was cancelled first.
    func wait() async -> Report? {
        if let report = self.deliveredReport { return report }
        let id = self.lastID.add(1, ordering: .relaxed).newValue
        return await withTaskCancellationHandler {
            await withUnsafeContinuation { continuation in
                self.install(Waiting(id: id, continuation: continuation))
            }
        } onCancel: {
            self.cancel(id)
        }
    }

    private var deliveredReport: Report? {
        self.state.withLock { state in
            guard case .delivered(let report) = state else { return nil }
            return report
        }
    }

    private func install(_ waiting: Waiting) {
        // `nil` means suspended, `.some(nil)` cancelled.
        let outcome = self.state.withLock { state -> Report?? in
            switch state {
            case .delivered(let report):
                return .some(report)
            case _ where Task.isCancelled:
                // The handler of the cancellation may have run before there was something to cancel.
                return .some(nil)
            case .pending:
                state = .waiting(waiting, others: [])
                return nil
            case .waiting(let first, let others):
                state = .waiting(first, others: others + [waiting])
                return nil
            }
        }
        if let report = outcome {
            waiting.continuation.resume(returning: report)
        }
    }

    private func cancel(_ id: Int) {
        let cancelled = self.state.withLock { state -> Waiting? in
            guard case .waiting(let first, var others) = state else { return nil }
            if first.id == id {
                if others.isEmpty {
                    state = .pending
                } else {
                    state = .waiting(others.removeFirst(), others: others)
                }
                return first
            }
            guard let index = others.firstIndex(where: { $0.id == id }) else { return nil }
            let cancelled = others.remove(at: index)
            state = .waiting(first, others: others)
            return cancelled
        }
        cancelled?.continuation.resume(returning: nil)
    }
}

internal import Dispatch
internal import Synchronization

/// Lets one after the other in, in the order in which they came, until it is closed.
package final class TurnQueue: Sendable {
    package enum Outcome {
        case granted
        case cancelled
        case closed
    }

    private struct State {
        var isTaken = false
        var isClosed = false
        var waiting: [(id: Int, continuation: UnsafeContinuation<Outcome, Never>)] = []
        var nextID = 0
    }

    private let state = Mutex(State())
    /// Completed when it is closed and nobody has the turn.
    private let isOver = Completion()

    package init() {}

    /// How many wait for the turn.
    var waitingCount: Int { self.state.withLock { $0.waiting.count } }

    /// Waits for the turn. Whoever it is granted to gives it back.
    package func take() async -> Outcome {
        let (id, outcome) = self.state.withLock { state -> (Int, Outcome?) in
            state.nextID += 1
            return (state.nextID, Self.takeAtOnce(&state))
        }
        if let outcome { return outcome }
        return await withTaskCancellationHandler {
            await withUnsafeContinuation { continuation in
                let outcome = self.state.withLock { state -> Outcome? in
                    if Task.isCancelled { return .cancelled }
                    if let outcome = Self.takeAtOnce(&state) { return outcome }
                    state.waiting.append((id, continuation))
                    return nil
                }
                if let outcome {
                    continuation.resume(returning: outcome)
                }
            }
        } onCancel: {
            let continuation = self.state.withLock { state -> UnsafeContinuation<Outcome, Never>? in
                guard let index = state.waiting.firstIndex(where: { $0.id == id }) else { return nil }
                return state.waiting.remove(at: index).continuation
            }
            continuation?.resume(returning: .cancelled)
        }
    }

    private static func takeAtOnce(_ state: inout State) -> Outcome? {
        if state.isClosed { return .closed }
        if state.isTaken { return nil }
        state.isTaken = true
        return .granted
    }

    /// Gives the turn back, to the one that has waited longest.
    package func giveBack() {
        let (next, isOver) = self.state.withLock { state -> (UnsafeContinuation<Outcome, Never>?, Bool) in
            if !state.waiting.isEmpty { return (state.waiting.removeFirst().continuation, false) }
            state.isTaken = false
            return (nil, state.isClosed)
        }
        next?.resume(returning: .granted)
        if isOver { self.isOver.complete() }
    }

    /// Sends away those who wait, and returns when the turn was given back, or at the deadline.
    func close(until deadline: DispatchTime) async {
        let (waiting, isOver) = self.state.withLock { state in
            state.isClosed = true
            defer { state.waiting = [] }
            return (state.waiting, !state.isTaken)
        }
        for (_, continuation) in waiting {
            continuation.resume(returning: .closed)
        }
        if isOver { self.isOver.complete() }
        await self.isOver.wait(until: deadline)
    }
}

/// A turn that somebody uses on behalf of a task, and passes on to it unless it is cancelled meanwhile.
final class BorrowedTurn<R: Sendable>: Completion, @unchecked Sendable {
    private enum State {
        case inUse
        case passedOn(R)
        /// The task has gone.
        case abandoned
    }

    private let state = Mutex(State.inUse)

    /// What was to be done is done.
    ///
    /// - Returns: whether the task has the turn now. If not, it is to be given back.
    func finish(_ result: R) -> Bool {
        let isWanted = self.state.withLock { state in
            if case .abandoned = state { return false }
            state = .passedOn(result)
            return true
        }
        self.complete()
        return isWanted
    }

    /// Waits for the turn.
    ///
    /// - Returns: the result, and with it the turn; `nil` when the task was cancelled before.
    func result() async -> R? {
        _ = await self.waitUnlessCancelled()
        return self.state.withLock { state in
            if case .passedOn(let result) = state { return result }
            state = .abandoned
            return nil
        }
    }
}

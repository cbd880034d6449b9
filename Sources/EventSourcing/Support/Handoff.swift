internal import Synchronization

/// Hands values from one task to another, one at a time: whoever gives is at most one ahead of whoever takes.
final class Handoff<Value: Sendable>: Sendable {
    private struct State {
        var value: Value?
        var given = 0
        var done = 0
        /// Nothing more is given.
        var isClosed = false
        /// Nothing more is taken.
        var isOver = false
    }

    private let state = Mutex(State())
    private let signal = ChangeSignal()

    /// Gives a value, when the one before was taken.
    ///
    /// - Returns: whether it was given; nothing is taken any more when it was not.
    /// - Throws: `CancellationError` when the task is cancelled.
    func give(_ value: Value) async throws -> Bool {
        while true {
            let count = self.signal.count
            let isGiven = self.state.withLock { state -> Bool? in
                if state.isOver { return false }
                if state.value != nil { return nil }
                state.value = value
                state.given += 1
                return true
            }
            if let isGiven {
                if isGiven { self.signal.send() }
                return isGiven
            }
            try await self.signal.wait(past: count)
        }
    }

    /// Takes a value.
    ///
    /// - Returns: `nil` when nothing more is given.
    /// - Throws: `CancellationError` when the task is cancelled.
    func take() async throws -> Value? {
        while true {
            let count = self.signal.count
            let (value, isClosed) = self.state.withLock { state in
                defer { state.value = nil }
                return (state.value, state.isClosed)
            }
            if let value {
                self.signal.send()
                return value
            }
            if isClosed { return nil }
            try await self.signal.wait(past: count)
        }
    }

    /// What was taken last is done with.
    func finish() {
        self.state.withLock { $0.done += 1 }
        self.signal.send()
    }

    /// Nothing more is given.
    func close() {
        self.state.withLock { $0.isClosed = true }
        self.signal.send()
    }

    /// Nothing more is taken: nobody needs to wait.
    func end() {
        self.state.withLock { state in
            state.isClosed = true
            state.isOver = true
        }
        self.signal.send()
    }

    /// Waits until all that was given so far is done with, or nothing more is taken, or the task is cancelled.
    func drain() async {
        let given = self.state.withLock { $0.given }
        while true {
            let count = self.signal.count
            if self.state.withLock({ $0.isOver || $0.done >= given }) { return }
            do { try await self.signal.wait(past: count) } catch { return }
        }
    }
}

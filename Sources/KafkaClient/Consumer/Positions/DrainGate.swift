internal import Synchronization

/// Keeps apart what takes records out of librdkafka's queues and what moves partitions to other places.
///
/// A drain that ran beside a move could bring records from before it and from behind it in one batch, and nothing would tell
/// them apart (librdkafka 2.0, "Poor Consumer batch API messaging guarantees"). Draining is short and never waits: while
/// partitions are moved it finds the gate shut, and is signalled when it is open again.
final class DrainGate: Sendable {
    private struct State {
        var draining = 0
        var isHeld = false
        var waiting: [UnsafeContinuation<Void, Never>] = []

        /// Lets the next one in that wants to move partitions, when nobody drains or moves.
        mutating func next() -> UnsafeContinuation<Void, Never>? {
            guard self.draining == 0, !self.isHeld, !self.waiting.isEmpty else { return nil }
            self.isHeld = true
            return self.waiting.removeFirst()
        }
    }

    private let state = Mutex(State())

    /// Says that records are about to be taken; ``endDraining()`` must follow.
    ///
    /// - Returns: `false` while partitions are moved or about to be: wait for the next signal.
    func beginDraining() -> Bool {
        self.state.withLock { state in
            guard !state.isHeld, state.waiting.isEmpty else { return false }
            state.draining += 1
            return true
        }
    }

    func endDraining() {
        self.state.withLock { state in
            state.draining -= 1
            return state.next()
        }?.resume()
    }

    /// Waits until nobody drains or moves partitions, and keeps it so; ``release()`` must follow, and then a signal for those
    /// who found the gate shut.
    func hold() async {
        await withUnsafeContinuation { continuation in
            self.state.withLock { state in
                state.waiting.append(continuation)
                return state.next()
            }?.resume()
        }
    }

    func release() {
        self.state.withLock { state in
            state.isHeld = false
            return state.next()
        }?.resume()
    }
}

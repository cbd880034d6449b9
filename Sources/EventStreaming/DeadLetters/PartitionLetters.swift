internal import KafkaClient
internal import Logging
internal import Synchronization

/// What is known of the dead letters of a partition, in ordered mode, from when its processor gets the partition until it is
/// given up.
final class PartitionLetters: Sendable {
    private struct State {
        var known: BlockedKeys
        /// With what the transaction in hand changes, if it changes anything.
        var changed: BlockedKeys?
        var restoring: Task<Void, any Error>?
        var isRestored = false
        var isDropped = false
    }

    /// The partition of dead letters.
    let place: KafkaTopicPartition
    private let state: Mutex<State>
    private let restore: @Sendable (BlockedKeys) async throws -> BlockedKeys

    /// - Parameters:
    ///   - source: the partition whose letters they are.
    ///   - restore: reads what the log has.
    init(
        source: KafkaTopicPartition,
        place: KafkaTopicPartition,
        processor: String,
        restore: @escaping @Sendable (BlockedKeys) async throws -> BlockedKeys
    ) {
        self.place = place
        self.restore = restore
        self.state = Mutex(State(known: BlockedKeys(processor: processor, source: source, place: place)))
    }

    /// Returns when it is known what the log has.
    ///
    /// Reading begins with the first message of the partition. Only then is it certain that every transaction has ended in which
    /// the partition's owner before committed a position: its letters may be missed until then. Where a transaction's time
    /// runs out meanwhile, reading goes on for the next one.
    func restored() async throws {
        let task = self.state.withLock { state -> Task<Void, any Error>? in
            if state.isRestored || state.isDropped { return nil }
            if let restoring = state.restoring { return restoring }
            let empty = state.known
            let task = Task {
                let known = try await self.restore(empty)
                self.state.withLock { state in
                    state.known = known
                    state.isRestored = true
                }
            }
            state.restoring = task
            return task
        }
        guard let task else { return }
        do {
            try await withTaskCancellationHandler {
                try await task.value
            } onCancel: {
                task.cancel()
            }
        } catch {
            let isDropped = self.state.withLock { state in
                // Another one may begin anew.
                state.restoring = nil
                return state.isDropped
            }
            if !isDropped { throw error }
        }
    }

    /// The partition is given up: what is known will be out of date.
    func drop() {
        let task = self.state.withLock { state in
            state.isDropped = true
            return state.restoring.take()
        }
        task?.cancel()
    }

    var isDropped: Bool { self.state.withLock { $0.isDropped } }

    // MARK: Asking and changing

    func read<R>(_ body: (BlockedKeys) -> R) -> R {
        self.state.withLock { body($0.changed ?? $0.known) }
    }

    /// - Parameter isFinal: whether it is true already; else it will be with the transaction in hand.
    func change(isFinal: Bool, _ body: (inout BlockedKeys) -> Void) {
        self.state.withLock { state in
            if isFinal {
                body(&state.known)
            } else {
                var changed = state.changed.take() ?? state.known
                body(&changed)
                state.changed = changed
            }
        }
    }

    /// The transaction in hand has ended.
    func transactionEnded(isCommitted: Bool) {
        self.state.withLock { state in
            guard let changed = state.changed.take() else { return }
            if isCommitted { state.known = changed }
        }
    }
}

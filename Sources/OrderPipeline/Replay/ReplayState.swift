internal import Synchronization

/// What the read model of a running replay knows, for the task that fills it and the one that asks what is missing.
final class ReplayState: Sendable {
    private struct State {
        var model = RevenueReadModel()
        var firstMessage: ContinuousClock.Instant?
    }

    private let state = Mutex(State())

    /// Takes messages of this replay and returns how many orders are at their end.
    func apply(_ messages: [PipelineMessage]) -> Int {
        self.state.withLock { state in
            if state.firstMessage == nil, !messages.isEmpty { state.firstMessage = .now }
            for message in messages { state.model.apply(message) }
            return state.model.completed
        }
    }

    /// The read model as it is now.
    var model: RevenueReadModel { self.state.withLock { $0.model } }

    /// When the first message came.
    var firstMessage: ContinuousClock.Instant? { self.state.withLock { $0.firstMessage } }
}

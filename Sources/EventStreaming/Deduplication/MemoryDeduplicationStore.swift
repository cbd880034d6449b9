internal import Synchronization

/// A window of the events that were handled lately, in memory.
///
/// It knows what this process has handled, and forgets it when the process ends, or when there are too many. A record that is
/// handled again at the same position is not taken for a repetition: a transaction was aborted, and what was sent for it is to
/// be sent again.
public final class MemoryDeduplicationStore: DeduplicationStore {
    private struct State {
        var window: DeduplicationWindow
        /// What is being handled.
        var running: [EventIdentity: Deferred<Void>] = [:]
    }

    private enum Step {
        case run(Deferred<Void>)
        case wait(Deferred<Void>)
        case skip
    }

    private let state: Mutex<State>

    /// Makes an empty window.
    ///
    /// - Parameters:
    ///   - maxCount: how many events are known at most; the oldest are forgotten first.
    ///   - maxAge: for how long an event is known.
    public init(maxCount: Int = 100_000, maxAge: Duration = .seconds(3_600)) {
        self.state = Mutex(State(window: DeduplicationWindow(maxCount: max(1, maxCount), maxAge: maxAge)))
    }

    /// How many events are known.
    public var count: Int { self.state.withLock { $0.window.count } }

    /// See ``DeduplicationStore/once(_:at:_:)``.
    public func once<R: Sendable>(
        _ event: EventIdentity,
        at position: RecordPosition,
        _ body: () async throws -> R
    ) async throws -> R? {
        while true {
            switch self.step(event, position) {
            case .skip: return nil
            case .wait(let other): try await other.value
            case .run(let own): return try await self.run(event, position, own, body)
            }
        }
    }

    private func step(_ event: EventIdentity, _ position: RecordPosition) -> Step {
        self.state.withLock { state in
            if let other = state.running[event] { return .wait(other) }
            if let known = state.window.position(of: event, now: .now), known != position { return .skip }
            let own = Deferred<Void>()
            state.running[event] = own
            return .run(own)
        }
    }

    private func run<R>(
        _ event: EventIdentity,
        _ position: RecordPosition,
        _ own: Deferred<Void>,
        _ body: () async throws -> R
    ) async throws -> R {
        defer { own.fulfil(.success(())) }
        do {
            let result = try await body()
            self.state.withLock { state in
                state.running[event] = nil
                state.window.add(event, at: position, now: .now)
            }
            return result
        } catch {
            self.state.withLock { _ = $0.running.removeValue(forKey: event) }
            throw error
        }
    }
}

internal import Synchronization

/// Answers that are kept, up to a number, and asked for once however many want them at the same time.
final class SingleFlightCache<Key: Hashable & Sendable, Value: Sendable>: Sendable {
    private struct State {
        var values: [Key: Value] = [:]
        /// In the order in which they came.
        var keys: [Key] = []
        var flights: [Key: Task<Value, any Error>] = [:]

        mutating func keep(_ value: Value, for key: Key, limit: Int) {
            if self.values.updateValue(value, forKey: key) == nil { self.keys.append(key) }
            if self.keys.count > limit { self.values[self.keys.removeFirst()] = nil }
        }
    }

    private enum Found {
        case value(Value)
        case flight(Task<Value, any Error>)
    }

    private let limit: Int
    private let state = Mutex(State())

    init(limit: Int) {
        self.limit = limit
    }

    /// The value of a key: the one that is kept, or else what `ask` brings. Errors are not kept.
    ///
    /// Whoever stops waiting does not stop the others.
    func value(of key: Key, ask: @escaping @Sendable () async throws -> Value) async throws -> Value {
        let found = self.state.withLock { state -> Found in
            if let value = state.values[key] { return .value(value) }
            if let flight = state.flights[key] { return .flight(flight) }
            let flight = Task { try await self.fly(key, ask) }
            state.flights[key] = flight
            return .flight(flight)
        }
        switch found {
        case .value(let value): return value
        case .flight(let flight): return try await flight.value
        }
    }

    private func fly(_ key: Key, _ ask: @Sendable () async throws -> Value) async throws -> Value {
        do {
            let value = try await ask()
            self.state.withLock { state in
                state.flights[key] = nil
                state.keep(value, for: key, limit: self.limit)
            }
            return value
        } catch {
            self.state.withLock { $0.flights[key] = nil }
            throw error
        }
    }

    /// Keeps a value that came by other means.
    func keep(_ value: Value, for key: Key) {
        self.state.withLock { $0.keep(value, for: key, limit: self.limit) }
    }
}

public import EventStreaming
internal import Synchronization

/// Keeps events in memory: for tests and trials. What it promises is what a store in a file promises, save that it forgets.
public final class MemoryEventStore: EventStore {
    private struct State {
        var events: [StoredEvent] = []
        /// Indices into the events.
        var streams: [EntityID: [Int]] = [:]
        var identities: [EventIdentity: Int] = [:]
        var snapshots: [EntityID: EntitySnapshot] = [:]
    }

    /// Names the store in a ``PositionToken``.
    public let name: String
    private let state = Mutex(State())
    private let appended = ChangeSignal()

    /// Makes an empty store.
    public init(name: String = "events") {
        self.name = name
    }

    /// See ``EventStore/events(of:from:limit:)``.
    public func events(of entity: EntityID, from sequence: Int64, limit: Int) async throws -> [StoredEvent] {
        self.state.withLock { state in
            let stream = state.streams[entity] ?? []
            let start = Int(clamping: max(sequence, 1) - 1)
            return stream.dropFirst(start).prefix(max(0, limit)).map { state.events[$0] }
        }
    }

    /// See ``EventStore/version(of:)``.
    public func version(of entity: EntityID) async throws -> Int64 {
        self.state.withLock { Int64($0.streams[entity]?.count ?? 0) }
    }

    /// See ``EventStore/event(_:)``.
    public func event(_ identity: EventIdentity) async throws -> StoredEvent? {
        self.state.withLock { state in state.identities[identity].map { state.events[$0] } }
    }

    /// See ``EventStore/append(_:)``.
    public func append(_ appends: [EventAppend]) async throws -> AppendResult {
        try EventAppend.check(appends)
        let result = try self.state.withLock { state -> AppendResult in
            let repetition = try EventAppend.repetition(of: appends, in: self.name) { identity in
                state.identities[identity].map { state.events[$0] }
            }
            if let repetition { return repetition }
            var versions: [EntityID: Int64] = [:]
            for append in appends {
                let actual = Int64(state.streams[append.entity]?.count ?? 0)
                guard append.expected.allows(actual) else {
                    throw EventStoreError.conflict(append.entity, expected: append.expected, actual: actual)
                }
                versions[append.entity] = actual
            }
            var position: Int64 = 0
            for append in appends {
                for event in append.events {
                    position = Int64(state.events.count) + 1
                    versions[append.entity, default: 0] += 1
                    state.identities[event.metadata.identity] = state.events.count
                    state.streams[append.entity, default: []].append(state.events.count)
                    state.events.append(
                        StoredEvent(
                            entity: append.entity,
                            sequence: versions[append.entity] ?? 0,
                            position: position,
                            event: event
                        )
                    )
                }
            }
            return AppendResult(versions: versions, position: position, isRepetition: false, store: self.name)
        }
        if result.position > 0, !result.isRepetition { self.appended.send() }
        return result
    }

    /// See ``EventStore/events(after:limit:)``.
    public func events(after position: Int64, limit: Int) async throws -> [StoredEvent] {
        self.state.withLock { state in
            Array(state.events.dropFirst(Int(clamping: max(position, 0))).prefix(max(0, limit)))
        }
    }

    /// See ``EventStore/lastPosition()``.
    public func lastPosition() async throws -> Int64 {
        self.state.withLock { Int64($0.events.count) }
    }

    /// See ``EventStore/waitForEvents(after:)``.
    public func waitForEvents(after position: Int64) async throws {
        while true {
            let count = self.appended.count
            if try await self.lastPosition() > position { return }
            try await self.appended.wait(past: count)
        }
    }

    /// See ``EventStore/snapshot(of:form:)``.
    public func snapshot(of entity: EntityID, form: Int) async throws -> EntitySnapshot? {
        self.state.withLock { $0.snapshots[entity].flatMap { $0.form == form ? $0 : nil } }
    }

    /// See ``EventStore/save(_:)``.
    public func save(_ snapshot: EntitySnapshot) async throws {
        self.state.withLock { state in
            if let old = state.snapshots[snapshot.entity], old.form == snapshot.form, old.sequence >= snapshot.sequence
            {
                return
            }
            state.snapshots[snapshot.entity] = snapshot
        }
    }
}

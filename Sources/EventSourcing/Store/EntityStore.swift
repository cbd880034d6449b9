public import EventStreaming

/// How states are kept beside their events, so that not all of these need to be read.
public struct SnapshotPolicy<State: Sendable>: Sendable {
    /// How many events lie between two snapshots of an entity. Default: 100.
    public var interval: Int64 = 100
    /// The number of the form that states have now: raise it when the state or `evolve` changes, since older snapshots are of no
    /// use then.
    public var form: Int
    /// How states are written and read.
    public var serde: Serde<State>

    /// Makes a policy.
    public init(form: Int = 1, serde: Serde<State>) {
        self.form = form
        self.serde = serde
    }
}

/// An entity as it was read.
public struct LoadedEntity<State: Sendable>: Sendable {
    /// Its state.
    public var state: State
    /// The number of its last event; 0 when it has none.
    public var version: Int64
    /// The number of the last event that came with a snapshot; 0 without one.
    public var snapshotVersion: Int64
    /// Whether events were passed over whose types are not known: the state is not that of all of them.
    public internal(set) var hasSkipped = false
}

/// What came of a command.
public struct CommandResult<Event: Sendable>: Sendable {
    /// What happened.
    public var events: [Event]
    /// The number of the entity's last event.
    public var version: Int64
    /// What a reader waits for to see what happened.
    public var token: PositionToken
    /// Whether the command had been handled before.
    public var isRepetition: Bool
}

/// Entities of one kind over an ``EventStore``: reads them, decides about commands, and appends what happens.
///
/// ```swift
/// let accounts = EntityStore(store, decider: Account(), events: registry, category: "account")
/// let result = try await accounts.handle(.deposit(100), of: "42")
/// ```
public struct EntityStore<Rules: Decider>: Sendable {
    private let store: any EventStore
    private let decider: Rules
    private let registry: EventRegistry<Rules.Event>
    private let category: String
    private let source: String
    private let snapshots: SnapshotPolicy<Rules.State>?

    /// How many events are read at a time.
    private static var pageSize: Int { 1_000 }

    /// Makes a description; nothing is read.
    ///
    /// - Parameters:
    ///   - store: where the events are.
    ///   - decider: the rules of the entities.
    ///   - events: the types of their events.
    ///   - category: what kind of entities they are.
    ///   - source: the source of the events' metadata; `nil` is the category.
    ///   - snapshots: how states are kept; `nil` keeps none.
    public init(
        _ store: any EventStore,
        decider: Rules,
        events: EventRegistry<Rules.Event>,
        category: String,
        source: String? = nil,
        snapshots: SnapshotPolicy<Rules.State>? = nil
    ) {
        self.store = store
        self.decider = decider
        self.registry = events
        self.category = category
        self.source = source ?? category
        self.snapshots = snapshots
    }

    /// Reads an entity. Events of unknown types that are to be skipped count for its version, not for its state.
    ///
    /// - Throws: ``EventRegistryError``; what the store throws.
    public func load(_ id: String) async throws -> LoadedEntity<Rules.State> {
        let entity = EntityID(self.category, id)
        var loaded = LoadedEntity(state: self.decider.initialState, version: 0, snapshotVersion: 0)
        if let snapshots, let snapshot = try await self.store.snapshot(of: entity, form: snapshots.form),
            // One that can't be read is as good as none.
            let state = try? snapshots.serde.decode(snapshot.data)
        {
            loaded = LoadedEntity(state: state, version: snapshot.sequence, snapshotVersion: snapshot.sequence)
        }
        var page = try await self.page(of: entity, after: loaded.version)
        while page.count == Self.pageSize, let last = page.last {
            // It is read while this one is applied.
            async let next = self.page(of: entity, after: last.sequence)
            try self.apply(page, to: &loaded)
            page = try await next
        }
        try self.apply(page, to: &loaded)
        return loaded
    }

    private func page(of entity: EntityID, after version: Int64) async throws -> [StoredEvent] {
        try await self.store.events(of: entity, from: version + 1, limit: Self.pageSize)
    }

    private func apply(_ events: [StoredEvent], to loaded: inout LoadedEntity<Rules.State>) throws {
        for event in events {
            if let value = try self.registry.decode(event.event) {
                self.decider.evolve(&loaded.state, value)
            } else {
                loaded.hasSkipped = true
            }
            loaded.version = event.sequence
        }
    }

    /// Decides about a command, and appends what happens. When somebody else was faster, it decides again.
    ///
    /// - Parameters:
    ///   - command: what is asked of the entity.
    ///   - id: which entity.
    ///   - expected: the version that the one who commands has seen.
    ///   - cause: the metadata of the command. With it the command is handled once: a repetition gets the same result.
    ///   - attempts: how often it is decided about at most.
    /// - Throws: what the decider throws; ``EventStoreError`` with the code `conflict`, at once where a version was expected;
    ///   ``EventRegistryError``; what the store throws.
    @discardableResult
    public func handle(
        _ command: Rules.Command,
        of id: String,
        expecting expected: ExpectedVersion = .any,
        causedBy cause: EventMetadata? = nil,
        attempts: Int = 10
    ) async throws -> CommandResult<Rules.Event> {
        let entity = EntityID(self.category, id)
        var attempt = 1
        while true {
            if let earlier = try await self.earlierResult(of: cause, entity) { return earlier }
            var loaded = try await self.load(id)
            guard expected.allows(loaded.version) else {
                throw EventStoreError.conflict(entity, expected: expected, actual: loaded.version)
            }
            let events = try self.decider.decide(command, loaded.state)
            let encoded = try events.enumerated().map { number, event in
                try self.registry.encode(
                    event,
                    source: self.source,
                    id: cause.map { self.eventID(of: entity, number: number, cause: $0) },
                    causedBy: cause
                )
            }
            do {
                let version = loaded.version == 0 ? ExpectedVersion.noEvents : .exactly(loaded.version)
                let result = try await self.store.append(encoded, to: entity, expecting: version)
                // Somebody else has handled the same command meanwhile.
                if result.isRepetition, let earlier = try await self.earlierResult(of: cause, entity) { return earlier }
                // Whoever knows the events that were skipped would miss them in a snapshot.
                if let snapshots, !events.isEmpty, !loaded.hasSkipped {
                    for event in events { self.decider.evolve(&loaded.state, event) }
                    loaded.version += Int64(events.count)
                    if loaded.version - loaded.snapshotVersion >= snapshots.interval {
                        // The command is handled; the next one finds another occasion.
                        try? await self.save(loaded, of: entity, snapshots)
                    }
                }
                return CommandResult(
                    events: events,
                    version: result.versions[entity] ?? loaded.version,
                    token: result.token,
                    isRepetition: result.isRepetition
                )
            } catch let error as EventStoreError
                where [.conflict, .duplicateEvent].contains(error.code) && attempt < attempts
            {
                attempt += 1
            }
        }
    }

    /// The ids follow from the command, so that its repetition shows.
    private func eventID(of entity: EntityID, number: Int, cause: EventMetadata) -> String {
        EventID.derived(
            from: entity.category,
            entity.id,
            cause.source,
            cause.id,
            "\(number)",
            at: cause.time?.millisecondsSince1970 ?? 0
        )
    }

    /// What came of a command when it was handled before.
    private func earlierResult(
        of cause: EventMetadata?,
        _ entity: EntityID
    ) async throws -> CommandResult<Rules.Event>? {
        guard let cause else { return nil }
        let id = self.eventID(of: entity, number: 0, cause: cause)
        guard let first = try await self.store.event(EventIdentity(source: self.source, id: id)) else { return nil }
        // The events of a command were appended together.
        var stored: [StoredEvent] = []
        pages: while true {
            let page = try await self.store.events(
                of: entity,
                from: first.sequence + Int64(stored.count),
                limit: Self.pageSize
            )
            for event in page {
                guard event.event.metadata.id == self.eventID(of: entity, number: stored.count, cause: cause) else {
                    break pages
                }
                stored.append(event)
            }
            if page.count < Self.pageSize { break }
        }
        return CommandResult(
            events: try stored.compactMap { try self.registry.decode($0.event) },
            version: stored.last?.sequence ?? first.sequence,
            token: PositionToken(store: self.store.name, position: stored.last?.position ?? first.position),
            isRepetition: true
        )
    }

    private func save(
        _ loaded: LoadedEntity<Rules.State>,
        of entity: EntityID,
        _ policy: SnapshotPolicy<Rules.State>
    ) async throws {
        guard let data = try policy.serde.encode(loaded.state) else { return }
        try await self.store.save(
            EntitySnapshot(entity: entity, sequence: loaded.version, form: policy.form, data: data)
        )
    }
}

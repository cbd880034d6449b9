public import EventStreaming

/// Keeps the events of entities: appends them under an expectation, and reads them by entity or in the order of all.
///
/// ``MemoryEventStore`` is one for tests; `SQLiteEventStore` (module `EventSourcingSQLite`) one in a file. A backend of yours has
/// to pass `EventStoreContract` (module `EventSourcingTesting`).
public protocol EventStore: Sendable {
    /// Names the store in a ``PositionToken``.
    var name: String { get }

    /// The events of an entity in order.
    ///
    /// - Parameters:
    ///   - entity: whose events.
    ///   - sequence: the number of the first one.
    ///   - limit: how many at most.
    func events(of entity: EntityID, from sequence: Int64, limit: Int) async throws -> [StoredEvent]

    /// The number of the last event of an entity; 0 when it has none.
    func version(of entity: EntityID) async throws -> Int64

    /// An event by its identity.
    func event(_ identity: EventIdentity) async throws -> StoredEvent?

    /// Appends events to entities: all of them, or none.
    ///
    /// When all of the events are in the store already, appended to these entities, nothing is done: it is the repetition of an
    /// append whose answer was lost.
    ///
    /// - Throws: ``EventStoreError`` with the code `conflict` for an entity that is not at the version that was expected,
    ///   `duplicateEvent` when some of the events are there already, or two have one identity, `invalid` for an append that makes
    ///   no sense.
    func append(_ appends: [EventAppend]) async throws -> AppendResult

    /// Events in the order of all events. Whatever is appended later has a higher position.
    ///
    /// - Parameters:
    ///   - position: the position of the last event that is known; 0 begins with the first.
    ///   - limit: how many at most.
    func events(after position: Int64, limit: Int) async throws -> [StoredEvent]

    /// The position of the last event; 0 when there is none.
    func lastPosition() async throws -> Int64

    /// Returns when there is an event with a higher position.
    ///
    /// - Throws: `CancellationError` when the task is cancelled before.
    func waitForEvents(after position: Int64) async throws

    /// The newest snapshot of an entity, in a form that is asked for.
    func snapshot(of entity: EntityID, form: Int) async throws -> EntitySnapshot?

    /// Keeps a snapshot instead of an older one.
    func save(_ snapshot: EntitySnapshot) async throws
}

extension EventStore {
    /// All events of an entity in order.
    public func events(of entity: EntityID, from sequence: Int64 = 1) async throws -> [StoredEvent] {
        try await self.events(of: entity, from: sequence, limit: .max)
    }

    /// Appends events to one entity.
    ///
    /// - Throws: as ``append(_:)``.
    @discardableResult
    public func append(
        _ events: [EncodedEvent],
        to entity: EntityID,
        expecting expected: ExpectedVersion = .any
    ) async throws -> AppendResult {
        try await self.append([EventAppend(to: entity, events, expecting: expected)])
    }

    /// The events behind a position, and those that are appended later: a sequence that does not end by itself.
    public func changes(after position: Int64 = 0) -> EventChanges<Self> {
        EventChanges(store: self, position: position)
    }
}

/// The version that an entity is expected to have when events are appended to it: the number of its last event.
public enum ExpectedVersion: Sendable, Hashable, CustomStringConvertible {
    /// Whatever it is.
    case any
    /// It has no events yet.
    case noEvents
    /// Exactly this one.
    case exactly(Int64)

    /// Whether a version is the expected one.
    public func allows(_ version: Int64) -> Bool {
        switch self {
        case .any: true
        case .noEvents: version == 0
        case .exactly(let expected): version == expected
        }
    }

    /// `any`, `no events`, or the number.
    public var description: String {
        switch self {
        case .any: "any"
        case .noEvents: "no events"
        case .exactly(let version): "\(version)"
        }
    }
}

/// What is appended to one entity. Without events it only checks the version.
public struct EventAppend: Sendable, Hashable {
    /// The entity.
    public var entity: EntityID
    /// What happened to it, in order.
    public var events: [EncodedEvent]
    /// Which version it must have.
    public var expected: ExpectedVersion

    /// Describes an append.
    public init(to entity: EntityID, _ events: [EncodedEvent], expecting expected: ExpectedVersion = .any) {
        self.entity = entity
        self.events = events
        self.expected = expected
    }
}

/// What came of an append.
public struct AppendResult: Sendable, Hashable {
    /// The version of each entity behind the events that were appended to it.
    public var versions: [EntityID: Int64]
    /// The position of the last of the events; 0 without any.
    public var position: Int64
    /// Whether the events were there already.
    public var isRepetition: Bool
    /// What a reader of the store waits for to see them.
    public var token: PositionToken

    /// Makes a result.
    public init(versions: [EntityID: Int64], position: Int64, isRepetition: Bool, store: String) {
        self.versions = versions
        self.position = position
        self.isRepetition = isRepetition
        self.token = position > 0 ? PositionToken(store: store, position: position) : PositionToken()
    }
}

/// The state of an entity as bytes, so that not all of its events need to be read.
public struct EntitySnapshot: Sendable, Hashable {
    /// The entity.
    public var entity: EntityID
    /// The number of the last event that it includes.
    public var sequence: Int64
    /// Which form the bytes have: another one is of no use any more.
    public var form: Int
    /// The state.
    public var data: [UInt8]

    /// Makes a snapshot.
    public init(entity: EntityID, sequence: Int64, form: Int, data: [UInt8]) {
        self.entity = entity
        self.sequence = sequence
        self.form = form
        self.data = data
    }
}

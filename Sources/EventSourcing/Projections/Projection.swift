public import EventStreaming
internal import KafkaClient
internal import Synchronization

/// What a projection makes of the messages of its topics: the rows of a read model.
///
/// ```swift
/// let revenue = Projection<Database>(
///     name: "revenue",
///     version: 2,
///     inputs: [
///         ProjectionInput(orderEvents) { message, db, context in
///             guard case .shipped(let order) = try message.value else { return }
///             try db.execute(sql: "UPDATE revenue SET total = total + ?", arguments: [order.total])
///         }
///     ]
/// )
/// ```
///
/// Raise the version when the rows would be others: it is built beside the one that serves (``Projector``).
public struct Projection<Transaction>: Sendable {
    /// Its name.
    public let name: String
    /// Which version of it, from 1 on.
    public let version: Int
    /// The topics that it reads, each with its handler.
    public let inputs: [ProjectionInput<Transaction>]

    /// Makes a description; nothing runs.
    public init(name: String, version: Int = 1, inputs: [ProjectionInput<Transaction>]) {
        self.name = name
        self.version = version
        self.inputs = inputs
    }
}

/// A topic that a ``Projection`` reads, and what it does with its messages.
public struct ProjectionInput<Transaction>: Sendable {
    /// Handles one message: writes what follows from it, or nothing. It must depend on nothing but the message and the rows.
    public typealias Handler<Key: Sendable, Value: Sendable> =
        @Sendable (EventMessage<Key, Value>, Transaction, ProjectionContext) throws -> Void

    /// Handles one event of an entity.
    public typealias EventHandler<Event: Sendable> =
        @Sendable (RecordedEvent<Event>, Transaction, ProjectionContext) throws -> Void

    /// The name of the topic.
    public let topic: String

    /// Handles one of the records that were prepared, by its index.
    @usableFromInline
    package typealias PreparedHandler = @Sendable (Int, Transaction, ProjectionContext) throws -> Void

    /// Reads records, before the transaction, and answers what handles them.
    package let prepare: @Sendable ([IncomingRecord]) -> PreparedHandler

    @usableFromInline
    package init(topic: String, prepare: @escaping @Sendable ([IncomingRecord]) -> PreparedHandler) {
        self.topic = topic
        self.prepare = prepare
    }

    /// Reads a topic.
    ///
    /// - Parameters:
    ///   - topic: the topic, with its serdes.
    ///   - handler: handles one message, and throws where it can't.
    @inlinable
    public init<Key, Value>(_ topic: Topic<Key, Value>, handler: @escaping Handler<Key, Value>) {
        // Inlinable, since in code that knows the types this takes half the time.
        self.init(topic: topic.name) { records in
            let messages = records.map { EventMessage($0, of: topic) }
            return { index, transaction, context in try handler(messages[index], transaction, context) }
        }
    }

    /// Reads a topic of events of entities, as ``OutboxRelay`` and ``EntityProcessor`` write them.
    ///
    /// Events of unknown types that are to be skipped are ignored.
    ///
    /// - Parameters:
    ///   - topic: the name of the topic.
    ///   - category: which entities; those of others are ignored, whatever their types. `nil` is all.
    ///   - events: the types of the events.
    ///   - handler: handles one event, and throws where it can't. A record that is no event throws ``NotAnEntityEvent``, one that
    ///     can't be read ``EventRegistryError``.
    public init<Event>(
        topic: String,
        category: String? = nil,
        events: EventRegistry<Event>,
        handler: @escaping EventHandler<Event>
    ) {
        self.init(topic: topic) { records in
            let decoded = records.map { record in
                Result { () throws -> RecordedEvent<Event>? in
                    guard let stored = EntityEventRecord.read(record) else { throw NotAnEntityEvent(record) }
                    if let category, stored.entity.category != category { return nil }
                    return try events.recorded(stored)
                }
            }
            return { index, transaction, context in
                guard let event = try decoded[index].get() else { return }
                try handler(event, transaction, context)
            }
        }
    }

    /// Reads the events of a store, which a ``StoreProjector`` runs.
    ///
    /// - Parameters:
    ///   - store: the store's name.
    ///   - category: as for ``init(topic:category:events:handler:)``.
    ///   - events: the types of the events.
    ///   - handler: as for ``init(topic:category:events:handler:)``.
    public init<Event>(
        store: String,
        category: String? = nil,
        events: EventRegistry<Event>,
        handler: @escaping EventHandler<Event>
    ) {
        let topic = PositionToken.partition(ofStore: store).topic
        self.init(topic: topic, category: category, events: events, handler: handler)
    }
}

/// What a handler of a projection knows, and may have done, besides writing rows.
public final class ProjectionContext: Sendable {
    /// Whether the side effects of the message are this version's: it is live, and the version before it has not seen to them.
    public let isLive: Bool
    /// Which version handles it.
    public let version: Int

    private let effects = Mutex<[@Sendable () async -> Void]>([])

    /// Makes a context.
    public init(version: Int, isLive: Bool) {
        self.version = version
        self.isLive = isLive
    }

    /// Has something done when the rows are written, if the version is live: not while it is built, and not again when it is
    /// rebuilt.
    ///
    /// It is done once or, when the process dies in that moment, not at all. What must not be lost is a row of an outbox.
    public func whenLive(_ effect: @escaping @Sendable () async -> Void) {
        guard self.isLive else { return }
        self.effects.withLock { $0.append(effect) }
    }

    /// What was asked for, in order.
    package var sideEffects: [@Sendable () async -> Void] { self.effects.withLock { $0 } }
}

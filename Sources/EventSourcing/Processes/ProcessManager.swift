public import EventStreaming

/// Leads work that takes several services and some time: events come in, commands go out, deadlines pass, and what was done is
/// undone when the rest can't be (a saga).
///
/// ```swift
/// let checkout = ProcessManager(
///     name: "checkout",
///     initialState: Checkout(),
///     inputs: [
///         ProcessInput(topic: "orders.events", events: orders, by: { $0.entity.id }) { state, event, actions in
///             guard case .placed(let order) = event.event else { return }
///             try actions.send(Message(key: order.id, value: .authorise(order.total)), to: payments)
///             actions.schedule("payment", after: .seconds(900))
///         },
///         ...
///     ],
///     onDeadline: { state, deadline, actions in
///         try actions.compensate(because: "no answer about the payment")
///     }
/// )
/// ```
///
/// Messages with the same correlation are an instance, one after the other. A handler changes the state and says what is to be done
/// (``ProcessActions``); it does nothing itself, so that all of it becomes true together: in SQLite (`SQLiteProcessHost`), or on
/// Kafka alone (``KafkaProcessHost``).
public struct ProcessManager<State: Codable & Sendable>: Sendable {
    /// Handles a deadline that has passed.
    public typealias DeadlineHandler = @Sendable (inout State, String, inout ProcessActions) throws -> Void

    /// Its name: the source of its commands.
    public let name: String
    /// The state of an instance that begins.
    public let initialState: State
    /// The topics that it reads.
    public let inputs: [ProcessInput<State>]
    /// Handles a deadline, by its name.
    public let onDeadline: DeadlineHandler

    /// Makes a description; nothing runs.
    ///
    /// - Parameters:
    ///   - name: the source of its commands.
    ///   - initialState: the state of an instance that begins.
    ///   - inputs: the topics that it reads, each with its handler.
    ///   - onDeadline: handles a deadline that has passed. Default: does nothing.
    public init(
        name: String,
        initialState: State,
        inputs: [ProcessInput<State>],
        onDeadline: @escaping DeadlineHandler = { _, _, _ in }
    ) {
        self.name = name
        self.initialState = initialState
        self.inputs = inputs
        self.onDeadline = onDeadline
    }
}

/// A topic that a ``ProcessManager`` reads, and what it does with its messages.
public struct ProcessInput<State: Codable & Sendable>: Sendable {
    /// A message that belongs to an instance.
    package struct Call: Sendable {
        /// The instance; `nil` for a message that is none's business.
        package var id: String?
        /// Whether it may begin one.
        package var begins: Bool
        package var metadata: EventMetadata?
        package var handle: @Sendable (inout State, inout ProcessActions) throws -> Void
    }

    /// The name of the topic.
    public let topic: String
    package let prepare: @Sendable (IncomingRecord) throws -> Call

    /// Reads a topic.
    ///
    /// - Parameters:
    ///   - topic: the topic, with its serdes.
    ///   - id: the instance that a message belongs to; `nil` for a message that is none's business.
    ///   - begins: whether a message may begin an instance; otherwise it is ignored where there is none. Default: it may.
    ///   - handler: changes the state, and says what is to be done.
    public init<Key, Value>(
        _ topic: Topic<Key, Value>,
        by id: @escaping @Sendable (EventMessage<Key, Value>) throws -> String?,
        begins: @escaping @Sendable (EventMessage<Key, Value>) throws -> Bool = { _ in true },
        handler: @escaping @Sendable (inout State, EventMessage<Key, Value>, inout ProcessActions) throws -> Void
    ) {
        self.topic = topic.name
        self.prepare = { record in
            let message = EventMessage(record, of: topic)
            return Call(id: try id(message), begins: try begins(message), metadata: message.metadata) {
                state,
                actions in
                try handler(&state, message, &actions)
            }
        }
    }

    /// Reads a topic of events of entities, as ``OutboxRelay`` and ``EntityProcessor`` write them.
    ///
    /// Events of unknown types that are to be skipped are ignored.
    ///
    /// - Parameters:
    ///   - topic: the name of the topic.
    ///   - events: the types of the events.
    ///   - id: the instance that an event belongs to; `nil` for an event that is none's business.
    ///   - begins: whether an event may begin an instance; otherwise it is ignored where there is none. Default: it may.
    ///   - handler: changes the state, and says what is to be done.
    public init<Event: Sendable>(
        topic: String,
        events: EventRegistry<Event>,
        by id: @escaping @Sendable (RecordedEvent<Event>) throws -> String?,
        begins: @escaping @Sendable (RecordedEvent<Event>) throws -> Bool = { _ in true },
        handler: @escaping @Sendable (inout State, RecordedEvent<Event>, inout ProcessActions) throws -> Void
    ) {
        self.topic = topic
        self.prepare = { record in
            guard let stored = EntityEventRecord.read(record) else { throw NotAnEntityEvent(record) }
            guard let event = try events.recorded(stored) else {
                return Call(id: nil, begins: false, metadata: nil) { _, _ in }
            }
            return Call(id: try id(event), begins: try begins(event), metadata: event.metadata) { state, actions in
                try handler(&state, event, &actions)
            }
        }
    }
}

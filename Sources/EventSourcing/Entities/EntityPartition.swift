internal import EventStreaming
internal import Synchronization

/// What tells commands apart: their ids are unique within their source, and one may be sent to several entities.
enum CommandKey {
    /// The attribute of events that has the source of the command.
    static let source = "causationsource"

    static func make(_ id: String, source: String, entity: String) -> String { "\(id) \(source) \(entity)" }

    /// The command that an event comes of.
    static func of(_ event: StoredEvent) -> String? {
        let metadata = event.event.metadata
        return metadata.causationID.map {
            self.make($0, source: metadata.extensions[self.source] ?? "", entity: event.entity.id)
        }
    }
}

/// What came of a command that brought about events.
struct CommandMemory: Sendable, Hashable {
    /// The number of the entity's last event then.
    var version: Int64
    /// How many events.
    var count: Int
    /// The offset of the last of them; -1 while it is not known.
    var offset: Int64
}

/// The entities of a partition, and the commands that were handled lately.
///
/// What a transaction changes lies over what is committed, until the transaction is.
final class EntityPartition<Rules: Decider>: HostedPartition {
    struct Entity {
        var state: Rules.State
        var version: Int64
    }

    struct Contents {
        var entities: [String: Entity] = [:]
        var commands = CommandWindow()
        /// The last event: its offset, and its id.
        var last: (offset: Int64, id: String)?
    }

    private struct State {
        var contents = Contents()
        var changed: [String: Entity] = [:]
        var newCommands: [(id: String, memory: CommandMemory)] = []
        var last: (offset: Int64, id: String)?
        var eventsSinceSnapshot = 0
        var newEvents = 0
        /// Events were passed over whose types are not known.
        var hasSkipped = false
    }

    let partition: Int32
    private let decider: Rules
    private let registry: EventRegistry<Rules.Event>
    private let window: Int
    private let state = Mutex(State())

    init(_ partition: Int32, decider: Rules, registry: EventRegistry<Rules.Event>, window: Int) {
        self.partition = partition
        self.decider = decider
        self.registry = registry
        self.window = window
    }

    var contents: Contents { self.state.withLock { $0.contents } }

    var count: Int { self.state.withLock { $0.contents.entities.count } }

    // MARK: Restoring

    func begin(with contents: Contents) {
        self.state.withLock { $0 = State(contents: contents) }
    }

    /// Events do not follow one another: others write to the topic as well, or it was compacted.
    struct BrokenSequence: Error, CustomStringConvertible {
        var description: String
    }

    /// Takes over an event from the topic.
    func restore(_ stored: StoredEvent) throws {
        let event = try self.registry.decode(stored.event)
        try self.state.withLock { state in
            let id = stored.entity.id
            let version = state.contents.entities[id]?.version ?? 0
            guard stored.sequence - 1 == version else {
                throw BrokenSequence(
                    description: "\(stored.entity) is at version \(version), and the event at offset "
                        + "\(stored.position) has the sequence \(stored.sequence)"
                )
            }
            let new = Entity(state: self.decider.initialState, version: 0)
            if let event {
                self.decider.evolve(&state.contents.entities[id, default: new].state, event)
            } else {
                state.hasSkipped = true
            }
            state.contents.entities[id, default: new].version = stored.sequence
            if let command = CommandKey.of(stored) {
                state.contents.commands.add(
                    command,
                    version: stored.sequence,
                    offset: stored.position,
                    limit: self.window
                )
            }
            state.contents.last = (stored.position, stored.event.metadata.id)
            state.eventsSinceSnapshot += 1
        }
    }

    // MARK: Handling

    /// What an entity is, with what the transaction has changed.
    func entity(_ id: String) -> Entity {
        self.state.withLock { state in
            state.changed[id] ?? state.contents.entities[id]
                ?? Entity(state: self.decider.initialState, version: 0)
        }
    }

    /// What came of a command, if it was handled before.
    func memory(of command: String) -> CommandMemory? {
        self.state.withLock { state in
            state.newCommands.last { $0.id == command }?.memory ?? state.contents.commands[command]
        }
    }

    /// A command has brought about events.
    func change(_ id: String, to entity: Entity, command: String?, events: Int) {
        self.state.withLock { state in
            state.changed[id] = entity
            state.newEvents += events
            if let command {
                let memory = CommandMemory(version: entity.version, count: events, offset: -1)
                state.newCommands.append((command, memory))
            }
        }
    }

    /// The offset of the last event of a command is known.
    func place(_ command: String?, at offset: Int64, event: String) {
        self.state.withLock { state in
            state.last = (offset, event)
            guard let command, let index = state.newCommands.lastIndex(where: { $0.id == command }) else { return }
            state.newCommands[index].memory.offset = offset
        }
    }

    /// The transaction was committed.
    func commit() {
        self.state.withLock { state in
            for (id, entity) in state.changed { state.contents.entities[id] = entity }
            for (id, memory) in state.newCommands {
                state.contents.commands.add(id, memory, limit: self.window)
            }
            state.contents.last = state.last ?? state.contents.last
            state.eventsSinceSnapshot += state.newEvents
            self.clear(&state)
        }
    }

    /// The transaction was aborted, or another one begins.
    func rollBack() {
        self.state.withLock { state in self.clear(&state) }
    }

    private func clear(_ state: inout State) {
        state.changed.removeAll(keepingCapacity: true)
        state.newCommands.removeAll(keepingCapacity: true)
        state.last = nil
        state.newEvents = 0
    }

    // MARK: Snapshots

    /// What is to be kept, when so many events have come since the last time. Nothing where events were passed over: whoever knows
    /// them would miss them.
    func takeSnapshot(every interval: Int) -> Contents? {
        self.state.withLock { state in
            guard state.eventsSinceSnapshot >= interval, !state.hasSkipped else { return nil }
            state.eventsSinceSnapshot = 0
            return state.contents
        }
    }
}

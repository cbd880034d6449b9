internal import EventStreaming
internal import KafkaClient
internal import Synchronization

/// The instances of a process manager that belong to a partition, and the messages that were handled lately.
///
/// What a transaction changes lies over what is committed, until the transaction is.
final class ProcessPartition<State: Codable & Sendable>: HostedPartition {
    private struct Values {
        var instances: [String: ProcessInstance<State>] = [:]
        var handled = CommandWindow()
        var changed: [String: ProcessInstance<State>] = [:]
        var removed: Set<String> = []
        var newlyHandled: [String] = []
        /// The offsets behind what was processed since it was restored.
        var positions: [KafkaTopicPartition: Int64] = [:]
    }

    let number: Int32
    private let window: Int
    private let values = Mutex(Values())

    init(_ number: Int32, window: Int) {
        self.number = number
        self.window = window
    }

    /// Takes over what the journal says.
    func restore(_ instance: ProcessInstance<State>, event: String?) {
        self.values.withLock { values in
            values.instances[instance.id] = instance
            if let event { values.handled.add(event, Self.memory, limit: self.window) }
        }
    }

    /// The journal says that an instance is gone.
    func restoreRemoval(of id: String) {
        self.values.withLock { $0.instances[id] = nil }
    }

    /// The offsets behind what was processed since it was restored.
    var positions: [KafkaTopicPartition: Int64] { self.values.withLock { $0.positions } }

    func processed(_ partition: KafkaTopicPartition, to position: Int64) {
        self.values.withLock { $0.positions[partition] = position }
    }

    var instances: [ProcessInstance<State>] { self.values.withLock { Array($0.instances.values) } }

    /// An instance without what the transaction has changed.
    func committedInstance(_ id: String) -> ProcessInstance<State>? { self.values.withLock { $0.instances[id] } }

    /// An instance as the transaction has it.
    func instance(_ id: String) -> ProcessInstance<State>? {
        self.values.withLock { values in
            values.changed[id] ?? (values.removed.contains(id) ? nil : values.instances[id])
        }
    }

    /// Notes that a message was handled.
    ///
    /// - Returns: whether it is the first time.
    func isNew(_ event: EventIdentity) -> Bool {
        let key = Self.key(of: event)
        return self.values.withLock { values in
            guard values.handled[key] == nil, !values.newlyHandled.contains(key) else { return false }
            values.newlyHandled.append(key)
            return true
        }
    }

    func change(_ instance: ProcessInstance<State>) {
        self.values.withLock { $0.changed[instance.id] = instance }
    }

    func remove(_ id: String) {
        self.values.withLock { values in
            values.changed[id] = nil
            values.removed.insert(id)
        }
    }

    /// When the next deadline passes, of all instances.
    var nextDeadline: UTCTime? {
        self.values.withLock { values in values.instances.values.compactMap(\.nextDeadline).min() }
    }

    /// The deadlines that have passed, the first of each instance: as many as go into a transaction.
    func passed(at time: UTCTime) -> [(id: String, deadline: String)] {
        self.values.withLock { values in
            let passed = values.instances.values.lazy.compactMap { instance -> (id: String, deadline: String)? in
                let passed = instance.deadlines.filter { $0.value <= time }
                return passed.min { ($0.value, $0.key) < ($1.value, $1.key) }.map { (instance.id, $0.key) }
            }
            return Array(passed.prefix(500))
        }
    }

    func commit() {
        self.values.withLock { values in
            for id in values.removed { values.instances[id] = nil }
            values.instances.merge(values.changed) { $1 }
            for event in values.newlyHandled { values.handled.add(event, Self.memory, limit: self.window) }
            values.changed = [:]
            values.removed = []
            values.newlyHandled = []
        }
    }

    func rollBack() {
        self.values.withLock { values in
            values.changed = [:]
            values.removed = []
            values.newlyHandled = []
        }
    }

    static func key(of event: EventIdentity) -> String { "\(event.source) \(event.id)" }

    private static var memory: CommandMemory { CommandMemory(version: 0, count: 0, offset: 0) }
}

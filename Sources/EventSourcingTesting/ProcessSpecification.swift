public import EventSourcing
public import EventStreaming
internal import KafkaClient
internal import Synchronization

/// What a process manager does, told as given, when, then: in memory, with a clock that is moved by hand.
///
/// ```swift
/// try ProcessSpecification(checkout)
///     .when(orderPlaced)
///     .thenSends("payments.commands")
///     .after(.seconds(900))
///     .thenStatus(.compensating, of: "42")
/// ```
public struct ProcessSpecification<State: Codable & Sendable>: Sendable {
    private let manager: ProcessManager<State>
    private let engine: ProcessEngine<State>
    private var instances: [String: ProcessInstance<State>] = [:]
    private var handled: Set<EventIdentity> = []
    private var sent: [KafkaProducerRecord] = []
    private var entries: [String: [ProcessTimelineEntry]] = [:]
    /// The time of the clock.
    public private(set) var now: UTCTime

    /// Makes a process manager without instances.
    ///
    /// - Parameters:
    ///   - manager: the process manager.
    ///   - now: the time of the clock. Default: now.
    public init(_ manager: ProcessManager<State>, now: UTCTime = .now) {
        self.manager = manager
        self.engine = ProcessEngine(manager)
        self.now = now
    }

    // MARK: What happens

    /// Messages have come; what was sent for them is not looked at.
    ///
    /// - Throws: what the handler throws; ``SpecificationFailure`` for a message of a topic that is not read.
    public func given(_ messages: TestMessage...) throws -> Self {
        var next = self
        for message in messages { try next.deliver(message) }
        next.sent = []
        return next
    }

    /// A message comes. One that has come before is ignored, by its id.
    ///
    /// - Throws: what the handler throws; ``SpecificationFailure`` for a message of a topic that is not read.
    public func when(_ message: TestMessage) throws -> Self {
        var next = self
        next.sent = []
        try next.deliver(message)
        return next
    }

    /// Time goes by, and deadlines pass one after the other, each at its time.
    ///
    /// - Throws: what the handler throws.
    public func after(_ duration: Duration) throws -> Self {
        var next = self
        next.sent = []
        let end = self.now.advanced(by: duration)
        while let (id, deadline, due) = next.nextDeadline, due <= end {
            next.now = max(next.now, due)
            guard let instance = next.instances[id],
                let transition = next.engine.pass(deadline, instance, now: next.now)
            else { break }
            next.take(transition)
        }
        next.now = end
        return next
    }

    /// Somebody has an instance that is stuck try again.
    ///
    /// - Throws: ``SpecificationFailure`` when it is not stuck.
    public func resuming(_ id: String) throws -> Self {
        var next = self
        next.sent = []
        guard let instance = self.instances[id], let transition = self.engine.resume(instance, now: self.now) else {
            throw SpecificationFailure("\(id) is not stuck")
        }
        next.take(transition)
        return next
    }

    private var nextDeadline: (id: String, deadline: String, due: UTCTime)? {
        self.instances.values.flatMap { instance in
            instance.deadlines.map { (id: instance.id, deadline: $0.key, due: $0.value) }
        }.min { ($0.due, $0.id, $0.deadline) < ($1.due, $1.id, $1.deadline) }
    }

    private mutating func deliver(_ message: TestMessage) throws {
        let record = message.incoming(at: 0)
        guard let input = self.manager.inputs.first(where: { $0.topic == record.partition.topic }) else {
            throw SpecificationFailure("\(self.manager.name) does not read \(record.partition.topic)")
        }
        let call = try input.prepare(record)
        guard let id = call.id else { return }
        if let event = call.metadata?.identity, !self.handled.insert(event).inserted { return }
        guard let transition = try self.engine.handle(call, of: id, self.instances[id], now: self.now) else { return }
        self.take(transition)
    }

    private mutating func take(_ transition: ProcessTransition<State>) {
        self.instances[transition.instance.id] = transition.instance
        self.sent += transition.records
        self.entries[transition.instance.id, default: []] += transition.timeline
    }

    // MARK: What is to be

    /// Since the last step, something was sent to these topics, in this order, and to no others.
    ///
    /// - Throws: ``SpecificationFailure`` when it was not.
    @discardableResult
    public func thenSends(_ topics: String...) throws -> Self {
        let actual = self.sent.map(\.topic)
        guard actual == topics else {
            throw SpecificationFailure.differ("other commands", expected: topics, actual: actual)
        }
        return self
    }

    /// Since the last step, these values, and no others, were sent to a topic.
    ///
    /// - Throws: ``SpecificationFailure`` when others were; `SerdeError`.
    @discardableResult
    public func thenSends<Key, Value: Equatable>(_ values: [Value], to topic: Topic<Key, Value>) throws -> Self {
        let actual = try self.sent.filter { $0.topic == topic.name }.map { try topic.value.decode($0.value) }
        guard actual == values else {
            throw SpecificationFailure.differ("other commands to \(topic.name)", expected: values, actual: actual)
        }
        return self
    }

    /// Since the last step, nothing was sent.
    ///
    /// - Throws: ``SpecificationFailure`` when something was.
    @discardableResult
    public func thenSendsNothing() throws -> Self {
        guard self.sent.isEmpty else {
            throw SpecificationFailure.differ("other commands", expected: [], actual: self.sent.map(\.topic))
        }
        return self
    }

    /// An instance stands so.
    ///
    /// - Throws: ``SpecificationFailure`` when it does not, or there is none.
    @discardableResult
    public func thenStatus(_ status: ProcessStatus, of id: String) throws -> Self {
        guard let actual = self.instances[id]?.status else { throw SpecificationFailure("there is no instance \(id)") }
        guard actual == status else {
            throw SpecificationFailure("\(id) is \(actual.rawValue), expected was \(status.rawValue)")
        }
        return self
    }

    /// The state of an instance is as it should be.
    ///
    /// - Throws: ``SpecificationFailure`` when it is not, or there is none; what `check` throws.
    @discardableResult
    public func thenState(of id: String, _ check: (State) throws -> Bool) throws -> Self {
        guard let state = self.instances[id]?.state else { throw SpecificationFailure("there is no instance \(id)") }
        guard try check(state) else { throw SpecificationFailure("the state of \(id) is another one: \(state)") }
        return self
    }

    /// What happened to an instance, in order.
    public func timeline(of id: String) -> [ProcessTimelineEntry] { self.entries[id] ?? [] }
}

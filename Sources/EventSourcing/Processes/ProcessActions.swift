public import EventStreaming
internal import KafkaClient

/// What a handler of a ``ProcessManager`` says is to be done. It becomes true together with the new state, or not at all.
public struct ProcessActions: Sendable {
    enum Action: Sendable {
        case send(KafkaProducerRecord, type: String)
        case schedule(String, UTCTime)
        case cancel(String)
        case note(String)
        case step(CompensationStep)
        case compensate(String)
        case compensated(String)
        case compensationFailed(String, String)
        case complete
    }

    /// The instance.
    public let id: String
    /// How the instance stands before the message or the deadline. What was done is being undone already while it is
    /// `compensating`: then ``complete()`` does nothing, and what ``onCompensation(of:send:to:policy:)`` names is undone as well.
    public let status: ProcessStatus
    /// The time: that of the clock when the message is handled; of a deadline, when it was noticed.
    public let now: UTCTime
    let source: String
    let cause: EventMetadata
    /// Tells the commands of this transition from those of others.
    let transition: Int64
    private(set) var actions: [Action] = []
    private var commands = 0

    init(id: String, status: ProcessStatus, now: UTCTime, source: String, cause: EventMetadata, transition: Int64) {
        self.id = id
        self.status = status
        self.now = now
        self.source = source
        self.cause = cause
        self.transition = transition
    }

    // MARK: Commands

    /// Sends a command. One without metadata gets an id that is the same when the message is handled again.
    ///
    /// - Throws: `SerdeError` for a message that can't be written.
    public mutating func send<Key, Value>(
        _ message: Message<Key, Value>,
        to topic: Topic<Key, Value>
    ) throws(SerdeError) {
        let (record, type) = try self.record(of: message, to: topic)
        self.actions.append(.send(record, type: type))
    }

    private mutating func record<Key, Value>(
        of message: Message<Key, Value>,
        to topic: Topic<Key, Value>
    ) throws(SerdeError) -> (KafkaProducerRecord, type: String) {
        var message = message
        let metadata =
            message.metadata
            ?? EventMetadata(
                id: EventID.derived(
                    from: self.source,
                    self.id,
                    "\(self.transition)",
                    "\(self.commands)",
                    at: self.now.millisecondsSince1970
                ),
                source: self.source,
                type: topic.eventType(message.value),
                subject: self.id,
                time: self.now
            )
        self.commands += 1
        message.metadata = metadata
        return (try topic.record(of: message, source: self.source, causedBy: self.cause), metadata.type)
    }

    // MARK: Time

    /// Sets a deadline, in place of one of the same name.
    public mutating func schedule(_ name: String, at time: UTCTime) {
        self.actions.append(.schedule(name, time))
    }

    /// Sets a deadline, in place of one of the same name.
    public mutating func schedule(_ name: String, after duration: Duration) {
        self.schedule(name, at: self.now.advanced(by: duration))
    }

    /// Takes a deadline back.
    public mutating func cancel(_ name: String) {
        self.actions.append(.cancel(name))
    }

    // MARK: Undoing

    /// Says how something that was done is undone, should it have to be.
    ///
    /// - Parameters:
    ///   - step: its name.
    ///   - message: the command that undoes it.
    ///   - topic: where that goes.
    ///   - policy: how often that is tried.
    /// - Throws: `SerdeError` for a message that can't be written.
    public mutating func onCompensation<Key, Value>(
        of step: String,
        send message: Message<Key, Value>,
        to topic: Topic<Key, Value>,
        policy: CompensationPolicy = CompensationPolicy()
    ) throws(SerdeError) {
        let (record, _) = try self.record(of: message, to: topic)
        self.actions.append(.step(CompensationStep(name: step, policy: policy, command: ProcessRecord(record))))
    }

    /// Begins to undo what was done, the last thing first. Each waits for ``compensated(_:)`` of the one before. All deadlines are
    /// taken back.
    public mutating func compensate(because reason: String) {
        self.actions.append(.compensate(reason))
    }

    /// Something was undone: its service said so.
    public mutating func compensated(_ step: String) {
        self.actions.append(.compensated(step))
    }

    /// Something could not be undone: it is tried again, as its policy says, and then the instance is stuck.
    public mutating func compensationFailed(_ step: String, because reason: String) {
        self.actions.append(.compensationFailed(step, reason))
    }

    // MARK: The end

    /// Leaves a note in the timeline.
    public mutating func note(_ text: String) {
        self.actions.append(.note(text))
    }

    /// Ends the instance: it is done. All deadlines are taken back; messages that come later are ignored.
    public mutating func complete() {
        self.actions.append(.complete)
    }
}

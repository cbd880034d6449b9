public import EventStreaming
public import Logging

/// Sends commands to the entities of an ``EntityProcessor``, and waits for what comes of them.
///
/// ```swift
/// try await withCommandBus(configuration, sending: commands, replies: "orders.replies") { bus in
///     let outcome = try await bus.send(.place(order), to: "42", timeout: .seconds(5))
///     let order = try await readModel.read(after: outcome.token, timeout: .seconds(1)) { db in ... }
/// }
/// ```
public final class CommandBus<Command: Sendable>: Sendable {
    private let requester: Requester<String, Command, CommandOutcome>
    private let commands: Topic<String, Command>
    private let source: String

    /// Makes a bus; commands wait until it runs.
    ///
    /// - Parameters:
    ///   - configuration: how it works; its name is the source of the commands.
    ///   - commands: where commands go, by the id of the entity.
    ///   - replies: the topic where outcomes come from. It must exist.
    ///   - logger: takes what its clients have to say.
    public convenience init(
        _ configuration: RequesterConfiguration,
        sending commands: Topic<String, Command>,
        replies: String,
        logger: Logger = Logger(label: "EventSourcing.CommandBus")
    ) {
        self.init(
            Requester(configuration, sending: commands, receiving: Self.topic(replies), logger: logger),
            sending: commands,
            source: configuration.name
        )
    }

    init(
        _ requester: Requester<String, Command, CommandOutcome>,
        sending commands: Topic<String, Command>,
        source: String
    ) {
        self.requester = requester
        self.commands = commands
        self.source = source
    }

    static func topic(_ replies: String) -> Topic<String, CommandOutcome> {
        Topic(replies, key: .string, value: .json())
    }

    /// Reads outcomes until the task is cancelled. It runs once.
    ///
    /// - Throws: as `Requester.run()`.
    public func run() async throws {
        try await self.requester.run()
    }

    /// What came of the commands so far.
    public var statistics: RequesterStatistics { self.requester.statistics }

    /// Sends a command and waits for its outcome.
    ///
    /// - Parameters:
    ///   - command: what is asked of the entity.
    ///   - id: which entity.
    ///   - timeout: how long the outcome is waited for; `nil` is that of the configuration. A command that nobody waits for any
    ///     more is not begun with.
    ///   - commandID: tells the command from all others: with the same one it is the same command, however often it is sent.
    ///     Default: a new one.
    ///   - cause: the event or command that it comes of.
    /// - Throws: ``CommandError``; `SerdeError` for a command that can't be written; `KafkaError` when it can't be sent;
    ///   `CancellationError`.
    public func send(
        _ command: Command,
        to id: String,
        timeout: Duration? = nil,
        commandID: String = EventID.next(),
        causedBy cause: EventMetadata? = nil
    ) async throws -> CommandOutcome {
        let metadata = EventMetadata(
            id: commandID,
            source: self.source,
            type: self.commands.eventType(command),
            subject: id,
            time: .now
        )
        do {
            let message = Message(key: id, value: command, metadata: metadata)
            return try await self.requester.request(message, timeout: timeout, causedBy: cause).value
        } catch let error as RequestError {
            switch error.code {
            case .rejected: throw CommandError(.rejected, error.message, type: error.type)
            case .timedOut: throw CommandError(.timedOut, error.message)
            default: throw CommandError(.notSent, error.message)
            }
        }
    }
}

/// Runs a command bus for as long as `body` runs.
///
/// - Parameters:
///   - configuration: how it works; its name is the source of the commands.
///   - commands: where commands go, by the id of the entity.
///   - replies: the topic where outcomes come from. It must exist.
///   - logger: takes what its clients have to say.
///   - body: sends commands.
/// - Throws: what `body` throws. Commands throw what ended the bus.
public func withCommandBus<Command: Sendable, R>(
    _ configuration: RequesterConfiguration,
    sending commands: Topic<String, Command>,
    replies: String,
    logger: Logger = Logger(label: "EventSourcing.CommandBus"),
    _ body: (CommandBus<Command>) async throws -> R
) async throws -> R {
    try await withRequester(
        configuration,
        sending: commands,
        receiving: CommandBus<Command>.topic(replies),
        logger: logger
    ) { requester in
        try await body(CommandBus(requester, sending: commands, source: configuration.name))
    }
}

public import EventSourcing
internal import EventStreaming

/// What happens to transfers between accounts.
public enum TransferEvent: Codable, Sendable, Hashable {
    /// Somebody asked for one.
    case requested(from: String, to: String, amount: Int)
    /// The money was taken out.
    case withdrawn
    /// The money was put in.
    case deposited
    /// It could not be put in.
    case refused
    /// The money was put back.
    case returned
    /// It could not be put back.
    case returnFailed
}

/// What the process manager asks for.
public enum TransferCommand: Codable, Sendable, Hashable {
    /// Take money out.
    case withdraw(account: String, amount: Int)
    /// Put money in.
    case deposit(account: String, amount: Int)
    /// Put money back.
    case giveBack(account: String, amount: Int)
    /// Tell somebody.
    case tell(String)
}

/// What a transfer remembers.
public struct TransferState: Codable, Sendable, Hashable {
    /// Whose money.
    public var from = ""
    /// Who gets it.
    public var to = ""
    /// How much.
    public var amount = 0
    /// How many events it has seen.
    public var events = 0

    /// Makes a state before anything has happened.
    public init() {}
}

/// Leads transfers from one account to another: takes money out, puts it in, and puts it back where that fails or takes too long.
public enum Transfers {
    /// The process manager.
    ///
    /// - Parameters:
    ///   - name: its name.
    ///   - events: the topic that it reads; the key is the transfer's id.
    ///   - commands: the topic that it writes.
    ///   - patience: how long an answer may take.
    public static func manager(
        name: String = "transfers",
        events: String,
        commands: String,
        patience: Duration = .seconds(3_600)
    ) -> ProcessManager<TransferState> {
        let commands = Topic<String, TransferCommand>(commands, key: .string, value: .json())
        let events = Topic<String, TransferEvent>(events, key: .string, value: .json())
        return ProcessManager(
            name: name,
            initialState: TransferState(),
            inputs: [
                ProcessInput(
                    events,
                    by: { try $0.key },
                    begins: { message in if case .requested = try message.value { true } else { false } },
                    handler: { state, message, actions in
                        state.events += 1
                        try Self.handle(try message.value, &state, &actions, commands, patience)
                    }
                )
            ],
            onDeadline: { state, _, actions in
                try actions.send(Message(key: actions.id, value: .tell("late")), to: commands)
                actions.compensate(because: "no answer in time")
            }
        )
    }

    private static func handle(
        _ event: TransferEvent,
        _ state: inout TransferState,
        _ actions: inout ProcessActions,
        _ commands: Topic<String, TransferCommand>,
        _ patience: Duration
    ) throws {
        switch event {
        case .requested(let from, let to, let amount):
            (state.from, state.to, state.amount) = (from, to, amount)
            try actions.send(Message(key: actions.id, value: .withdraw(account: from, amount: amount)), to: commands)
            actions.schedule("answer", after: patience)
        case .withdrawn:
            var policy = CompensationPolicy()
            policy.attempts = 3
            try actions.onCompensation(
                of: "withdrawal",
                send: Message(key: actions.id, value: .giveBack(account: state.from, amount: state.amount)),
                to: commands,
                policy: policy
            )
            try actions.send(
                Message(key: actions.id, value: .deposit(account: state.to, amount: state.amount)),
                to: commands
            )
            actions.schedule("answer", after: patience)
        case .deposited: actions.complete()
        case .refused: actions.compensate(because: "refused")
        case .returned: actions.compensated("withdrawal")
        case .returnFailed: actions.compensationFailed("withdrawal", because: "the account is closed")
        }
    }
}

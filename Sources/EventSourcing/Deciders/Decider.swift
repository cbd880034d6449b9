/// The rules of an entity: which events a command brings about, and what an event does to the state.
///
/// ```swift
/// struct Account: Decider {
///     let initialState = 0
///
///     func decide(_ command: AccountCommand, _ balance: Int) throws -> [AccountEvent] {
///         switch command {
///         case .deposit(let amount): [.deposited(amount)]
///         case .withdraw(let amount) where amount > balance: throw AccountError.overdrawn
///         case .withdraw(let amount): [.withdrawn(amount)]
///         }
///     }
///
///     func evolve(_ balance: inout Int, _ event: AccountEvent) {
///         switch event {
///         case .deposited(let amount): balance += amount
///         case .withdrawn(let amount): balance -= amount
///         }
///     }
/// }
/// ```
///
/// It has no other input or output: time, chance and what others know come with the command. So it can be tested with values
/// alone, and lives unchanged over an ``EventStore`` (``EntityStore``) or on Kafka (``EntityProcessor``).
public protocol Decider<Command, State, Event>: Sendable {
    /// What is asked of an entity.
    associatedtype Command: Sendable
    /// What an entity remembers, in order to decide.
    associatedtype State: Sendable
    /// What happened to an entity.
    associatedtype Event: Sendable

    /// The state of an entity to which nothing has happened yet.
    var initialState: State { get }

    /// Decides about a command.
    ///
    /// - Returns: what happens; nothing is an answer as well.
    /// - Throws: why the command is rejected.
    func decide(_ command: Command, _ state: State) throws -> [Event]

    /// Does to the state what an event says. It can't be refused: the event has happened.
    func evolve(_ state: inout State, _ event: Event)
}

extension Decider {
    /// The state after events.
    ///
    /// - Parameters:
    ///   - events: what happened, in order.
    ///   - state: the state before; `nil` is ``initialState``.
    public func state(after events: some Sequence<Event>, from state: State? = nil) -> State {
        var state = state ?? self.initialState
        for event in events { self.evolve(&state, event) }
        return state
    }
}

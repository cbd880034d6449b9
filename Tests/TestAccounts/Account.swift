public import EventSourcing
internal import EventStreaming
internal import Foundation

/// What is asked of an account.
public enum AccountCommand: Codable, Sendable, Hashable {
    /// Puts money in.
    case deposit(Int)
    /// Takes money out.
    case withdraw(Int)
    /// Ends it.
    case close
}

/// What happens to an account.
public enum AccountEvent: Sendable, Hashable {
    /// Money was put in.
    case deposited(Int)
    /// Money was taken out.
    case withdrawn(Int)
    /// It was ended.
    case closed
}

/// Why a command is rejected.
public enum AccountError: Error, Hashable {
    /// There is not as much money.
    case overdrawn
    /// It was ended.
    case closed
    /// Nothing can be put in or taken out.
    case noAmount
}

/// What an account remembers.
public struct AccountState: Codable, Sendable, Hashable {
    /// How much money there is.
    public var balance = 0
    /// Whether it was ended.
    public var isClosed = false

    /// Makes a state.
    public init(balance: Int = 0, isClosed: Bool = false) {
        self.balance = balance
        self.isClosed = isClosed
    }
}

/// The rules of accounts.
public struct Account: Decider {
    /// Nothing in it.
    public let initialState = AccountState()

    /// Makes the rules.
    public init() {}

    /// Decides about a command.
    public func decide(_ command: AccountCommand, _ state: AccountState) throws -> [AccountEvent] {
        if state.isClosed { throw AccountError.closed }
        switch command {
        case .deposit(let amount), .withdraw(let amount):
            guard amount > 0 else { throw AccountError.noAmount }
            if case .deposit = command { return [.deposited(amount)] }
            guard amount <= state.balance else { throw AccountError.overdrawn }
            return [.withdrawn(amount)]
        case .close:
            // All that is left is paid out.
            return state.balance > 0 ? [.withdrawn(state.balance), .closed] : [.closed]
        }
    }

    /// Does to the state what an event says.
    public func evolve(_ state: inout AccountState, _ event: AccountEvent) {
        switch event {
        case .deposited(let amount): state.balance += amount
        case .withdrawn(let amount): state.balance -= amount
        case .closed: state.isClosed = true
        }
    }
}

extension EventRegistry<AccountEvent> {
    private struct Amount: Codable {
        var amount: Int
    }

    private struct Nothing: Codable {}

    /// The types of events of accounts.
    ///
    /// - Parameters:
    ///   - unknown: what becomes of others.
    ///   - delay: how long it takes to read a deposit, in microseconds.
    public static func accounts(unknown: UnknownEventPolicy = .stop, delay: UInt32 = 0) -> Self {
        var registry = Self(unknown: unknown)
        let json = Serde<Amount>.json()
        let slow = Serde<Amount>(contentType: json.contentType) {
            try json.encode($0)
        } decode: { bytes in
            if delay > 0 { usleep(delay) }
            return try json.decode(bytes)
        }
        registry.register("account.deposited", serde: slow) {
            .deposited($0.amount)
        } from: { event in
            if case .deposited(let amount) = event { Amount(amount: amount) } else { nil }
        }
        registry.register("account.withdrawn", Amount.self) {
            .withdrawn($0.amount)
        } from: { event in
            if case .withdrawn(let amount) = event { Amount(amount: amount) } else { nil }
        }
        registry.register("account.closed", Nothing.self) { _ in
            .closed
        } from: { event in
            if case .closed = event { Nothing() } else { nil }
        }
        return registry
    }
}

public import EventSourcing

/// What a decider does, told as given, when, then.
///
/// ```swift
/// try Account().given(.deposited(100))
///     .when(.withdraw(30))
///     .then(.withdrawn(30))
/// try Account().given(.deposited(100))
///     .when(.withdraw(300))
///     .thenRejected(with: AccountError.overdrawn)
/// ```
public struct DeciderSpecification<Rules: Decider>: Sendable {
    let decider: Rules
    let events: [Rules.Event]

    /// A command comes.
    public func when(_ command: Rules.Command) -> DeciderOutcome<Rules> {
        let before = self.decider.state(after: self.events)
        let result = Result { try self.decider.decide(command, before) }
        return DeciderOutcome(decider: self.decider, before: before, result: result)
    }
}

extension Decider {
    /// These events have happened.
    public func given(_ events: Event...) -> DeciderSpecification<Self> {
        self.given(events)
    }

    /// These events have happened.
    public func given(_ events: [Event]) -> DeciderSpecification<Self> {
        DeciderSpecification(decider: self, events: events)
    }
}

/// What came of a command.
public struct DeciderOutcome<Rules: Decider> {
    let decider: Rules
    let before: Rules.State
    let result: Result<[Rules.Event], any Error>

    /// What happened.
    ///
    /// - Throws: ``SpecificationFailure`` when the command was rejected.
    public var events: [Rules.Event] {
        get throws {
            do {
                return try self.result.get()
            } catch {
                throw SpecificationFailure("the command was rejected: \(error)")
            }
        }
    }

    /// The command is rejected.
    ///
    /// - Parameter isExpected: whether this is the error. Default: any is.
    /// - Returns: the error.
    /// - Throws: ``SpecificationFailure`` when it was not, or with another error.
    @discardableResult
    public func thenRejected(_ isExpected: (any Error) -> Bool = { _ in true }) throws -> any Error {
        switch self.result {
        case .success(let events):
            throw SpecificationFailure.differ("the command was not rejected", expected: [], actual: events)
        case .failure(let error):
            guard isExpected(error) else { throw SpecificationFailure("rejected with another error: \(error)") }
            return error
        }
    }

    /// The command is rejected with this error.
    ///
    /// - Throws: ``SpecificationFailure`` when it was not, or with another error.
    public func thenRejected<Failure: Error & Equatable>(with error: Failure) throws {
        try self.thenRejected { $0 as? Failure == error }
    }

    /// The state afterwards is as it should be.
    ///
    /// - Throws: ``SpecificationFailure`` when it is not; what `check` throws.
    @discardableResult
    public func thenState(_ check: (Rules.State) throws -> Bool) throws -> Self {
        let state = self.decider.state(after: try self.events, from: self.before)
        guard try check(state) else { throw SpecificationFailure("the state is another one: \(state)") }
        return self
    }
}

extension DeciderOutcome where Rules.Event: Equatable {
    /// These events happen, and no others.
    ///
    /// - Throws: ``SpecificationFailure`` when others do, or the command was rejected.
    @discardableResult
    public func then(_ events: Rules.Event...) throws -> Self {
        try self.then(events)
    }

    /// These events happen, and no others.
    ///
    /// - Throws: ``SpecificationFailure`` when others do, or the command was rejected.
    @discardableResult
    public func then(_ events: [Rules.Event]) throws -> Self {
        let actual = try self.events
        guard actual == events else {
            throw SpecificationFailure.differ("other events", expected: events, actual: actual)
        }
        return self
    }

    /// Nothing happens.
    ///
    /// - Throws: ``SpecificationFailure`` when something does, or the command was rejected.
    @discardableResult
    public func thenNothing() throws -> Self {
        try self.then([])
    }
}

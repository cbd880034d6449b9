import EventSourcing
import EventSourcingSQLite
import EventSourcingTesting
import EventStreaming
import GRDB
import TestAccounts
import Testing

/// Given, when, then: what is true passes, and what is not fails with a reason.
struct SpecificationTests {
    private let account = Account()

    @Test func decidersAreSpecified() throws {
        try self.account.given(.deposited(100)).when(.withdraw(30)).then(.withdrawn(30))
        try self.account.given().when(.deposit(1)).then(.deposited(1)).thenState { $0.balance == 1 }
        try self.account.given(.deposited(1)).when(.withdraw(2)).thenRejected(with: AccountError.overdrawn)
        try self.account.given(.closed).when(.close).thenRejected()
    }

    @Test func aDeciderThatDoesSomethingElseFails() throws {
        let outcome = self.account.given(.deposited(100)).when(.withdraw(30))
        for claim in [
            { _ = try outcome.then(.withdrawn(31)) }, { _ = try outcome.thenNothing() },
            { _ = try outcome.thenRejected() }, { _ = try outcome.thenState { $0.balance == 100 } },
            { _ = try account.given().when(.withdraw(1)).then(.withdrawn(1)) },
            { _ = try account.given().when(.withdraw(1)).thenRejected(with: AccountError.closed) },
        ] as [() throws -> Void] {
            #expect(throws: SpecificationFailure.self, performing: claim)
        }
        let failure = #expect(throws: SpecificationFailure.self) { try outcome.then(.deposited(1)) }
        #expect(failure?.description == "other events\n  expected:\n    deposited(1)\n  actual:\n    withdrawn(30)")
    }

    @Test func projectionsAreSpecified() async throws {
        let events = try (0..<3).map { number in
            try TestMessage(
                topic: "accounts",
                .accounts(),
                EntityID("account", "a"),
                AccountEvent.deposited(number),
                sequence: Int64(number + 1)
            )
        }
        let specification = try ProjectionSpecification(Balances.projection(of: "accounts"), setUp: Balances.setUp)
        let given = try await specification.given(events)
        try await given.then { db in
            let balance = try Int.fetchOne(db, sql: "SELECT balance FROM balances WHERE id = 'a'")
            #expect(balance == 3)
        }
        // This projection refuses repetitions rather than to count them twice.
        await #expect(throws: DatabaseError.self) { try await given.thenRepeatingChangesNothing() }
        let stranger = try TestMessage(topic: "other", .accounts(), EntityID("account", "a"), AccountEvent.closed)
        await #expect(throws: SpecificationFailure.self) { _ = try await given.given(stranger) }
    }

    @Test func aProjectionThatCountsTwiceFails() async throws {
        let topic = Topic<String, Int>("numbers", key: .string, value: .json())
        func projection(_ sql: String) -> Projection<Database> {
            Projection(
                name: "numbers",
                inputs: [
                    ProjectionInput(topic) { message, db, _ in
                        try db.execute(sql: sql, arguments: [try message.key, try message.value])
                    }
                ]
            )
        }
        let message = try TestMessage(topic, "a", 5)
        let sum = "INSERT INTO sums VALUES (?1, ?2) ON CONFLICT DO UPDATE SET value = value + ?2"
        let last = "INSERT INTO sums VALUES (?1, ?2) ON CONFLICT DO UPDATE SET value = ?2"
        func setUp(_ db: Database) throws { try db.execute(sql: "CREATE TABLE sums (id TEXT PRIMARY KEY, value)") }
        try await ProjectionSpecification(projection(last), setUp: setUp).given(message).thenRepeatingChangesNothing()
        let failure = await #expect(throws: SpecificationFailure.self) {
            try await ProjectionSpecification(projection(sum), setUp: setUp).given(message)
                .thenRepeatingChangesNothing()
        }
        #expect(failure?.description.contains("value:10") == true)
    }

    // MARK: Process managers

    private let events = Topic<String, TransferEvent>("events", key: .string, value: .json())
    private let commands = Topic<String, TransferCommand>("commands", key: .string, value: .json())

    private func message(_ event: TransferEvent) throws -> TestMessage { try TestMessage(self.events, "1", event) }

    private func specification() -> ProcessSpecification<TransferState> {
        ProcessSpecification(Transfers.manager(events: "events", commands: "commands", patience: .seconds(900)))
    }

    @Test func processManagersAreSpecified() throws {
        let requested = try self.message(.requested(from: "a", to: "b", amount: 5))
        let begun = try self.specification().when(requested)
        try begun.thenSends([.withdraw(account: "a", amount: 5)], to: self.commands)
            .thenStatus(.running, of: "1")
            .thenState(of: "1") { $0.amount == 5 }
        try begun.when(requested).thenSendsNothing()
        try begun.after(.seconds(899)).thenSendsNothing().thenStatus(.running, of: "1")
        try begun.after(.seconds(900)).thenSends([.tell("late")], to: self.commands).thenStatus(.compensated, of: "1")
        try begun.given(self.message(.withdrawn)).when(self.message(.deposited))
            .thenSendsNothing()
            .thenStatus(.completed, of: "1")
            .after(.seconds(10_000))
            .thenSendsNothing()
    }

    /// Attempts without an answer, then a dead end, then a person.
    @Test func compensationIsRetriedUntilItIsStuck() throws {
        let giveBack = TransferCommand.giveBack(account: "a", amount: 5)
        let failed = try self.specification()
            .given(self.message(.requested(from: "a", to: "b", amount: 5)), self.message(.withdrawn))
            .when(self.message(.refused))
            .thenSends([giveBack], to: self.commands)
        // A minute without an answer, and a second's pause.
        try failed.after(.seconds(60)).thenSendsNothing().after(.seconds(1)).thenSends([giveBack], to: self.commands)
        let stuck = try failed.after(.seconds(3_600)).thenSends([giveBack, giveBack], to: self.commands)
            .thenStatus(.stuck, of: "1")
        #expect(stuck.timeline(of: "1").last?.kind == .stuck)
        #expect(throws: SpecificationFailure.self) { try failed.resuming("1") }
        let resumed = try stuck.resuming("1").thenSends([giveBack], to: self.commands)
        try resumed.when(self.message(.returned)).thenStatus(.compensated, of: "1")
        // The answer that comes late is an answer.
        try stuck.when(self.message(.returned)).thenStatus(.compensated, of: "1")
    }

    @Test func aProcessManagerThatDoesSomethingElseFails() throws {
        let begun = try self.specification().when(self.message(.requested(from: "a", to: "b", amount: 5)))
        for claim in [
            { _ = try begun.thenSendsNothing() }, { _ = try begun.thenSends("other") },
            { _ = try begun.thenSends([.tell("x")], to: commands) }, { _ = try begun.thenStatus(.completed, of: "1") },
            { _ = try begun.thenStatus(.running, of: "2") }, { _ = try begun.thenState(of: "1") { $0.amount == 6 } },
        ] as [() throws -> Void] {
            #expect(throws: SpecificationFailure.self, performing: claim)
        }
    }
}

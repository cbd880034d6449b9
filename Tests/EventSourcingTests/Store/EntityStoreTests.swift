import EventSourcing
import EventStreaming
import TestAccounts
import TestSupport
import Testing

@Suite(.timeLimit(.minutes(1)))
struct EntityStoreTests {
    private func accounts(
        _ store: any EventStore,
        snapshots: SnapshotPolicy<AccountState>? = nil,
        unknown: UnknownEventPolicy = .stop
    ) -> EntityStore<Account> {
        EntityStore(
            store,
            decider: Account(),
            events: .accounts(unknown: unknown),
            category: "account",
            snapshots: snapshots
        )
    }

    @Test func commandsBringAboutEventsAndStates() async throws {
        let store = MemoryEventStore()
        let accounts = self.accounts(store)
        try await accounts.handle(.deposit(100), of: "1")
        let result = try await accounts.handle(.close, of: "1")
        #expect(result.events == [.withdrawn(100), .closed])
        #expect(result.version == 3)
        #expect(result.token == PositionToken(store: "events", position: 3))
        let loaded = try await accounts.load("1")
        #expect(loaded.state == AccountState(balance: 0, isClosed: true))
        #expect(loaded.version == 3)
        await #expect(throws: AccountError.closed) { try await accounts.handle(.deposit(1), of: "1") }
        #expect(try await store.lastPosition() == 3)
    }

    @Test func aVersionThatWasExpectedIsAsked() async throws {
        let accounts = self.accounts(MemoryEventStore())
        try await accounts.handle(.deposit(1), of: "1", expecting: .exactly(0))
        let error = await #expect(throws: EventStoreError.self) {
            try await accounts.handle(.deposit(1), of: "1", expecting: .noEvents)
        }
        #expect(error?.actual == 1)
    }

    /// Each decides on what the others have done: nothing is lost, and nothing taken twice.
    @Test func manyAtATimeDecideOneAfterTheOther() async throws {
        let accounts = self.accounts(MemoryEventStore())
        try await accounts.handle(.deposit(30), of: "1")
        let accepted = try await withThrowingTaskGroup(of: Bool.self) { group in
            for _ in 0..<50 {
                group.addTask {
                    do {
                        try await accounts.handle(.withdraw(1), of: "1", attempts: 1_000)
                        return true
                    } catch AccountError.overdrawn {
                        return false
                    }
                }
            }
            return try await group.reduce(0) { $0 + ($1 ? 1 : 0) }
        }
        #expect(accepted == 30)
        #expect(try await accounts.load("1").state.balance == 0)
    }

    @Test func aCommandThatComesAgainIsHandledOnce() async throws {
        let accounts = self.accounts(MemoryEventStore())
        try await accounts.handle(.deposit(5), of: "1")
        let command = EventMetadata(source: "/test", type: "close", correlationID: "all")
        let first = try await accounts.handle(.close, of: "1", causedBy: command)
        let again = try await accounts.handle(.close, of: "1", causedBy: command)
        #expect(again.isRepetition && !first.isRepetition)
        #expect(again.events == first.events)
        #expect(again.version == first.version)
        #expect(again.token == first.token)
    }

    /// The same command many times at once: one result, and a snapshot that says what the events say.
    @Test func repetitionsAtTheSameTimeAreOne() async throws {
        for round in 0..<20 {
            let store = MemoryEventStore()
            var policy = SnapshotPolicy<AccountState>(serde: .json())
            policy.interval = 1
            let accounts = self.accounts(store, snapshots: policy)
            let command = EventMetadata(id: "\(round)", source: "/test", type: "deposit")
            let versions = try await withThrowingTaskGroup(of: Int64.self) { group in
                for _ in 0..<16 {
                    group.addTask { try await accounts.handle(.deposit(5), of: "1", causedBy: command).version }
                }
                return try await group.reduce(into: Set<Int64>()) { $0.insert($1) }
            }
            #expect(versions == [1])
            #expect(try await store.snapshot(of: EntityID("account", "1"), form: 1)?.sequence == 1)
            #expect(try await accounts.load("1").state.balance == 5)
        }
    }

    @Test func eventsTellWhereTheyComeFrom() async throws {
        let store = MemoryEventStore()
        let command = EventMetadata(source: "/test", type: "deposit", correlationID: "all")
        try await self.accounts(store).handle(.deposit(5), of: "1", causedBy: command)
        let metadata = try #require(try await store.events(of: EntityID("account", "1")).first?.event.metadata)
        #expect(metadata.causationID == command.id)
        #expect(metadata.correlationID == "all")
        #expect(metadata.source == "account")
    }

    /// A snapshot is used, and one that can't be is not missed.
    @Test func snapshotsSpareTheReadingOfEvents() async throws {
        let store = MemoryEventStore()
        var policy = SnapshotPolicy<AccountState>(serde: .json())
        policy.interval = 10
        let accounts = self.accounts(store, snapshots: policy)
        for _ in 0..<25 { try await accounts.handle(.deposit(1), of: "1") }
        let entity = EntityID("account", "1")
        #expect(try await store.snapshot(of: entity, form: 1)?.sequence == 20)
        let loaded = try await accounts.load("1")
        #expect(loaded.snapshotVersion == 20)
        #expect(loaded.version == 25)
        #expect(loaded.state.balance == 25)

        policy.form = 2
        let newer = self.accounts(store, snapshots: policy)
        #expect(try await newer.load("1").snapshotVersion == 0)
        #expect(try await newer.load("1").state.balance == 25)

        try await store.save(EntitySnapshot(entity: entity, sequence: 24, form: 1, data: [1, 2, 3]))
        #expect(try await accounts.load("1").state.balance == 25)
    }

    /// Whoever knows the event would not get it: it would lie before the snapshot.
    @Test func thereAreNoSnapshotsOfWhatWasNotUnderstood() async throws {
        let store = MemoryEventStore()
        var policy = SnapshotPolicy<AccountState>(serde: .json())
        policy.interval = 10
        let accounts = self.accounts(store, snapshots: policy, unknown: .skip)
        let entity = EntityID("account", "1")
        let metadata = EventMetadata(id: "1", source: "/newer", type: "account.renamed")
        try await store.append([EncodedEvent(metadata: metadata, typeVersion: 1, data: [])], to: entity)
        for _ in 0..<25 { try await accounts.handle(.deposit(1), of: "1") }
        #expect(try await store.snapshot(of: entity, form: 1) == nil)
        let loaded = try await accounts.load("1")
        #expect(loaded.hasSkipped)
        #expect(loaded.version == 26)
    }

    @Test func unknownEventsCountForTheVersion() async throws {
        let store = MemoryEventStore()
        let accounts = self.accounts(store, unknown: .skip)
        try await accounts.handle(.deposit(5), of: "1")
        let unknown = EncodedEvent(metadata: EventMetadata(source: "/test", type: "account.audited"), data: [])
        try await store.append([unknown], to: EntityID("account", "1"))
        try await accounts.handle(.withdraw(2), of: "1")
        #expect(try await accounts.load("1").version == 3)
        #expect(try await accounts.load("1").state.balance == 3)
        await #expect(throws: EventRegistryError.self) { try await self.accounts(store).load("1") }
    }

    /// Whole pages of 1,000, and more.
    @Test(arguments: [1_000, 2_000, 2_500])
    func longStreamsAreReadWhole(count: Int) async throws {
        let store = MemoryEventStore()
        let events = try (0..<count).map { number in
            try EventRegistry.accounts().encode(.deposited(1), source: "/test", id: "\(number)")
        }
        try await store.append(events, to: EntityID("account", "1"))
        #expect(try await self.accounts(store).load("1").state.balance == count)
    }

    @Test func changesAreASequence() async throws {
        let store = MemoryEventStore()
        let accounts = self.accounts(store)
        let seen = Collected<Int64>()
        let reading = Task {
            var changes = store.changes()
            changes.batchSize = 2
            for try await event in changes { seen.append(event.position) }
        }
        for _ in 0..<5 { try await accounts.handle(.deposit(1), of: "1") }
        try await eventually("all are seen") { seen.count == 5 }
        reading.cancel()
        try await reading.value
        #expect(seen.elements == [1, 2, 3, 4, 5])
    }
}

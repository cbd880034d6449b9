import EventSourcing
import EventSourcingSQLite
import EventStreaming
import GRDB
import TestAccounts
import TestSupport
import Testing

@Suite(.timeLimit(.minutes(1)))
struct StoreProjectorTests {
    private func projection(_ effects: Collected<Int64> = Collected()) -> Projection<Database> {
        Projection(
            name: "balances",
            inputs: [
                ProjectionInput(store: "events", events: .accounts()) { event, db, context in
                    if case .closed = event.event { throw AccountError.closed }
                    try Balances.handle(event, db)
                    context.whenLive { effects.append(event.sequence) }
                }
            ]
        )
    }

    /// Read your writes without Kafka: the token of an append is one of the read model.
    @Test func rowsFollowTheStore() async throws {
        try await withTemporaryFolder { folder in
            let store = try SQLiteEventStore(try EventDatabase(path: "\(folder)/events.sqlite"))
            let accounts = EntityStore(store, decider: Account(), events: .accounts(), category: "account")
            let readModels = try SQLiteReadModels(folder: "\(folder)/models")
            let storage = try await readModels.storage(of: "balances", version: 1, setUp: Balances.setUp)
            let effects = Collected<Int64>()
            for round in 1...3 {
                let projector = StoreProjector(
                    self.projection(effects),
                    storage: storage,
                    store: store,
                    batchSize: 3
                )
                try await withRunning({ try await projector.run() }) {
                    for _ in 0..<10 {
                        let result = try await accounts.handle(.deposit(1), of: "a")
                        let read = try await readModels["balances"].read(after: result.token, timeout: .seconds(30)) {
                            try Int64.fetchOne($0, sql: "SELECT balance FROM balances WHERE id = 'a'")
                        }
                        #expect(!read.isStale)
                        #expect(read.value == result.version)
                    }
                }
                #expect(projector.status.handled == 10)
                #expect(projector.status.phase == .ended)
                #expect(round * 10 == effects.count)
            }
            #expect(effects.elements == Array(1...30))
        }
    }

    /// A store has entities of many kinds, whose events only their own registries know.
    @Test func othersEntitiesAreIgnored() async throws {
        try await withTemporaryFolder { folder in
            let store = MemoryEventStore()
            let accounts = EntityStore(store, decider: Account(), events: .accounts(), category: "account")
            let foreign = EncodedEvent(metadata: EventMetadata(source: "/test", type: "order.placed"), data: [])
            try await store.append([foreign], to: EntityID("order", "1"))
            let token = try await accounts.handle(.deposit(7), of: "a").token
            let readModels = try SQLiteReadModels(folder: folder)
            let storage = try await readModels.storage(of: "balances", version: 1, setUp: Balances.setUp)
            func projector(_ category: String?) -> StoreProjector<SQLiteProjectionStorage, MemoryEventStore> {
                let input = ProjectionInput<Database>(store: "events", category: category, events: .accounts()) {
                    event,
                    db,
                    _ in
                    try Balances.handle(event, db)
                }
                return StoreProjector(Projection(name: "balances", inputs: [input]), storage: storage, store: store)
            }
            let all = projector(nil)
            await #expect(throws: ProjectionError.self, "the type is not known") { try await all.run() }
            let own = projector("account")
            try await withRunning({ try await own.run() }) {
                let read = try await readModels["balances"].read(after: token, timeout: .seconds(30)) {
                    try Int64.fetchOne($0, sql: "SELECT balance FROM balances WHERE id = 'a'")
                }
                #expect(!read.isStale && read.value == 7)
            }
        }
    }

    @Test func aPoisonEventStopsAndIsNamed() async throws {
        try await withTemporaryFolder { folder in
            let store = MemoryEventStore()
            let accounts = EntityStore(store, decider: Account(), events: .accounts(), category: "account")
            try await accounts.handle(.deposit(1), of: "a")
            try await accounts.handle(.close, of: "b")
            let readModels = try SQLiteReadModels(folder: folder)
            let storage = try await readModels.storage(of: "balances", version: 1, setUp: Balances.setUp)
            let projector = StoreProjector(self.projection(), storage: storage, store: store)
            let error = await #expect(throws: ProjectionError.self) { try await projector.run() }
            #expect(error?.code == .stopped)
            #expect(error?.description.contains("the event 2") == true)
            let other = StoreProjector(self.projection(), storage: storage, store: MemoryEventStore(name: "other"))
            let refusal = await #expect(throws: ProjectionError.self) { try await other.run() }
            #expect(refusal?.code == .configuration)
        }
    }

    /// Of two the one that claimed last writes.
    @Test func theFirstOfTwoIsFenced() async throws {
        try await withTemporaryFolder { folder in
            let store = MemoryEventStore()
            let accounts = EntityStore(store, decider: Account(), events: .accounts(), category: "account")
            let readModels = try SQLiteReadModels(folder: folder)
            let storage = try await readModels.storage(of: "balances", version: 1, setUp: Balances.setUp)
            try await accounts.handle(.deposit(1), of: "a")
            let first = StoreProjector(self.projection(), storage: storage, store: store)
            let running = Task { try await first.run() }
            try await eventually("the first one works") { first.status.handled == 1 }
            _ = try await storage.claim([PositionToken.partition(ofStore: "events")], owner: "somebody else")
            try await accounts.handle(.deposit(1), of: "a")
            let error = await #expect(throws: ProjectionError.self) { try await running.value }
            #expect(error?.code == .fenced)
            #expect(try await storage.refusals().values.reduce(0, +) == 1)
        }
    }
}

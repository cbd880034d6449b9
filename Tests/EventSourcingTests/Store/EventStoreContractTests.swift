import EventSourcing
import EventSourcingSQLite
import EventSourcingTesting
import TestSupport
import Testing

/// Every backend keeps every promise of a store.
@Suite(.timeLimit(.minutes(1)))
struct EventStoreContractTests {
    @Test(arguments: EventStoreContract.checks)
    func inMemory(_ check: EventStoreContract.Check) async throws {
        try await check.run(MemoryEventStore())
    }

    @Test(arguments: EventStoreContract.checks)
    func inAFile(_ check: EventStoreContract.Check) async throws {
        try await withTemporaryFolder { folder in
            try await check.run(SQLiteEventStore(try EventDatabase(path: "\(folder)/events.sqlite")))
        }
    }

    /// Two processes, as far as SQLite is concerned: what one appends wakes the other.
    @Test(arguments: EventStoreContract.checks)
    func inAFileOfTwo(_ check: EventStoreContract.Check) async throws {
        try await withTemporaryFolder { folder in
            let path = "\(folder)/events.sqlite"
            let store = try SQLiteEventStore(try EventDatabase(path: path))
            let other = try SQLiteEventStore(try EventDatabase(path: path))
            let heard = Collected<Int64>()
            let listening = Task {
                for try await event in other.changes() { heard.append(event.position) }
            }
            try await check.run(store)
            let all = try await store.events(after: 0, limit: .max).map(\.position)
            try await eventually("the other one has heard of all") { heard.count == all.count }
            #expect(heard.elements == all)
            #expect(try await other.lastPosition() == store.lastPosition())
            listening.cancel()
            try await listening.value
        }
    }
}

import EventSourcing
import EventSourcingSQLite
import EventSourcingTesting
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
            let other = try SQLiteEventStore(try EventDatabase(path: path))
            try await check.run(SQLiteEventStore(try EventDatabase(path: path)))
            #expect(try await other.lastPosition() >= 0)
        }
    }
}

import EventSourcing
import EventSourcingSQLite
import EventStreaming
import GRDB
import KafkaClient
import TestAccounts
import Testing

@Suite(.timeLimit(.minutes(1)))
struct SQLiteEventStoreTests {
    @Test func whatWasAppendedIsThereWhenTheFileIsOpenedAgain() async throws {
        try await withTemporaryFolder { folder in
            let path = "\(folder)/events.sqlite"
            let entity = EntityID("account", "1")
            let event = try EventRegistry.accounts().encode(.deposited(5), source: "/test")
            try await SQLiteEventStore(try EventDatabase(path: path)).append([event], to: entity)
            let again = try SQLiteEventStore(try EventDatabase(path: path))
            #expect(try await again.events(of: entity).map(\.event) == [event])
        }
    }

    /// What a store has acknowledged outlasts a loss of power; what can be made again need not.
    @Test(arguments: [(EventDatabase.Durability.full, 2), (.normal, 1)])
    func durabilityIsWhatWasAskedFor(_ durability: EventDatabase.Durability, _ level: Int) async throws {
        try await withTemporaryFolder { folder in
            var configuration = EventDatabase.Configuration()
            configuration.durability = durability
            let database = try EventDatabase(path: "\(folder)/events.sqlite", configuration: configuration)
            let actual = try await database.write { db in try Int.fetchOne(db, sql: "PRAGMA synchronous") }
            #expect(actual == level)
            let mode = try await database.read { db in try String.fetchOne(db, sql: "PRAGMA journal_mode") }
            #expect(mode == "wal")
        }
    }

    /// What is to be published is written with the events, or not at all.
    @Test func theOutboxIsWrittenInTheSameTransaction() async throws {
        try await withTemporaryFolder { folder in
            let database = try EventDatabase(path: "\(folder)/events.sqlite")
            let store = try SQLiteEventStore(database, publishing: { $0.category == "account" ? "accounts" : nil })
            let outbox = try SQLiteOutbox(database)
            let accounts = EntityStore(store, decider: Account(), events: .accounts(), category: "account")
            let others = EntityStore(store, decider: Account(), events: .accounts(), category: "other")
            try await accounts.handle(.deposit(7), of: "1")
            try await others.handle(.deposit(7), of: "1")
            struct Failure: Error {}
            await #expect(throws: Failure.self) {
                try await database.write { db in
                    let event = try EventRegistry.accounts().encode(.deposited(5), source: "/test")
                    try store.append([EventAppend(to: EntityID("account", "2"), [event])], in: db)
                    throw Failure()
                }
            }
            let entries = try await outbox.entries(after: 0, limit: 10)
            #expect(entries.map(\.record.topic) == ["accounts"])
            let record = try #require(entries.first?.record)
            #expect(record.key == Array("1".utf8))
            let metadata = try #require(EventMetadata(headers: record.headers))
            #expect(metadata.type == "account.deposited")
            #expect(metadata.extensions == ["category": "account", "sequence": "1", "typeversion": "1"])
            #expect(try await store.version(of: EntityID("account", "2")) == 0)
            #expect(try await outbox.backlog().count == 1)
        }
    }

    @Test func recordsComeOutOfTheOutboxAsTheyWentIn() async throws {
        try await withTemporaryFolder { folder in
            let database = try EventDatabase(path: "\(folder)/events.sqlite")
            let outbox = try SQLiteOutbox(database)
            var record = KafkaProducerRecord(
                topic: "t",
                partition: 3,
                key: nil,
                value: [],
                headers: [
                    .init(key: "a", value: [1]), .init(key: "a", value: nil), .init(key: "", value: []),
                    .init(key: "ä", value: Array(repeating: 7, count: 70_000)),
                ]
            )
            record.timestamp = KafkaTimestamp(millisecondsSince1970: 5)
            let tombstone = KafkaProducerRecord(topic: "t", key: Array("k".utf8), value: nil)
            let written = record
            try await database.write { db in
                try outbox.add(written, in: db)
                try outbox.add(tombstone, in: db)
            }
            #expect(try await outbox.entries(after: 0, limit: 10).map(\.record) == [record, tombstone])
            // A position is not used again.
            try await outbox.remove(through: 2, published: [:])
            let next = try await database.write { db in try outbox.add(tombstone, in: db) }
            #expect(next == 3)
        }
    }

    /// Each of many at a time succeeds or fails by itself.
    @Test func appendsThatGoTogetherFailAlone() async throws {
        try await withTemporaryFolder { folder in
            let store = try SQLiteEventStore(try EventDatabase(path: "\(folder)/events.sqlite"))
            let entity = EntityID("account", "1")
            let outcomes = try await withThrowingTaskGroup(of: Bool.self) { group in
                for number in 0..<200 {
                    group.addTask {
                        let event = try EventRegistry.accounts()
                            .encode(.deposited(1), source: "/test", id: "\(number)")
                        let own = EntityID("account", "own-\(number)")
                        do {
                            // Every other one asks for what can hold once only.
                            let target = number.isMultiple(of: 2) ? entity : own
                            try await store.append([event], to: target, expecting: .noEvents)
                            return true
                        } catch let error as EventStoreError where error.code == .conflict {
                            return false
                        }
                    }
                }
                return try await group.reduce(0) { $0 + ($1 ? 1 : 0) }
            }
            #expect(outcomes == 101)
            #expect(try await store.lastPosition() == 101)
        }
    }

    @Test(arguments: ["", "a b", "~x", "ä", String(repeating: "x", count: 250)])
    func aNameThatIsNoneIsRefused(_ name: String) async throws {
        try await withTemporaryFolder { folder in
            let database = try EventDatabase(path: "\(folder)/events.sqlite")
            let error = #expect(throws: EventStoreError.self) { try SQLiteEventStore(database, name: name) }
            #expect(error?.code == .invalid)
        }
    }

    @Test func anInboxReceivesAnEventOnce() async throws {
        try await withTemporaryFolder { folder in
            let database = try EventDatabase(path: "\(folder)/inbox.sqlite")
            let inbox = try SQLiteInbox(database, name: "billing")
            let other = try SQLiteInbox(database, name: "shipping")
            let event = EventIdentity(source: "/test", id: "1")
            try await database.write { db in try db.execute(sql: "CREATE TABLE bills (id TEXT)") }
            struct Failure: Error {}
            await #expect(throws: Failure.self) {
                try await inbox.receive(event) { db in
                    try db.execute(sql: "INSERT INTO bills VALUES ('lost')")
                    throw Failure()
                }
            }
            let answers = try await [
                inbox.receive(event) { db in
                    try db.execute(sql: "INSERT INTO bills VALUES ('1')")
                    return 1
                },
                inbox.receive(event) { _ in 2 }, other.receive(event) { _ in 3 }, inbox.receive(nil) { _ in 4 },
                inbox.receive(nil) { _ in 5 },
            ]
            #expect(answers == [1, nil, 3, 4, 5])
            let bills = try await database.read { db in try String.fetchAll(db, sql: "SELECT id FROM bills") }
            #expect(bills == ["1"])
            #expect(try await inbox.forget(olderThan: .seconds(60)) == 0)
            #expect(try await inbox.forget(olderThan: .seconds(-60)) == 1)
            #expect(try await inbox.receive(event) { _ in 6 } == 6)
            #expect(try await other.receive(event) { _ in 7 } == nil)
        }
    }
}

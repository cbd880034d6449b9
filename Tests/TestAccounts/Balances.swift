public import EventSourcing
public import GRDB

/// A read model of accounts: their balances, and each event that made them, by its place.
public enum Balances {
    /// Makes the tables.
    public static func setUp(_ db: Database) throws {
        try db.execute(
            sql: """
                CREATE TABLE balances (id TEXT PRIMARY KEY, balance INTEGER NOT NULL, events INTEGER NOT NULL);
                -- An event that is handled twice is refused.
                CREATE TABLE seen (id TEXT NOT NULL, sequence INTEGER NOT NULL, amount INTEGER NOT NULL,
                    PRIMARY KEY (id, sequence));
                """
        )
    }

    /// The projection of a topic.
    ///
    /// - Parameters:
    ///   - topic: the topic of events.
    ///   - delay: how long it takes to read one, in microseconds.
    public static func projection(of topic: String, delay: UInt32 = 0) -> Projection<Database> {
        Projection(
            name: "balances",
            inputs: [
                ProjectionInput(topic: topic, events: .accounts(delay: delay)) { event, db, _ in
                    try Self.handle(event, db)
                }
            ]
        )
    }

    /// Handles an event.
    public static func handle(_ event: RecordedEvent<AccountEvent>, _ db: Database) throws {
        let amount: Int
        switch event.event {
        case .deposited(let value): amount = value
        case .withdrawn(let value): amount = -value
        case .closed: return
        }
        try db.cachedStatement(sql: "INSERT INTO seen (id, sequence, amount) VALUES (?, ?, ?)")
            .execute(arguments: [event.entity.id, event.sequence, amount])
        try db.cachedStatement(
            sql: """
                INSERT INTO balances (id, balance, events) VALUES (?1, ?2, 1)
                ON CONFLICT (id) DO UPDATE SET balance = balance + ?2, events = events + 1
                """
        ).execute(arguments: [event.entity.id, amount])
    }
}

public import EventSourcing
public import EventStreaming
public import GRDB
public import KafkaClient

/// Records in a table, written in the transaction of what they tell of, until an `OutboxRelay` has published them.
public struct SQLiteOutbox: OutboxStorage {
    private let database: EventDatabase

    /// Makes the table where there is none.
    public init(_ database: EventDatabase) throws {
        self.database = database
        try database.writeBlocking { db in try Self.createTable(db) }
    }

    static func createTable(_ db: Database) throws {
        // AUTOINCREMENT: a position is not used again when the table was emptied, so that it tells what was published.
        try db.execute(
            sql: """
                CREATE TABLE IF NOT EXISTS outbox (
                    position INTEGER PRIMARY KEY AUTOINCREMENT,
                    topic TEXT NOT NULL,
                    partition INTEGER,
                    key BLOB,
                    value BLOB,
                    headers BLOB NOT NULL,
                    timestamp INTEGER,
                    written INTEGER NOT NULL
                );
                CREATE TABLE IF NOT EXISTS outbox_identity (id TEXT NOT NULL);
                CREATE TABLE IF NOT EXISTS outbox_published (
                    topic TEXT NOT NULL,
                    partition INTEGER NOT NULL,
                    position INTEGER NOT NULL,
                    PRIMARY KEY (topic, partition)
                ) WITHOUT ROWID;
                """
        )
        try db.execute(
            sql: "INSERT INTO outbox_identity (id) SELECT ? WHERE NOT EXISTS (SELECT 1 FROM outbox_identity)",
            arguments: [EventID.next()]
        )
    }

    /// See ``OutboxStorage/identity()``.
    public func identity() async throws -> OutboxIdentity {
        try await self.database.read { db in
            OutboxIdentity(
                id: try String.fetchOne(db, sql: "SELECT id FROM outbox_identity") ?? "",
                lastPosition: try Int64.fetchOne(db, sql: "SELECT seq FROM sqlite_sequence WHERE name = 'outbox'") ?? 0
            )
        }
    }

    /// Adds a record in a transaction.
    ///
    /// - Returns: its position.
    @discardableResult
    public func add(_ record: KafkaProducerRecord, in db: Database) throws -> Int64 {
        let statement = try db.cachedStatement(
            sql: """
                INSERT INTO outbox (topic, partition, key, value, headers, timestamp, written)
                VALUES (?, ?, ?, ?, ?, ?, ?)
                """
        )
        try statement.execute(arguments: [
            record.topic, record.partition, record.key?.blob, record.value?.blob,
            HeaderCoding.encode(record.headers).blob, record.timestamp?.millisecondsSince1970,
            UTCTime.now.millisecondsSince1970,
        ])
        return db.lastInsertedRowID
    }

    /// Adds a message in a transaction.
    ///
    /// - Parameters:
    ///   - message: what is published.
    ///   - topic: where to.
    ///   - source: where it happened, unless its metadata says that: a URI reference.
    ///   - cause: the event that it comes of.
    ///   - db: the transaction.
    /// - Returns: its position.
    /// - Throws: `SerdeError` for a message that can't be written; `DatabaseError`.
    @discardableResult
    public func add<Key, Value>(
        _ message: Message<Key, Value>,
        to topic: Topic<Key, Value>,
        source: String,
        causedBy cause: EventMetadata? = nil,
        in db: Database
    ) throws -> Int64 {
        try self.add(try topic.record(of: message, source: source, causedBy: cause), in: db)
    }

    /// See ``OutboxStorage/entries(after:limit:)``.
    public func entries(after position: Int64, limit: Int) async throws -> [OutboxEntry] {
        try await self.database.read { db in
            try Row.fetchAll(
                db,
                sql: """
                    SELECT position, topic, partition, key, value, headers, timestamp FROM outbox
                    WHERE position > ? ORDER BY position LIMIT ?
                    """,
                arguments: [position, max(0, limit)]
            ).map { row in
                var record = KafkaProducerRecord(
                    topic: row[1],
                    partition: row[2],
                    key: row.optionalBytes(3),
                    value: row.optionalBytes(4),
                    headers: HeaderCoding.decode(row.bytes(5))
                )
                record.timestamp = (row[6] as Int64?).map { KafkaTimestamp(millisecondsSince1970: $0) }
                return OutboxEntry(position: row[0], record: record)
            }
        }
    }

    /// See ``OutboxStorage/remove(through:published:)``.
    public func remove(through position: Int64, published: [KafkaTopicPartition: Int64]) async throws {
        try await self.database.write { db in
            try db.execute(sql: "DELETE FROM outbox WHERE position <= ?", arguments: [position])
            for (place, position) in published {
                try db.execute(
                    sql: """
                        INSERT INTO outbox_published (topic, partition, position) VALUES (?, ?, ?)
                        ON CONFLICT (topic, partition) DO UPDATE SET position = max(position, excluded.position)
                        """,
                    arguments: [place.topic, place.partition, position]
                )
            }
        }
    }

    /// Waits until everything is published that was written until now, by whichever process publishes it, and answers what a reader
    /// of the topic waits for to see it: the token of a store says nothing to the readers of a topic.
    ///
    /// ```swift
    /// try await accounts.handle(.deposit(100), of: "42")
    /// let token = try await outbox.published(to: "accounts.events", within: .seconds(5))
    /// ```
    ///
    /// - Returns: `nil` when that takes longer.
    /// - Throws: `DatabaseError`; `CancellationError` when the task is cancelled before.
    public func published(to topic: String, within timeout: Duration) async throws -> PositionToken? {
        let last = try await self.identity().lastPosition
        return try await withDeadline(.now + min(timeout, .seconds(1_000_000_000))) {
            while true {
                let count = self.database.changeCount
                let token = try await self.database.read { db -> PositionToken? in
                    let isWaiting = try Bool.fetchOne(
                        db,
                        sql: "SELECT EXISTS (SELECT 1 FROM outbox WHERE position <= ?)",
                        arguments: [last]
                    )
                    if isWaiting == true { return nil }
                    let rows = try Row.fetchAll(
                        db,
                        sql: "SELECT partition, position FROM outbox_published WHERE topic = ?",
                        arguments: [topic]
                    )
                    return PositionToken(
                        Dictionary(
                            uniqueKeysWithValues: rows.map { row in
                                (KafkaTopicPartition(topic: topic, partition: row[0]), row[1] as Int64)
                            }
                        )
                    )
                }
                if let token { return token }
                try await self.database.waitForChange(past: count)
            }
        }
    }

    /// See ``OutboxStorage/backlog()``.
    public func backlog() async throws -> OutboxBacklog {
        try await self.database.read { db in
            let row = try Row.fetchOne(
                db,
                sql: "SELECT count(*), (SELECT written FROM outbox ORDER BY position LIMIT 1) FROM outbox"
            )
            return OutboxBacklog(
                count: row?[0] ?? 0,
                oldest: (row?[1] as Int64?).flatMap { UTCTime(millisecondsSince1970: $0) }
            )
        }
    }

    /// See ``OutboxStorage/waitForEntries(after:)``.
    public func waitForEntries(after position: Int64) async throws {
        while true {
            let count = self.database.changeCount
            let last = try await self.database.read { db in
                try Int64.fetchOne(db, sql: "SELECT max(position) FROM outbox") ?? 0
            }
            if last > position { return }
            try await self.database.waitForChange(past: count)
        }
    }
}

public import EventStreaming
public import GRDB

/// Remembers which events were received, in the database transaction of what was done for them: an idempotent receiver.
///
/// ```swift
/// let inbox = try SQLiteInbox(database, name: "billing")
/// try await inbox.receive(message.metadata?.identity) { db in
///     try db.execute(sql: "INSERT INTO invoices ...")
/// }
/// ```
public struct SQLiteInbox: Sendable {
    private let database: EventDatabase
    private let name: String

    /// Makes the table where there is none.
    ///
    /// - Parameters:
    ///   - database: the file, which has the tables of the receiver as well.
    ///   - name: tells the receiver from others that keep their tables in the same file.
    public init(_ database: EventDatabase, name: String) throws {
        self.database = database
        self.name = name
        try database.writeBlocking { db in try Self.createTable(db) }
    }

    static func createTable(_ db: Database) throws {
        try db.execute(
            sql: """
                CREATE TABLE IF NOT EXISTS inbox (
                    receiver TEXT NOT NULL,
                    id BLOB NOT NULL,
                    source BLOB NOT NULL,
                    received INTEGER NOT NULL,
                    PRIMARY KEY (receiver, id, source)
                ) WITHOUT ROWID;
                CREATE INDEX IF NOT EXISTS inbox_by_time ON inbox (received);
                """
        )
    }

    /// Runs `body` unless the event was received before. That it was is remembered when `body` returns, and only then.
    ///
    /// - Parameters:
    ///   - event: which event; `nil`, of a message without metadata, is taken as new.
    ///   - body: does what is to be done for the event, in the transaction.
    /// - Returns: what `body` returns; `nil` for an event that was received before.
    /// - Throws: what `body` throws: the event was not received then; `DatabaseError`.
    @discardableResult
    public func receive<R: Sendable>(
        _ event: EventIdentity?,
        _ body: @escaping @Sendable (Database) throws -> R
    ) async throws -> R? {
        try await self.database.write { db in
            guard try self.receive(event, in: db) else { return nil }
            return try body(db)
        }
    }

    /// Notes, in a transaction of the caller's, that an event was received.
    ///
    /// - Returns: whether it is the first time.
    public func receive(_ event: EventIdentity?, in db: Database) throws -> Bool {
        guard let event else { return true }
        return try Self.note(event, receiver: self.name, db)
    }

    static func note(_ event: EventIdentity, receiver: String, _ db: Database) throws -> Bool {
        let statement = try db.cachedStatement(
            sql: "INSERT OR IGNORE INTO inbox (receiver, id, source, received) VALUES (?, ?, ?, ?)"
        )
        // As bytes: text with a zero in it would be cut off there.
        try statement.execute(arguments: [
            receiver, Array(event.id.utf8).blob, Array(event.source.utf8).blob, UTCTime.now.millisecondsSince1970,
        ])
        return db.changesCount > 0
    }

    /// Forgets events that were received longer ago than this: a repetition of them would be taken as new.
    ///
    /// - Returns: how many.
    @discardableResult
    public func forget(olderThan age: Duration) async throws -> Int {
        let time = UTCTime.now.advanced(by: .zero - age).millisecondsSince1970
        return try await self.database.write { db in try Self.forget(before: time, receiver: self.name, db) }
    }

    @discardableResult
    static func forget(before time: Int64, receiver: String, _ db: Database) throws -> Int {
        try db.execute(sql: "DELETE FROM inbox WHERE receiver = ? AND received < ?", arguments: [receiver, time])
        return db.changesCount
    }
}

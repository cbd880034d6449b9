public import EventSourcing
public import EventStreaming
public import GRDB
internal import Synchronization

/// Keeps events in a SQLite file, with the rows of an outbox in the same transaction.
///
/// ```swift
/// let database = try EventDatabase(path: "shop.sqlite")
/// let store = try SQLiteEventStore(database, publishing: { $0.category == "order" ? "orders.events" : nil })
/// ```
///
/// Appends that are asked for while another one is being written go together in the next transaction, so that many at a time share
/// the wait for the disk; each succeeds or fails by itself.
public final class SQLiteEventStore: EventStore {
    private struct Pending {
        var appends: [EventAppend]
        var continuation: CheckedContinuation<AppendResult, any Error>
    }

    private struct Queue {
        var pending: [Pending] = []
        var isWriting = false
    }

    /// Names the store in a ``PositionToken``.
    public let name: String
    private let database: EventDatabase
    private let outbox: SQLiteOutbox?
    private let topic: @Sendable (EntityID) -> String?
    private let queue = Mutex(Queue())

    /// How many appends go into one transaction at most.
    private static let maxGroup = 500

    /// Makes the tables where there are none.
    ///
    /// - Parameters:
    ///   - database: the file.
    ///   - name: names the store in a ``PositionToken``; what a topic may be called.
    ///   - topic: the topic to which the events of an entity are published by an `OutboxRelay`; `nil` for none.
    /// - Throws: ``EventStoreError`` with the code `invalid` for a name that is none; `DatabaseError`.
    public init(
        _ database: EventDatabase,
        name: String = "events",
        publishing topic: (@Sendable (EntityID) -> String?)? = nil
    ) throws {
        guard PositionToken.canName(store: name) else {
            throw EventStoreError.invalid("\"\(name)\" can't name a store: letters, digits, dots, dashes and lines can")
        }
        self.name = name
        self.database = database
        self.topic = topic ?? { _ in nil }
        self.outbox = try topic.map { _ in try SQLiteOutbox(database) }
        try database.writeBlocking { db in try EventRow.createTables(db) }
    }

    /// See ``EventStore/events(of:from:limit:)``.
    public func events(of entity: EntityID, from sequence: Int64, limit: Int) async throws -> [StoredEvent] {
        try await self.database.read { db in
            try EventRow.fetch(
                db,
                "category = ? AND entity = ? AND sequence >= ? ORDER BY sequence LIMIT ?",
                [entity.category, entity.id, sequence, max(0, limit)]
            )
        }
    }

    /// See ``EventStore/version(of:)``.
    public func version(of entity: EntityID) async throws -> Int64 {
        try await self.database.read { db in try EventRow.version(db, entity) }
    }

    /// See ``EventStore/event(_:)``.
    public func event(_ identity: EventIdentity) async throws -> StoredEvent? {
        try await self.database.read { db in try EventRow.event(db, identity) }
    }

    /// See ``EventStore/events(after:limit:)``.
    public func events(after position: Int64, limit: Int) async throws -> [StoredEvent] {
        try await self.database.read { db in
            try EventRow.fetch(db, "position > ? ORDER BY position LIMIT ?", [position, max(0, limit)])
        }
    }

    /// See ``EventStore/lastPosition()``.
    public func lastPosition() async throws -> Int64 {
        try await self.database.read { db in try EventRow.lastPosition(db) }
    }

    /// See ``EventStore/waitForEvents(after:)``.
    public func waitForEvents(after position: Int64) async throws {
        while true {
            let count = self.database.changeCount
            if try await self.lastPosition() > position { return }
            try await self.database.waitForChange(past: count)
        }
    }

    // MARK: Appending

    /// See ``EventStore/append(_:)``.
    public func append(_ appends: [EventAppend]) async throws -> AppendResult {
        try EventAppend.check(appends)
        try Task.checkCancellation()
        return try await withCheckedThrowingContinuation { continuation in
            let isFirst = self.queue.withLock { queue in
                queue.pending.append(Pending(appends: appends, continuation: continuation))
                defer { queue.isWriting = true }
                return !queue.isWriting
            }
            if isFirst { Task { await self.writePending() } }
        }
    }

    /// Appends events in a transaction of the caller's, together with what else that writes.
    ///
    /// - Throws: as ``append(_:)``; what was written is undone when the transaction is.
    @discardableResult
    public func append(_ appends: [EventAppend], in db: Database) throws -> AppendResult {
        try EventAppend.check(appends)
        return try self.write(appends, db)
    }

    private func writePending() async {
        while true {
            let group = self.queue.withLock { queue -> [Pending] in
                let group = Array(queue.pending.prefix(Self.maxGroup))
                queue.pending.removeFirst(group.count)
                if group.isEmpty { queue.isWriting = false }
                return group
            }
            if group.isEmpty { return }
            let appends = group.map(\.appends)
            do {
                let results = try await self.database.write { db in
                    // What is refused is so before anything of it is written; any other error is that of the file, and of all.
                    try appends.map { appends -> Result<AppendResult, any Error> in
                        do {
                            return .success(try self.write(appends, db))
                        } catch let error as EventStoreError {
                            return .failure(error)
                        }
                    }
                }
                for (pending, result) in zip(group, results) { pending.continuation.resume(with: result) }
            } catch  where group.count > 1 {
                // What is wrong with one of them is not the others' affair.
                for pending in group {
                    let result = await self.writeAlone(pending.appends)
                    pending.continuation.resume(with: result)
                }
            } catch {
                for pending in group { pending.continuation.resume(throwing: error) }
            }
        }
    }

    private func writeAlone(_ appends: [EventAppend]) async -> Result<AppendResult, any Error> {
        do {
            return .success(try await self.database.write { db in try self.write(appends, db) })
        } catch {
            return .failure(error)
        }
    }

    private func write(_ appends: [EventAppend], _ db: Database) throws -> AppendResult {
        let repetition = try EventAppend.repetition(of: appends, in: self.name) { try EventRow.event(db, $0) }
        if let repetition { return repetition }
        var versions: [EntityID: Int64] = [:]
        for append in appends {
            let actual = try EventRow.version(db, append.entity)
            guard append.expected.allows(actual) else {
                throw EventStoreError.conflict(append.entity, expected: append.expected, actual: actual)
            }
            versions[append.entity] = actual
        }
        var position: Int64 = 0
        for append in appends {
            let topic = self.topic(append.entity)
            for event in append.events {
                let sequence = (versions[append.entity] ?? 0) + 1
                versions[append.entity] = sequence
                position = try EventRow.insert(db, event, append.entity, sequence)
                if let outbox, let topic {
                    try outbox.add(
                        EntityEventRecord.record(of: event, entity: append.entity, sequence: sequence, topic: topic),
                        in: db
                    )
                }
            }
        }
        return AppendResult(versions: versions, position: position, isRepetition: false, store: self.name)
    }

    // MARK: Snapshots

    /// See ``EventStore/snapshot(of:form:)``.
    public func snapshot(of entity: EntityID, form: Int) async throws -> EntitySnapshot? {
        try await self.database.read { db in
            try Row.fetchOne(
                db,
                sql: "SELECT sequence, data FROM snapshots WHERE category = ? AND entity = ? AND form = ?",
                arguments: [entity.category, entity.id, form]
            ).map { row in
                EntitySnapshot(entity: entity, sequence: row[0], form: form, data: row.bytes(1))
            }
        }
    }

    /// See ``EventStore/save(_:)``.
    public func save(_ snapshot: EntitySnapshot) async throws {
        try await self.database.write { db in
            try db.execute(
                sql: """
                    INSERT INTO snapshots (category, entity, sequence, form, data) VALUES (?, ?, ?, ?, ?)
                    ON CONFLICT DO UPDATE SET sequence = excluded.sequence, form = excluded.form, data = excluded.data
                    WHERE form <> excluded.form OR sequence < excluded.sequence
                    """,
                arguments: [
                    snapshot.entity.category, snapshot.entity.id, snapshot.sequence, snapshot.form,
                    snapshot.data.blob,
                ]
            )
        }
    }
}

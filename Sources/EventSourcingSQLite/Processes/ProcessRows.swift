public import EventSourcing
public import EventStreaming
internal import Foundation
internal import GRDB

/// The tables of the instances of a process manager.
enum ProcessRows {
    static func createTables(_ db: Database) throws {
        try db.execute(
            sql: """
                CREATE TABLE instances (
                    id TEXT PRIMARY KEY,
                    status TEXT NOT NULL,
                    due INTEGER,
                    start INTEGER NOT NULL,
                    updated INTEGER NOT NULL,
                    problem TEXT,
                    data BLOB NOT NULL
                ) WITHOUT ROWID;
                CREATE INDEX instances_by_due ON instances (due) WHERE due IS NOT NULL;
                CREATE INDEX instances_by_status ON instances (status, updated);
                CREATE TABLE timeline (
                    position INTEGER PRIMARY KEY,
                    id TEXT NOT NULL,
                    transition INTEGER NOT NULL,
                    time INTEGER NOT NULL,
                    kind TEXT NOT NULL,
                    text TEXT NOT NULL,
                    causation TEXT
                );
                CREATE INDEX timeline_by_id ON timeline (id, position);
                """
        )
        try SQLiteInbox.createTable(db)
        try SQLiteOutbox.createTable(db)
    }

    static func instance<State>(_ db: Database, _ id: String) throws -> ProcessInstance<State>? {
        let statement = try db.cachedStatement(sql: "SELECT data FROM instances WHERE id = ?")
        guard let data = try Data.fetchOne(statement, arguments: [id]) else { return nil }
        return try JSONDecoder().decode(ProcessInstance<State>.self, from: data)
    }

    static func save<State>(_ db: Database, _ instance: ProcessInstance<State>) throws {
        let statement = try db.cachedStatement(
            sql: """
                INSERT INTO instances (id, status, due, start, updated, problem, data) VALUES (?, ?, ?, ?, ?, ?, ?)
                ON CONFLICT (id) DO UPDATE SET status = excluded.status, due = excluded.due,
                    updated = excluded.updated, problem = excluded.problem, data = excluded.data
                """
        )
        try statement.execute(arguments: [
            instance.id, instance.status.rawValue, instance.nextDeadline?.millisecondsSince1970,
            instance.startTime.millisecondsSince1970, instance.updateTime.millisecondsSince1970, instance.problem,
            try JSONEncoder().encode(instance),
        ])
    }

    static func add(_ db: Database, _ entries: [ProcessTimelineEntry], of id: String) throws {
        let statement = try db.cachedStatement(
            sql: "INSERT INTO timeline (id, transition, time, kind, text, causation) VALUES (?, ?, ?, ?, ?, ?)"
        )
        for entry in entries {
            try statement.execute(arguments: [
                id, entry.transition, entry.time.millisecondsSince1970, entry.kind.rawValue, entry.text,
                entry.causationID,
            ])
        }
    }

    static func timeline(_ db: Database, _ id: String) throws -> [ProcessTimelineEntry] {
        try Row.fetchAll(
            db,
            sql: "SELECT transition, time, kind, text, causation FROM timeline WHERE id = ? ORDER BY position",
            arguments: [id]
        ).map { row in
            ProcessTimelineEntry(
                transition: row[0],
                time: UTCTime(millisecondsSince1970: row[1]) ?? .now,
                kind: ProcessTimelineEntry.Kind(rawValue: row[2]) ?? .note,
                text: row[3],
                causationID: row[4]
            )
        }
    }

    static func nextDue(_ db: Database) throws -> Int64? {
        try Int64.fetchOne(db, sql: "SELECT min(due) FROM instances WHERE due IS NOT NULL")
    }

    static func due(_ db: Database, at time: Int64, limit: Int) throws -> [String] {
        try String.fetchAll(
            db,
            sql: "SELECT id FROM instances WHERE due IS NOT NULL AND due <= ? ORDER BY due LIMIT ?",
            arguments: [time, limit]
        )
    }

    static func summaries(_ db: Database, _ status: ProcessStatus?, limit: Int) throws -> [ProcessSummary] {
        try Row.fetchAll(
            db,
            sql: """
                SELECT id, status, start, updated, problem, due FROM instances
                WHERE ?1 IS NULL OR status = ?1 ORDER BY updated DESC LIMIT ?2
                """,
            arguments: [status?.rawValue, max(0, limit)]
        ).map { row in
            ProcessSummary(
                id: row[0],
                status: ProcessStatus(rawValue: row[1]) ?? .running,
                startTime: UTCTime(millisecondsSince1970: row[2]) ?? .now,
                updateTime: UTCTime(millisecondsSince1970: row[3]) ?? .now,
                problem: row[4],
                nextDeadline: (row[5] as Int64?).flatMap { UTCTime(millisecondsSince1970: $0) }
            )
        }
    }

    static func counts(_ db: Database) throws -> [ProcessStatus: Int] {
        let rows = try Row.fetchAll(db, sql: "SELECT status, count(*) FROM instances GROUP BY status")
        return Dictionary(
            rows.compactMap { row in ProcessStatus(rawValue: row[0]).map { ($0, row[1] as Int) } }
        ) { $0 + $1 }
    }

    static func deleteEnded(_ db: Database, before time: Int64) throws -> Int {
        let ended = "SELECT id FROM instances WHERE status IN ('completed', 'compensated') AND updated < ?"
        try db.execute(sql: "DELETE FROM timeline WHERE id IN (\(ended))", arguments: [time])
        try db.execute(
            sql: "DELETE FROM instances WHERE status IN ('completed', 'compensated') AND updated < ?",
            arguments: [time]
        )
        return db.changesCount
    }
}

/// An instance of a process manager in a list.
public struct ProcessSummary: Sendable, Hashable {
    /// Tells it from the others.
    public var id: String
    /// How it stands.
    public var status: ProcessStatus
    /// When it began.
    public var startTime: UTCTime
    /// When something last happened.
    public var updateTime: UTCTime
    /// Why it is compensating, or stuck.
    public var problem: String?
    /// When its next deadline passes.
    public var nextDeadline: UTCTime?
}

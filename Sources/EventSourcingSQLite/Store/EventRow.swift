internal import EventSourcing
internal import EventStreaming
internal import Foundation
internal import GRDB

/// The table of events.
enum EventRow {
    static func createTables(_ db: Database) throws {
        try db.execute(
            sql: """
                CREATE TABLE IF NOT EXISTS events (
                    position INTEGER PRIMARY KEY,
                    category TEXT NOT NULL,
                    entity TEXT NOT NULL,
                    sequence INTEGER NOT NULL,
                    source TEXT NOT NULL,
                    id TEXT NOT NULL,
                    type TEXT NOT NULL,
                    type_version INTEGER NOT NULL,
                    time INTEGER,
                    content_type TEXT,
                    correlation TEXT,
                    causation TEXT,
                    attributes TEXT,
                    data BLOB NOT NULL
                );
                CREATE UNIQUE INDEX IF NOT EXISTS events_by_entity ON events (category, entity, sequence);
                CREATE UNIQUE INDEX IF NOT EXISTS events_by_id ON events (id, source);
                CREATE TABLE IF NOT EXISTS snapshots (
                    category TEXT NOT NULL,
                    entity TEXT NOT NULL,
                    sequence INTEGER NOT NULL,
                    form INTEGER NOT NULL,
                    data BLOB NOT NULL,
                    PRIMARY KEY (category, entity)
                ) WITHOUT ROWID;
                """
        )
    }

    /// Adds an event.
    ///
    /// - Returns: its position: the next one, since there is one writer at a time, and nothing is ever deleted.
    static func insert(_ db: Database, _ event: EncodedEvent, _ entity: EntityID, _ sequence: Int64) throws -> Int64 {
        let metadata = event.metadata
        let statement = try db.cachedStatement(
            sql: """
                INSERT INTO events (category, entity, sequence, source, id, type, type_version, time, content_type,
                    correlation, causation, attributes, data)
                VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
                """
        )
        try statement.execute(arguments: [
            entity.category, entity.id, sequence, metadata.source, metadata.id, metadata.type, event.typeVersion,
            metadata.time?.millisecondsSince1970, metadata.contentType, metadata.correlationID, metadata.causationID,
            try Attributes(metadata)?.text, event.data.blob,
        ])
        return db.lastInsertedRowID
    }

    static func version(_ db: Database, _ entity: EntityID) throws -> Int64 {
        let statement = try db.cachedStatement(
            sql: "SELECT max(sequence) FROM events WHERE category = ? AND entity = ?"
        )
        return try Int64.fetchOne(statement, arguments: [entity.category, entity.id]) ?? 0
    }

    static func lastPosition(_ db: Database) throws -> Int64 {
        try Int64.fetchOne(try db.cachedStatement(sql: "SELECT max(position) FROM events")) ?? 0
    }

    static func event(_ db: Database, _ identity: EventIdentity) throws -> StoredEvent? {
        try self.fetch(db, "id = ? AND source = ?", [identity.id, identity.source]).first
    }

    static func fetch(_ db: Database, _ condition: String, _ arguments: StatementArguments) throws -> [StoredEvent] {
        let statement = try db.cachedStatement(
            sql: """
                SELECT position, category, entity, sequence, source, id, type, type_version, time, content_type,
                    correlation, causation, attributes, data
                FROM events WHERE \(condition)
                """
        )
        var events: [StoredEvent] = []
        let rows = try Row.fetchCursor(statement, arguments: arguments)
        while let row = try rows.next() { events.append(try self.event(row)) }
        return events
    }

    private static func event(_ row: Row) throws -> StoredEvent {
        var metadata = EventMetadata(
            id: row[5],
            source: row[4],
            type: row[6],
            time: (row[8] as Int64?).flatMap { UTCTime(millisecondsSince1970: $0) },
            contentType: row[9],
            correlationID: row[10],
            causationID: row[11]
        )
        if let text = row[12] as String? { try Attributes(text: text).apply(to: &metadata) }
        return StoredEvent(
            entity: EntityID(row[1], row[2]),
            sequence: row[3],
            position: row[0],
            event: EncodedEvent(metadata: metadata, typeVersion: row[7], data: row.bytes(13))
        )
    }

    /// What few events have of metadata.
    private struct Attributes: Codable {
        var subject: String?
        var dataSchema: String?
        var traceParent: String?
        var traceState: String?
        var extensions: [String: String]?

        /// `nil` when there is nothing.
        init?(_ metadata: EventMetadata) {
            self.subject = metadata.subject
            self.dataSchema = metadata.dataSchema
            self.traceParent = metadata.trace?.traceParent
            self.traceState = metadata.trace?.traceState
            self.extensions = metadata.extensions.isEmpty ? nil : metadata.extensions
            if self.subject == nil, self.dataSchema == nil, self.traceParent == nil, self.extensions == nil {
                return nil
            }
        }

        init(text: String) throws {
            self = try JSONDecoder().decode(Self.self, from: Data(text.utf8))
        }

        var text: String {
            get throws { String(decoding: try JSONEncoder().encode(self), as: UTF8.self) }
        }

        func apply(to metadata: inout EventMetadata) {
            metadata.subject = self.subject
            metadata.dataSchema = self.dataSchema
            metadata.trace = self.traceParent.map { TraceContext(traceParent: $0, traceState: self.traceState) }
            metadata.extensions = self.extensions ?? [:]
        }
    }
}

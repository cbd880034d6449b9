internal import EventSourcing
internal import EventStreaming
internal import GRDB

/// A projection, as the catalogue of a folder of read models has it.
public struct CataloguedProjection: Sendable, Hashable {
    /// Its name.
    public var name: String
    /// The versions that there are, in order.
    public var versions: [Int]
    /// The version that answers queries.
    public var live: Int
    /// The version that did before the last promotion; `nil` when there was none, or it was dropped.
    public var previous: Int?
}

/// Says which versions there are, and which are live: a file of its own, so that a promotion is one row that changes.
final class Catalogue: Sendable {
    /// A version on its way to be the live one.
    struct Promotion {
        var id: String
        var from: Int
        var to: Int
    }

    let database: EventDatabase

    init(path: String) throws {
        self.database = try EventDatabase(path: path)
        try self.database.writeBlocking { db in
            try db.execute(
                sql: """
                    CREATE TABLE IF NOT EXISTS projections (
                        name TEXT PRIMARY KEY,
                        live INTEGER NOT NULL,
                        previous INTEGER,
                        promoting INTEGER,
                        promotion TEXT
                    ) WITHOUT ROWID;
                    CREATE TABLE IF NOT EXISTS versions (
                        name TEXT NOT NULL,
                        version INTEGER NOT NULL,
                        dropped INTEGER NOT NULL DEFAULT 0,
                        PRIMARY KEY (name, version)
                    ) WITHOUT ROWID;
                    """
            )
        }
    }

    /// Adds a version. The first one of a projection is live.
    ///
    /// - Returns: whether it is live.
    func add(_ name: String, _ version: Int) async throws -> Bool {
        try await self.database.write { db in
            try db.execute(
                sql: "INSERT OR IGNORE INTO versions (name, version) VALUES (?, ?)",
                arguments: [name, version]
            )
            try db.execute(
                sql: "INSERT OR IGNORE INTO projections (name, live) VALUES (?, ?)",
                arguments: [name, version]
            )
            return try Int.fetchOne(db, sql: "SELECT live FROM projections WHERE name = ?", arguments: [name])
                == version
        }
    }

    func live(_ name: String) async throws -> Int {
        let live = try await self.database.read { db in
            try Int.fetchOne(db, sql: "SELECT live FROM projections WHERE name = ?", arguments: [name])
        }
        guard let live else { throw ProjectionError(.unknownVersion, "there is no projection \(name) yet") }
        return live
    }

    func projection(_ name: String) async throws -> CataloguedProjection? {
        try await self.projections().first { $0.name == name }
    }

    func projections() async throws -> [CataloguedProjection] {
        try await self.database.read { db in
            let versions = try Row.fetchAll(
                db,
                sql: "SELECT name, version FROM versions WHERE NOT dropped ORDER BY name, version"
            )
            let byName = Dictionary(grouping: versions) { $0[0] as String }
            return try Row.fetchAll(db, sql: "SELECT name, live, previous FROM projections ORDER BY name").map { row in
                let name = row[0] as String
                return CataloguedProjection(
                    name: name,
                    versions: (byName[name] ?? []).map { $0[1] },
                    live: row[1],
                    previous: row[2]
                )
            }
        }
    }

    /// Notes that a version is to be live, or finds that this was begun.
    ///
    /// - Returns: `nil` when it is live already.
    /// - Throws: ``ProjectionError`` with the code `configuration` when another one is on its way.
    func beginPromotion(_ name: String, to version: Int) async throws -> Promotion? {
        try await self.database.write { db in
            guard
                let row = try Row.fetchOne(
                    db,
                    sql: "SELECT live, promoting, promotion FROM projections WHERE name = ?",
                    arguments: [name]
                )
            else { throw ProjectionError(.unknownVersion, "there is no projection \(name)") }
            let live = row[0] as Int
            if let promoting = row[1] as Int?, let id = row[2] as String? {
                guard promoting == version else {
                    throw ProjectionError(
                        .configuration,
                        "the promotion of \(name) to version \(promoting) was not carried to its end: do that first"
                    )
                }
                return Promotion(id: id, from: live, to: version)
            }
            if live == version { return nil }
            let isThere = try Bool.fetchOne(
                db,
                sql: "SELECT NOT dropped FROM versions WHERE name = ? AND version = ?",
                arguments: [name, version]
            )
            // Somebody may have dropped it since it was looked for.
            guard isThere == true else {
                throw ProjectionError(.unknownVersion, "\(name) has no version \(version) any more")
            }
            let id = EventID.next()
            try db.execute(
                sql: "UPDATE projections SET promoting = ?, promotion = ? WHERE name = ?",
                arguments: [version, id, name]
            )
            return Promotion(id: id, from: live, to: version)
        }
    }

    /// Makes a version live. Where somebody else has carried its promotion to the end already, nothing is left to do.
    func endPromotion(_ name: String, _ promotion: Promotion) async throws {
        try await self.database.write { db in
            try db.execute(
                sql: """
                    UPDATE projections SET live = ?, previous = ?, promoting = NULL, promotion = NULL
                    WHERE name = ? AND promotion = ?
                    """,
                arguments: [promotion.to, promotion.from, name, promotion.id]
            )
        }
    }

    /// The version that is on its way to be the live one.
    func promoting(_ name: String) async throws -> Int? {
        try await self.database.read { db in
            try Int.fetchOne(db, sql: "SELECT promoting FROM projections WHERE name = ?", arguments: [name])
        }
    }

    /// - Throws: ``ProjectionError`` with the code `configuration` for a version that was dropped.
    func checkIsNotDropped(_ name: String, _ version: Int) async throws {
        let isDropped = try await self.database.read { db in
            try Bool.fetchOne(
                db,
                sql: "SELECT dropped FROM versions WHERE name = ? AND version = ?",
                arguments: [name, version]
            )
        }
        if isDropped == true {
            throw ProjectionError(.configuration, "version \(version) of \(name) was dropped: use another number")
        }
    }

    /// Removes a version.
    ///
    /// - Throws: ``ProjectionError`` with the code `configuration` when it is live, or about to be.
    func remove(_ name: String, _ version: Int) async throws {
        try await self.database.write { db in
            let isNeeded = try Bool.fetchOne(
                db,
                sql: "SELECT live = ? OR promoting = ? FROM projections WHERE name = ?",
                arguments: [version, version, name]
            )
            if isNeeded == true {
                throw ProjectionError(
                    .configuration,
                    "version \(version) of \(name) is live: promote another one first"
                )
            }
            // Others may have its file open: the number is not used again.
            try db.execute(
                sql: "UPDATE versions SET dropped = 1 WHERE name = ? AND version = ?",
                arguments: [name, version]
            )
            try db.execute(
                sql: "UPDATE projections SET previous = NULL WHERE name = ? AND previous = ?",
                arguments: [name, version]
            )
        }
    }
}

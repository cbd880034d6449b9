public import Crypto
public import CryptoShredding
internal import Foundation
internal import GRDB
internal import Synchronization

/// Keeps the keys of subjects in a SQLite file of its own: whoever can read it can read what is about them, so it has other backups
/// than the rest, and they end.
///
/// Keys that were used lately are in memory. Several processes may use the file: one that forgets a subject is heard of by the others
/// with their next use of a key.
public final class SQLiteSubjectKeys: SubjectKeyStore {
    private struct Cache {
        /// By the bytes of the names, since SQLite compares those.
        var keys: [Data: SymmetricKey] = [:]
        /// SQLite's count of changes by others, when the keys were read.
        var version = 0
    }

    private let database: DatabaseQueue
    private let cache = Mutex(Cache())
    private let maxCached: Int

    /// Opens a file, and makes it where there is none.
    ///
    /// - Parameters:
    ///   - path: the path of the file.
    ///   - maxCached: how many keys are in memory at most.
    /// - Throws: `DatabaseError`.
    public init(path: String, maxCached: Int = 10_000) throws {
        var configuration = Configuration()
        configuration.busyMode = .timeout(10)
        configuration.prepareDatabase { db in
            // What is deleted is overwritten, in the file and not only in its lists. A commit outlasts a loss of power, the
            // removal of the journal included.
            try db.execute(sql: "PRAGMA secure_delete = ON; PRAGMA journal_mode = DELETE; PRAGMA synchronous = EXTRA")
        }
        self.maxCached = max(0, maxCached)
        self.database = try DatabaseQueue(path: path, configuration: configuration)
        try self.database.write { db in
            try db.execute(
                sql: "CREATE TABLE IF NOT EXISTS keys (subject BLOB PRIMARY KEY, key BLOB) WITHOUT ROWID"
            )
        }
    }

    /// See ``SubjectKeyStore/makeKey(of:)``.
    public func makeKey(of subject: String) throws -> SymmetricKey {
        if let key = try self.key(of: subject) { return key }
        let data = try self.database.write { db in
            let new = SymmetricKey(size: .bits256).withUnsafeBytes { Data($0) }
            // Somebody else may have made one.
            try db.execute(
                sql: "INSERT OR IGNORE INTO keys (subject, key) VALUES (?, ?)",
                arguments: [Data(subject.utf8), new]
            )
            return try Self.fetch(subject, db)
        }
        // The row is there.
        guard let data else { throw SubjectForgotten() }
        return SymmetricKey(data: data)
    }

    /// See ``SubjectKeyStore/key(of:)``.
    public func key(of subject: String) throws -> SymmetricKey? {
        try self.database.read { db in
            let version = try Int.fetchOne(try db.cachedStatement(sql: "PRAGMA data_version")) ?? 0
            let known = self.cache.withLock { cache -> SymmetricKey? in
                if cache.version != version { cache = Cache(version: version) }
                return cache.keys[Data(subject.utf8)]
            }
            if let known { return known }
            guard let data = try Self.fetch(subject, db) else { return nil }
            let key = SymmetricKey(data: data)
            self.cache.withLock { cache in
                if cache.keys.count >= self.maxCached { cache.keys.removeAll(keepingCapacity: true) }
                if self.maxCached > 0 { cache.keys[Data(subject.utf8)] = key }
            }
            return key
        }
    }

    /// See ``SubjectKeyStore/forget(_:)``.
    public func forget(_ subject: String) throws {
        try self.database.write { db in
            // The row stays, without a key, so that none is made again.
            try db.execute(
                sql: "INSERT INTO keys (subject, key) VALUES (?, NULL) ON CONFLICT (subject) DO UPDATE SET key = NULL",
                arguments: [Data(subject.utf8)]
            )
        }
        self.cache.withLock { _ = $0.keys.removeValue(forKey: Data(subject.utf8)) }
    }

    /// - Returns: `nil` where there is none.
    /// - Throws: `SubjectForgotten` where it was deleted.
    private static func fetch(_ subject: String, _ db: Database) throws -> Data? {
        let statement = try db.cachedStatement(sql: "SELECT key FROM keys WHERE subject = ?")
        guard let row = try Row.fetchOne(statement, arguments: [Data(subject.utf8)]) else { return nil }
        guard let data = row[0] as Data? else { throw SubjectForgotten() }
        return data
    }
}

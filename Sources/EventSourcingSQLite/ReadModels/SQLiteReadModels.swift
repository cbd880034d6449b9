internal import EventSourcing
internal import EventStreaming
internal import Foundation
public import GRDB
internal import KafkaClient
internal import Synchronization

/// A folder of read models: a file for each version of each projection, and a catalogue that says which of them are live.
///
/// ```swift
/// let readModels = try SQLiteReadModels(folder: "read-models")
/// let storage = try await readModels.storage(of: "orders", version: 2) { db in
///     try db.create(table: "orders") { table in ... }
/// }
/// try await Projector(orders, storage: storage, configuration: configuration).run()
/// // ... and whoever asks:
/// let count = try await readModels["orders"].read { db in try Int.fetchOne(db, sql: "SELECT count(*) FROM orders") }
/// ```
///
/// The first version of a projection is live at once. A later one is built beside it, in a file of its own, so that neither waits
/// for the other; compare the two (``compare(_:old:new:samples:)``), then ``promote(_:to:maxLag:timeout:)`` it. Several processes may have
/// the same folder open.
public final class SQLiteReadModels: Sendable {
    /// How the files are opened unless it is said otherwise: what is in them can be made again from the topics.
    public static var defaultConfiguration: EventDatabase.Configuration {
        var configuration = EventDatabase.Configuration()
        configuration.durability = .normal
        return configuration
    }

    private let files: VersionFiles
    private let catalogue: Catalogue
    private let models = Mutex<[String: SQLiteReadModel]>([:])

    /// Opens a folder, and makes it where there is none.
    ///
    /// - Throws: `DatabaseError`, `CocoaError`.
    public init(
        folder: String,
        configuration: EventDatabase.Configuration = SQLiteReadModels.defaultConfiguration
    ) throws {
        let folder = URL(filePath: folder, directoryHint: .isDirectory)
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        self.files = VersionFiles(folder: folder, configuration: configuration)
        self.catalogue = try Catalogue(path: folder.appending(path: "catalogue.sqlite").path)
    }

    // MARK: Versions

    /// The storage of a version of a projection, which is made where there is none.
    ///
    /// - Parameters:
    ///   - projection: its name: letters, digits, dashes, lines and dots.
    ///   - version: from 1 on.
    ///   - setUp: makes the tables, once.
    /// - Throws: ``ProjectionError`` with the code `configuration` for a name that is none; `DatabaseError`; what `setUp` throws.
    public func storage(
        of projection: String,
        version: Int,
        setUp: @escaping @Sendable (Database) throws -> Void
    ) async throws -> SQLiteProjectionStorage {
        guard PositionToken.canName(store: projection), version > 0 else {
            throw ProjectionError(
                .configuration,
                "\"\(projection)\", version \(version): a name has letters, digits, dots, dashes and lines, "
                    + "and versions begin with 1"
            )
        }
        try await self.catalogue.checkIsNotDropped(projection, version)
        let database = try self.files.open(projection, version)
        let storage = SQLiteProjectionStorage(database, projection: projection, version: version)
        // First the tables: what is in the catalogue can be read.
        try await database.write { db in
            guard try !PartitionRow.exists(db) else { return }
            try PartitionRow.createTables(db, isLive: false)
            try setUp(db)
        }
        if try await self.catalogue.add(projection, version) {
            try await database.write { db in try PartitionRow.beginAllEffects(db) }
        }
        return storage
    }

    /// What there is of projections, by name.
    public func catalogued() async throws -> [CataloguedProjection] {
        try await self.catalogue.projections()
    }

    /// The read model of a projection: whatever version is live.
    public subscript(projection: String) -> SQLiteReadModel {
        self.models.withLock { models in
            if let model = models[projection] { return model }
            let model = SQLiteReadModel(projection, catalogue: self.catalogue, files: self.files)
            models[projection] = model
            return model
        }
    }

    private func openExisting(_ projection: String, _ version: Int) async throws -> EventDatabase {
        let versions = try await self.catalogue.projection(projection)?.versions ?? []
        guard versions.contains(version) else {
            throw ProjectionError(.unknownVersion, "\(projection) has no version \(version): it has \(versions)")
        }
        return try self.files.open(projection, version)
    }

    // MARK: Promotion

    /// Makes a version the live one: from then on it answers queries, and side effects are its own.
    ///
    /// Queries are answered all the time, before by the old version, then by the new one. Of each record the side effects are
    /// those of one of the two: the old version, which has to go on running, does them up to where the further of the two had
    /// come, the new one from there on. When the process dies in the middle, promote again: it is carried to its end.
    ///
    /// - Parameters:
    ///   - projection: its name.
    ///   - version: the version.
    ///   - maxLag: how many records, of all partitions together, it may be behind the live one. Default: 1,000.
    ///   - timeout: how long it is waited for to come as far.
    /// - Throws: ``ProjectionError`` with the code `unknownVersion`, or `notCaughtUp`; `DatabaseError`.
    public func promote(
        _ projection: String,
        to version: Int,
        maxLag: Int64 = 1_000,
        timeout: Duration = .seconds(30)
    ) async throws {
        let new = try await self.openExisting(projection, version)
        guard let known = try await self.catalogue.projection(projection), known.live != version else { return }
        let old = try await self.openExisting(projection, known.live)
        // One that was begun, and not carried to its end, had come far enough.
        if try await self.catalogue.promoting(projection) != version {
            try await self.waitUntilCaughtUp(new, old, maxLag: maxLag, timeout: timeout)
        }
        guard let promotion = try await self.catalogue.beginPromotion(projection, to: version) else { return }
        // From here on each step may be done again, also by several at a time.
        let reached = try await new.write { db in
            // It stands still for as long as it takes to find where one ends and the other begins.
            try PartitionRow.hold(db, promotion: promotion.id)
            return try PartitionRow.positions(db)
        }
        let boundaries = try await old.write { db in
            try PartitionRow.endEffects(db, at: reached, promotion: promotion.id)
        }
        try await new.write { db in try PartitionRow.beginEffects(db, at: boundaries, promotion: promotion.id) }
        try await self.catalogue.endPromotion(projection, promotion)
    }

    private func waitUntilCaughtUp(
        _ new: EventDatabase,
        _ old: EventDatabase,
        maxLag: Int64,
        timeout: Duration
    ) async throws {
        let deadline = ContinuousClock.now + min(timeout, .seconds(1_000_000_000))
        while true {
            let count = new.changeCount
            let positions = try await old.read { db in try PartitionRow.positions(db) }
            let problem = try await new.read { db -> String? in
                // What it was to see to before it was replaced.
                if try PartitionRow.hasEffectsLeft(db) {
                    return "it has not come as far as where it was replaced: run it on until then"
                }
                let reached = try PartitionRow.positions(db)
                let lag = positions.reduce(Int64(0)) { $0 + max(0, $1.value - (reached[$1.key] ?? 0)) }
                return lag > maxLag ? "it is \(lag) records behind the live one, and \(maxLag) are allowed" : nil
            }
            guard let problem else { return }
            let hasChanged = try await withDeadline(deadline) {
                try await new.waitForChange(past: count)
                return true
            }
            guard hasChanged == true else { throw ProjectionError(.notCaughtUp, problem) }
        }
    }

    /// Makes the version live again that was so before the last promotion.
    ///
    /// - Parameters:
    ///   - projection: its name.
    ///   - timeout: how long it is waited for to come as far as where it was replaced.
    /// - Returns: which version that is.
    /// - Throws: ``ProjectionError`` with the code `unknownVersion` when there is none any more; as
    ///   ``promote(_:to:maxLag:timeout:)``.
    @discardableResult
    public func rollBack(_ projection: String, timeout: Duration = .seconds(30)) async throws -> Int {
        guard let previous = try await self.catalogue.projection(projection)?.previous else {
            throw ProjectionError(.unknownVersion, "\(projection) has no version that was live before")
        }
        try await self.promote(projection, to: previous, maxLag: .max, timeout: timeout)
        return previous
    }

    /// Removes a version that is not live, with its file. Its number can't be used again.
    ///
    /// - Parameters:
    ///   - projection: its name.
    ///   - version: the version.
    ///   - isForced: whether side effects are given up that it has left from when it was live.
    /// - Throws: ``ProjectionError`` with the code `configuration` for the live version, `notCaughtUp` for one that has side effects
    ///   left, and `unknownVersion`.
    public func drop(_ projection: String, version: Int, isForced: Bool = false) async throws {
        let file = try await self.openExisting(projection, version)
        if !isForced, try await file.read({ db in try PartitionRow.hasEffectsLeft(db) }) {
            throw ProjectionError(
                .notCaughtUp,
                "version \(version) of \(projection) has side effects left to see to: run it on, or force the drop"
            )
        }
        try await self.catalogue.remove(projection, version)
        self.files.remove(projection, version)
    }

    /// Tells in which rows two versions differ.
    ///
    /// - Parameters:
    ///   - projection: its name.
    ///   - old: a version.
    ///   - new: another one.
    ///   - samples: how many rows of each kind of difference are shown at most.
    /// - Throws: ``ProjectionError`` with the code `unknownVersion`; `DatabaseError`.
    public func compare(
        _ projection: String,
        old: Int,
        new: Int,
        samples: Int = 5
    ) async throws -> ProjectionDifference {
        for version in [old, new] { _ = try await self.openExisting(projection, version) }
        return try await ProjectionDifference.between(
            self.files.path(projection, old),
            self.files.path(projection, new),
            samples: samples
        )
    }
}

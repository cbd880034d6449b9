public import EventSourcing
internal import EventStreaming
public import GRDB
public import KafkaClient

/// The file of one version of a projection (``SQLiteReadModels/storage(of:version:setUp:)``).
///
/// Tables whose names begin with `kstream_` are its own: how far it has come, who may write, what was passed over.
public final class SQLiteProjectionStorage: ProjectionStorage {
    /// The name of the projection.
    public let projection: String
    /// Which version of it.
    public let version: Int
    /// The file.
    public let database: EventDatabase

    init(_ database: EventDatabase, projection: String, version: Int) {
        self.database = database
        self.projection = projection
        self.version = version
    }

    /// One in memory, which is live: for tests of projections.
    ///
    /// - Parameter setUp: makes the tables of the projection.
    public convenience init(
        inMemory projection: String,
        version: Int = 1,
        setUp: (Database) throws -> Void
    ) throws {
        self.init(try EventDatabase(), projection: projection, version: version)
        try self.setUp(isLive: true, setUp)
    }

    /// Makes the tables where there are none: all of them or none.
    func setUp(isLive: Bool, _ setUp: (Database) throws -> Void) throws {
        try self.database.writeBlocking { db in
            guard try !PartitionRow.exists(db) else { return }
            try PartitionRow.createTables(db, isLive: isLive)
            try setUp(db)
        }
    }

    /// See ``ProjectionStorage/claim(_:owner:)``.
    public func claim(
        _ partitions: Set<KafkaTopicPartition>,
        owner: String
    ) async throws -> [KafkaTopicPartition: ProjectionClaim] {
        try await self.database.write { db in
            var claims: [KafkaTopicPartition: ProjectionClaim] = [:]
            for partition in partitions { claims[partition] = try PartitionRow.claim(db, partition, owner: owner) }
            return claims
        }
    }

    /// See ``ProjectionStorage/write(epochs:_:)``.
    public func write<R: Sendable>(
        epochs: [KafkaTopicPartition: Int64],
        _ body: @escaping @Sendable (Database, inout ProjectionPositions) throws -> R
    ) async throws -> R {
        do {
            return try await self.database.write { db in
                if try PartitionRow.isHeld(db) {
                    throw ProjectionError(.held, "version \(self.version) of \(self.projection) is being promoted")
                }
                var places: [KafkaTopicPartition: ProjectionPositions.Place] = [:]
                var fenced: Set<KafkaTopicPartition> = []
                for (partition, epoch) in epochs {
                    guard let (current, place) = try PartitionRow.place(db, partition), current == epoch else {
                        fenced.insert(partition)
                        continue
                    }
                    places[partition] = place
                }
                guard fenced.isEmpty else {
                    throw ProjectionError(.fenced, "somebody else has claimed \(fenced.sorted())", partitions: fenced)
                }
                var positions = ProjectionPositions(places)
                let result = try body(db, &positions)
                for partition in positions.moved {
                    try PartitionRow.setPosition(db, partition, positions.places[partition]?.position ?? 0)
                }
                return result
            }
        } catch let error as ProjectionError where error.code == .fenced {
            try await self.database.write { db in try PartitionRow.countRefusal(db, error.partitions) }
            throw error
        }
    }

    /// See ``ProjectionStorage/attempt(in:_:)``.
    public func attempt(in transaction: Database, _ body: () throws -> Void) throws {
        try transaction.inSavepoint {
            try body()
            return .commit
        }
    }

    /// See ``ProjectionStorage/skip(_:in:)``.
    public func skip(_ record: ProjectionSkip, in transaction: Database) throws {
        try transaction.execute(
            sql:
                "INSERT OR REPLACE INTO kstream_skipped (topic, partition, offset, error, time) VALUES (?, ?, ?, ?, ?)",
            arguments: [
                record.partition.topic, record.partition.partition, record.offset, record.error,
                UTCTime.now.millisecondsSince1970,
            ]
        )
    }

    /// See ``ProjectionStorage/positions()``.
    public func positions() async throws -> [KafkaTopicPartition: Int64] {
        try await self.database.read { db in try PartitionRow.positions(db) }
    }

    /// How many writes were refused, per partition, since their writer had lost it.
    public func refusals() async throws -> [KafkaTopicPartition: Int64] {
        try await self.database.read { db in try PartitionRow.refusals(db) }
    }

    /// What was passed over since it could not be handled.
    public func skipped() async throws -> [ProjectionSkip] {
        try await self.database.read { db in
            try Row.fetchAll(
                db,
                sql: "SELECT topic, partition, offset, error FROM kstream_skipped ORDER BY topic, partition, offset"
            ).map { row in
                ProjectionSkip(
                    partition: KafkaTopicPartition(topic: row[0], partition: row[1]),
                    offset: row[2],
                    error: row[3]
                )
            }
        }
    }

    /// See ``ProjectionStorage/changeCount``.
    public var changeCount: UInt64 { self.database.changeCount }

    /// See ``ProjectionStorage/waitForChange(past:)``.
    public func waitForChange(past count: UInt64) async throws {
        try await self.database.waitForChange(past: count)
    }
}

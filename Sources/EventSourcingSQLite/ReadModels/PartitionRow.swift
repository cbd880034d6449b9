internal import EventSourcing
internal import GRDB
internal import KafkaClient

/// The table that says, for each partition, how far a version has come, who may write, and which side effects are its own.
enum PartitionRow {
    /// Tables whose names begin so are not the projection's.
    static let prefix = "kstream_"

    static func createTables(_ db: Database, isLive: Bool) throws {
        try db.execute(
            sql: """
                CREATE TABLE kstream_version (
                    held INTEGER NOT NULL DEFAULT 0,
                    effects_from INTEGER NOT NULL,
                    effects_until INTEGER NOT NULL,
                    promotion TEXT
                );
                CREATE TABLE kstream_partitions (
                    topic TEXT NOT NULL,
                    partition INTEGER NOT NULL,
                    position INTEGER,
                    epoch INTEGER NOT NULL DEFAULT 0,
                    owner TEXT NOT NULL DEFAULT '',
                    refused INTEGER NOT NULL DEFAULT 0,
                    effects_from INTEGER NOT NULL,
                    effects_until INTEGER NOT NULL,
                    PRIMARY KEY (topic, partition)
                ) WITHOUT ROWID;
                CREATE TABLE kstream_skipped (
                    topic TEXT NOT NULL,
                    partition INTEGER NOT NULL,
                    offset INTEGER NOT NULL,
                    error TEXT NOT NULL,
                    time INTEGER NOT NULL,
                    PRIMARY KEY (topic, partition, offset)
                ) WITHOUT ROWID;
                """
        )
        // Of a version that is live from the beginning all side effects, of one that is built beside another none.
        try db.execute(
            sql: "INSERT INTO kstream_version (effects_from, effects_until) VALUES (?, ?)",
            arguments: [isLive ? 0 : Int64.max, Int64.max]
        )
    }

    static func exists(_ db: Database) throws -> Bool { try db.tableExists("kstream_version") }

    /// Makes the row of a partition where there is none.
    static func ensure(_ db: Database, _ partition: KafkaTopicPartition) throws {
        try db.execute(
            sql: """
                INSERT OR IGNORE INTO kstream_partitions (topic, partition, effects_from, effects_until)
                SELECT ?, ?, effects_from, effects_until FROM kstream_version
                """,
            arguments: [partition.topic, partition.partition]
        )
    }

    static func claim(_ db: Database, _ partition: KafkaTopicPartition, owner: String) throws -> ProjectionClaim {
        try self.ensure(db, partition)
        try db.execute(
            sql: "UPDATE kstream_partitions SET epoch = epoch + 1, owner = ? WHERE topic = ? AND partition = ?",
            arguments: [owner, partition.topic, partition.partition]
        )
        let row = try Row.fetchOne(
            db,
            sql: "SELECT epoch, position FROM kstream_partitions WHERE topic = ? AND partition = ?",
            arguments: [partition.topic, partition.partition]
        )
        return ProjectionClaim(epoch: row?[0] ?? 0, position: row?[1])
    }

    static func isHeld(_ db: Database) throws -> Bool {
        try Bool.fetchOne(try db.cachedStatement(sql: "SELECT held FROM kstream_version")) ?? false
    }

    /// The place of a partition, and who may write for it.
    static func place(
        _ db: Database,
        _ partition: KafkaTopicPartition
    ) throws -> (epoch: Int64, place: ProjectionPositions.Place)? {
        let statement = try db.cachedStatement(
            sql: """
                SELECT epoch, position, effects_from, effects_until FROM kstream_partitions
                WHERE topic = ? AND partition = ?
                """
        )
        return try Row.fetchOne(statement, arguments: [partition.topic, partition.partition]).map { row in
            let start = row[2] as Int64
            return (
                row[0],
                ProjectionPositions.Place(position: row[1] ?? 0, effects: start..<max(start, row[3] as Int64))
            )
        }
    }

    static func setPosition(_ db: Database, _ partition: KafkaTopicPartition, _ position: Int64) throws {
        let statement = try db.cachedStatement(
            sql: "UPDATE kstream_partitions SET position = ? WHERE topic = ? AND partition = ?"
        )
        try statement.execute(arguments: [position, partition.topic, partition.partition])
    }

    static func countRefusal(_ db: Database, _ partitions: Set<KafkaTopicPartition>) throws {
        for partition in partitions {
            try db.execute(
                sql: "UPDATE kstream_partitions SET refused = refused + 1 WHERE topic = ? AND partition = ?",
                arguments: [partition.topic, partition.partition]
            )
        }
    }

    static func positions(_ db: Database) throws -> [KafkaTopicPartition: Int64] {
        try self.values(db, "position")
    }

    static func refusals(_ db: Database) throws -> [KafkaTopicPartition: Int64] {
        try self.values(db, "refused")
    }

    private static func values(_ db: Database, _ column: String) throws -> [KafkaTopicPartition: Int64] {
        let rows = try Row.fetchAll(
            db,
            sql: "SELECT topic, partition, \(column) FROM kstream_partitions WHERE \(column) IS NOT NULL"
        )
        return Dictionary(
            uniqueKeysWithValues: rows.map { row in
                (KafkaTopicPartition(topic: row[0], partition: row[1]), row[2] as Int64)
            }
        )
    }

    // MARK: Promotion

    /// Whether a version that was replaced has side effects left to see to.
    static func hasEffectsLeft(_ db: Database) throws -> Bool {
        try Bool.fetchOne(
            db,
            sql: """
                SELECT EXISTS (SELECT 1 FROM kstream_partitions
                    WHERE effects_until < ? AND effects_from < effects_until AND coalesce(position, 0) < effects_until)
                """,
            arguments: [Int64.max]
        ) ?? false
    }

    /// Has a version stand still, unless it is live by this promotion already.
    static func hold(_ db: Database, promotion: String) throws {
        try db.execute(
            sql: "UPDATE kstream_version SET held = 1 WHERE promotion IS NOT ?",
            arguments: [promotion]
        )
    }

    /// All side effects are those of a version that is live from the beginning.
    static func beginAllEffects(_ db: Database) throws {
        try db.execute(
            sql: "UPDATE kstream_version SET effects_from = 0 WHERE promotion IS NULL AND effects_from > 0"
        )
        if db.changesCount > 0 { try db.execute(sql: "UPDATE kstream_partitions SET effects_from = 0") }
    }

    /// The end of the side effects of a version that is replaced; what a promotion has set stays when it is done again.
    ///
    /// - Parameter positions: the least ends.
    static func endEffects(
        _ db: Database,
        at positions: [KafkaTopicPartition: Int64],
        promotion: String
    ) throws -> [KafkaTopicPartition: Int64] {
        if try String.fetchOne(db, sql: "SELECT promotion FROM kstream_version") == promotion {
            return try self.values(db, "effects_until")
        }
        // Partitions that nothing was read of yet are the other version's from their beginning.
        let own = try self.values(db, "coalesce(position, 0)")
        let ends = own.merging(positions) { max($0, $1) }
        for (partition, end) in ends {
            try self.ensure(db, partition)
            try db.execute(
                sql: "UPDATE kstream_partitions SET effects_until = ? WHERE topic = ? AND partition = ?",
                arguments: [end, partition.topic, partition.partition]
            )
        }
        try db.execute(sql: "UPDATE kstream_version SET effects_until = 0, promotion = ?", arguments: [promotion])
        return ends
    }

    /// The beginning of the side effects of a version that becomes live, which may write again.
    static func beginEffects(_ db: Database, at positions: [KafkaTopicPartition: Int64], promotion: String) throws {
        if try String.fetchOne(db, sql: "SELECT promotion FROM kstream_version") == promotion { return }
        try db.execute(
            sql: "UPDATE kstream_version SET held = 0, effects_from = 0, effects_until = ?, promotion = ?",
            arguments: [Int64.max, promotion]
        )
        try db.execute(
            sql: "UPDATE kstream_partitions SET effects_from = 0, effects_until = ?",
            arguments: [Int64.max]
        )
        for (partition, start) in positions {
            try self.ensure(db, partition)
            try db.execute(
                sql: "UPDATE kstream_partitions SET effects_from = ? WHERE topic = ? AND partition = ?",
                arguments: [start, partition.topic, partition.partition]
            )
        }
    }
}

internal import GRDB
public import KafkaClient

/// In what two versions of a projection differ (``SQLiteReadModels/compare(_:old:new:samples:)``).
public struct ProjectionDifference: Sendable, Hashable, CustomStringConvertible {
    /// A table that both versions have.
    public struct Table: Sendable, Hashable {
        /// Its name.
        public var name: String
        /// How many rows it has in the old version.
        public var oldCount: Int
        /// How many rows it has in the new version.
        public var newCount: Int
        /// How many rows only the old version has. Without a primary key, a row that has changed is one of these and one of those.
        public var onlyOld: Int
        /// How many rows only the new version has.
        public var onlyNew: Int
        /// How many rows have the same primary key and other values.
        public var changed: Int
        /// Columns that one of them does not have, and which are not compared.
        public var otherColumns: [String]
        /// Some of the rows that differ, each with the version that it is of.
        public var samples: [String]

        /// Whether the rows are the same.
        public var isEqual: Bool {
            // A row that is there twice is no other row, but one more.
            self.oldCount == self.newCount && self.onlyOld == 0 && self.onlyNew == 0 && self.changed == 0
        }
    }

    /// The tables that both have, by name.
    public var tables: [Table] = []
    /// The tables that only the old version has.
    public var oldTables: [String] = []
    /// The tables that only the new version has.
    public var newTables: [String] = []
    /// Partitions in which the two have not come equally far: their rows may differ for that alone.
    public var apart: [KafkaTopicPartition: (old: Int64, new: Int64)] {
        self.places.mapValues { ($0.old, $0.new) }
    }
    private var places: [KafkaTopicPartition: Place] = [:]

    private struct Place: Hashable {
        var old: Int64
        var new: Int64
    }

    /// Whether all tables and rows are the same.
    public var isEqual: Bool {
        self.oldTables.isEmpty && self.newTables.isEmpty
            && self.tables.allSatisfy { $0.isEqual && $0.otherColumns.isEmpty }
    }

    /// A line for each table, and one for each row that is shown.
    public var description: String {
        var lines = self.oldTables.map { "\($0): only in the old version" }
        lines += self.newTables.map { "\($0): only in the new version" }
        for table in self.tables {
            if table.isEqual {
                lines.append("\(table.name): \(table.newCount) rows, equal")
            } else {
                lines.append(
                    "\(table.name): \(table.oldCount) rows became \(table.newCount); \(table.onlyOld) are gone, "
                        + "\(table.onlyNew) are new, \(table.changed) have changed"
                )
            }
            if !table.otherColumns.isEmpty {
                lines.append("  not compared: \(table.otherColumns.joined(separator: ", "))")
            }
            lines += table.samples.map { "  \($0)" }
        }
        for (partition, place) in self.places.sorted(by: { $0.key < $1.key }) {
            lines.append("\(partition): the old version is at \(place.old), the new one at \(place.new)")
        }
        return lines.joined(separator: "\n")
    }

    // MARK: Comparing

    static func between(_ old: String, _ new: String, samples: Int) async throws -> ProjectionDifference {
        let queue = try DatabaseQueue()
        try await queue.writeWithoutTransaction { db in
            try db.execute(sql: "ATTACH ? AS old; ATTACH ? AS new", arguments: [old, new])
        }
        // One transaction: each file as it is at one moment.
        return try await queue.read { db in
            var difference = ProjectionDifference()
            let (oldTables, newTables) = (try Self.tables(db, "old"), try Self.tables(db, "new"))
            difference.oldTables = oldTables.subtracting(newTables).sorted()
            difference.newTables = newTables.subtracting(oldTables).sorted()
            for name in oldTables.intersection(newTables).sorted() {
                difference.tables.append(try Self.compare(db, name, samples: max(0, samples)))
            }
            let rows = try Row.fetchAll(
                db,
                sql: """
                    SELECT topic, partition, max(old), max(new) FROM (
                        SELECT topic, partition, coalesce(position, 0) AS old, 0 AS new FROM old.kstream_partitions
                        UNION ALL
                        SELECT topic, partition, 0, coalesce(position, 0) FROM new.kstream_partitions
                    ) GROUP BY topic, partition HAVING max(old) <> max(new)
                    """
            )
            for row in rows {
                difference.places[KafkaTopicPartition(topic: row[0], partition: row[1])] = Place(
                    old: row[2],
                    new: row[3]
                )
            }
            return difference
        }
    }

    private static func tables(_ db: Database, _ schema: String) throws -> Set<String> {
        try String.fetchSet(
            db,
            sql: """
                SELECT name FROM \(schema).sqlite_master WHERE type = 'table'
                AND substr(name, 1, 7) <> 'sqlite_' AND substr(name, 1, \(PartitionRow.prefix.utf8.count)) <> ?
                """,
            arguments: [PartitionRow.prefix]
        )
    }

    private static func columns(_ db: Database, _ schema: String, _ table: String) throws -> [(name: String, key: Int)]
    {
        try Row.fetchAll(db, sql: "SELECT name, pk FROM pragma_table_info(?, ?)", arguments: [table, schema])
            .map { ($0[0], $0[1]) }
    }

    private static func compare(_ db: Database, _ name: String, samples: Int) throws -> Table {
        let (old, new) = (try self.columns(db, "old", name), try self.columns(db, "new", name))
        let (oldNames, newNames) = (Set(old.map(\.name)), Set(new.map(\.name)))
        let shared = old.map(\.name).filter { newNames.contains($0) }
        let columns = shared.map(\.quotedDatabaseIdentifier).joined(separator: ", ")
        let table = name.quotedDatabaseIdentifier
        func count(_ query: String) throws -> Int { try Int.fetchOne(db, sql: "SELECT count(*) FROM \(query)") ?? 0 }
        var result = Table(
            name: name,
            oldCount: try count("old.\(table)"),
            newCount: try count("new.\(table)"),
            onlyOld: 0,
            onlyNew: 0,
            changed: 0,
            otherColumns: oldNames.symmetricDifference(newNames).sorted(),
            samples: []
        )
        guard !shared.isEmpty else { return result }
        func rest(_ left: String, _ right: String) -> String {
            "SELECT \(columns) FROM \(left).\(table) EXCEPT SELECT \(columns) FROM \(right).\(table)"
        }
        result.onlyOld = try count("(\(rest("old", "new")))")
        result.onlyNew = try count("(\(rest("new", "old")))")
        let key = old.filter { $0.key > 0 }.sorted { $0.key < $1.key }.map(\.name)
        if !key.isEmpty, Set(key).isSubset(of: newNames) {
            let names = key.map(\.quotedDatabaseIdentifier).joined(separator: ", ")
            result.changed = try count(
                "(SELECT \(names) FROM (\(rest("old", "new"))) INTERSECT SELECT \(names) FROM (\(rest("new", "old"))))"
            )
            result.onlyOld -= result.changed
            result.onlyNew -= result.changed
        }
        for (version, query) in [("old", rest("old", "new")), ("new", rest("new", "old"))] {
            let rows = try Row.fetchAll(db, sql: "\(query) LIMIT ?", arguments: [samples])
            result.samples += rows.map { row in
                let values = row.map { column, value in "\(column) \(value)" }
                return "\(version): \(values.joined(separator: ", "))"
            }
        }
        return result
    }
}

public import EventSourcing
internal import EventSourcingSQLite
internal import EventStreaming
public import GRDB
internal import KafkaClient

/// What a projection makes of messages, told as given, then: in memory, without a broker.
///
/// ```swift
/// try await ProjectionSpecification(revenue) { db in try createTables(db) }
///     .given(shipped, shipped2)
///     .then { db in
///         #expect(try Int.fetchOne(db, sql: "SELECT total FROM revenue") == 300)
///     }
///     .thenRepeatingChangesNothing()
/// ```
public struct ProjectionSpecification: Sendable {
    private let projection: Projection<Database>
    private let storage: SQLiteProjectionStorage
    private let messages: [TestMessage]

    /// Makes an empty read model.
    ///
    /// - Parameters:
    ///   - projection: the projection.
    ///   - setUp: makes its tables.
    /// - Throws: what `setUp` throws.
    public init(_ projection: Projection<Database>, setUp: (Database) throws -> Void) throws {
        self.projection = projection
        self.storage = try SQLiteProjectionStorage(
            inMemory: projection.name,
            version: projection.version,
            setUp: setUp
        )
        self.messages = []
    }

    private init(_ other: ProjectionSpecification, messages: [TestMessage]) {
        self.projection = other.projection
        self.storage = other.storage
        self.messages = messages
    }

    /// These messages come, after those that came before.
    ///
    /// - Throws: what the handler throws; ``SpecificationFailure`` for a message of a topic that the projection does not read.
    public func given(_ messages: TestMessage...) async throws -> ProjectionSpecification {
        try await self.given(messages)
    }

    /// These messages come, after those that came before.
    ///
    /// - Throws: what the handler throws; ``SpecificationFailure`` for a message of a topic that the projection does not read.
    public func given(_ messages: [TestMessage]) async throws -> ProjectionSpecification {
        try await self.deliver(messages)
        return ProjectionSpecification(self, messages: self.messages + messages)
    }

    /// The rows are as they should be.
    ///
    /// - Throws: what `check` throws.
    @discardableResult
    public func then(_ check: @escaping @Sendable (Database) throws -> Void) async throws -> ProjectionSpecification {
        try await self.storage.database.read(check)
        return self
    }

    /// All messages come again, at other offsets, as from a producer that sends at least once: no row changes.
    ///
    /// - Throws: what the handler throws; ``SpecificationFailure`` when rows have changed.
    @discardableResult
    public func thenRepeatingChangesNothing() async throws -> ProjectionSpecification {
        let before = try await self.rows()
        try await self.deliver(self.messages)
        let after = try await self.rows()
        guard before == after else {
            let gone = before.filter { !after.contains($0) }
            let new = after.filter { !before.contains($0) }
            throw SpecificationFailure.differ("messages that came again changed rows", expected: gone, actual: new)
        }
        return self
    }

    private func deliver(_ messages: [TestMessage]) async throws {
        for message in messages {
            let partition = message.incoming(at: 0).partition
            guard let input = self.projection.inputs.first(where: { $0.topic == partition.topic }) else {
                throw SpecificationFailure("\(self.projection.name) does not read \(partition.topic)")
            }
            let claim = try await self.storage.claim([partition], owner: "test")[partition]
            let offset = claim?.position ?? 0
            let handle = input.prepare([message.incoming(at: offset)])
            let context = ProjectionContext(version: self.projection.version, isLive: true)
            try await self.storage.write(epochs: [partition: claim?.epoch ?? 0]) { db, positions in
                try handle(0, db, context)
                positions.advance(partition, to: offset + 1)
            }
        }
    }

    /// All rows of the projection's own tables, as text.
    private func rows() async throws -> [String] {
        try await self.storage.database.read { db in
            let tables = try String.fetchAll(
                db,
                sql: """
                    SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite!_%' ESCAPE '!'
                    AND name NOT LIKE 'kstream!_%' ESCAPE '!' ORDER BY name
                    """
            )
            return try tables.flatMap { table in
                try Row.fetchAll(db, sql: "SELECT * FROM \(table.quotedDatabaseIdentifier)")
                    .map { "\(table): \($0)" }.sorted()
            }
        }
    }
}

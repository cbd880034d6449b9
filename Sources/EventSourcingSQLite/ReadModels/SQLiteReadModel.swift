public import EventSourcing
internal import EventStreaming
public import GRDB
public import KafkaClient
internal import Synchronization

/// What a read answered, and whether it saw what it was to see.
public struct ReadResult<Value: Sendable>: Sendable {
    /// The answer.
    public var value: Value
    /// What it did not see yet of what was asked for; empty when it saw everything.
    public var missing: PositionToken

    /// Whether it is older than what was asked for.
    public var isStale: Bool { !self.missing.isEmpty }
}

/// The read model of a projection: answers queries from the version that is live, whichever process writes it.
public final class SQLiteReadModel: Sendable {
    private struct State {
        /// Which version is live, as of a count of changes of the catalogue.
        var live: (count: UInt64, version: Int)?
        /// How far it has come, as of a count of changes.
        var positions: (count: UInt64, version: Int, values: [KafkaTopicPartition: Int64])?
        var asking: Task<Void, any Error>?
    }

    private enum Asking {
        case known([KafkaTopicPartition: Int64])
        case asking(Task<Void, any Error>)
    }

    /// The name of the projection.
    public let projection: String
    private let catalogue: Catalogue
    private let files: VersionFiles
    /// Changes of any version, and of which is live.
    let changes: ChangeSignal
    private let state = Mutex(State())

    init(_ projection: String, catalogue: Catalogue, files: VersionFiles) {
        self.projection = projection
        self.catalogue = catalogue
        self.files = files
        self.changes = files.changes(of: projection)
        catalogue.database.forward(to: self.changes)
    }

    /// The version that answers.
    ///
    /// - Throws: ``ProjectionError`` with the code `unknownVersion` when there is no version yet; `DatabaseError`.
    public var liveVersion: Int {
        get async throws {
            let count = self.catalogue.database.changeCount
            if let live = self.state.withLock({ $0.live }), live.count == count { return live.version }
            let version = try await self.catalogue.live(self.projection)
            self.state.withLock { $0.live = (count, version) }
            return version
        }
    }

    private var file: EventDatabase {
        get async throws { try self.files.open(self.projection, try await self.liveVersion) }
    }

    /// Answers a query: one transaction, so that all of it is of the same moment.
    ///
    /// - Throws: what `query` throws; as ``liveVersion``.
    public func read<R: Sendable>(_ query: @escaping @Sendable (Database) throws -> R) async throws -> R {
        try await self.file.read(query)
    }

    /// How far it has come, per partition.
    public var positions: [KafkaTopicPartition: Int64] {
        get async throws { try await self.positions(asOf: self.changes.count).values }
    }

    // MARK: Reading one's writes

    /// Waits until it has come as far as a token says.
    ///
    /// Do not wait in a handler of the projection itself: it would wait for itself.
    ///
    /// - Parameters:
    ///   - token: what is to be seen.
    ///   - timeout: how long it may take.
    /// - Returns: what is missing when the time is up; empty when everything is there.
    /// - Throws: `CancellationError`; `DatabaseError`; as ``liveVersion``.
    @discardableResult
    public func wait(for token: PositionToken, timeout: Duration) async throws -> PositionToken {
        let missing = token.missing(at: try await self.positions)
        if missing.isEmpty || timeout <= .zero { return missing }
        let last = Mutex(missing)
        let deadline = ContinuousClock.now + min(timeout, .seconds(1_000_000_000))
        _ = try await withDeadline(deadline) {
            while true {
                let count = self.changes.count
                let missing = token.missing(at: try await self.positions(asOf: count).values)
                last.withLock { $0 = missing }
                if missing.isEmpty { return true }
                try await self.changes.wait(past: count)
            }
        }
        return last.withLock { $0 }
    }

    /// Answers a query that is to see what a token says, or, when the time is up, answers from what there is.
    ///
    /// - Parameters:
    ///   - token: what is to be seen.
    ///   - timeout: how long it is waited for.
    ///   - query: asks.
    /// - Returns: the answer, and what it did not see.
    /// - Throws: what `query` throws; as ``wait(for:timeout:)``.
    public func read<R: Sendable>(
        after token: PositionToken,
        timeout: Duration,
        _ query: @escaping @Sendable (Database) throws -> R
    ) async throws -> ReadResult<R> {
        try await self.wait(for: token, timeout: timeout)
        // What it saw is looked at in the same transaction.
        return try await self.read { db in
            ReadResult(
                value: try query(db),
                missing: token.missing(at: try PartitionRow.positions(db))
            )
        }
    }

    /// The positions as they were at a count of changes or later. Whoever asks while others do gets the same answer.
    private func positions(
        asOf count: UInt64
    ) async throws -> (count: UInt64, values: [KafkaTopicPartition: Int64]) {
        while true {
            let version = try await self.liveVersion
            let current = self.changes.count
            let step = self.state.withLock { state -> Asking in
                if let known = state.positions, known.version == version, known.count >= count {
                    return .known(known.values)
                }
                if let asking = state.asking { return .asking(asking) }
                let task = Task { try await self.askPositions(of: version, asOf: current) }
                state.asking = task
                return .asking(task)
            }
            switch step {
            case .known(let values): return (count, values)
            case .asking(let task): try await task.value
            }
            // It may have begun before the count; then it is asked again.
            try Task.checkCancellation()
        }
    }

    private func askPositions(of version: Int, asOf count: UInt64) async throws {
        defer { self.state.withLock { $0.asking = nil } }
        let values = try await self.files.open(self.projection, version).read { db in try PartitionRow.positions(db) }
        self.state.withLock { $0.positions = (count, version, values) }
    }

    // MARK: Live queries

    /// The answers to a query: the first one at once, then each that differs from the one before, when something was written or
    /// another version is live.
    ///
    /// ```swift
    /// for try await open in readModels["orders"].answers(to: { try Int.fetchOne($0, sql: "SELECT ...") ?? 0 }) {
    ///     print(open)
    /// }
    /// ```
    ///
    /// Who is slow misses answers, not the last one. It ends when the task is cancelled.
    public func answers<R: Sendable & Equatable>(
        to query: @escaping @Sendable (Database) throws -> R
    ) -> LiveAnswers<R> {
        LiveAnswers(model: self, query: query)
    }
}

/// The answers to a query as they change (``SQLiteReadModel/answers(to:)``).
public struct LiveAnswers<Value: Sendable & Equatable>: AsyncSequence, Sendable {
    let model: SQLiteReadModel
    let query: @Sendable (Database) throws -> Value

    /// Begins with the answer of now.
    public func makeAsyncIterator() -> Iterator {
        Iterator(model: self.model, query: self.query)
    }

    /// Waits for one answer after the other.
    public struct Iterator: AsyncIteratorProtocol {
        let model: SQLiteReadModel
        let query: @Sendable (Database) throws -> Value
        private var last: Value?
        private var count: UInt64?

        init(model: SQLiteReadModel, query: @escaping @Sendable (Database) throws -> Value) {
            self.model = model
            self.query = query
        }

        /// The next answer; `nil` when the task is cancelled.
        ///
        /// - Throws: what the query throws.
        public mutating func next() async throws -> Value? {
            do {
                while true {
                    if let count { try await self.model.changes.wait(past: count) }
                    self.count = self.model.changes.count
                    let value = try await self.model.read(self.query)
                    if let last, last == value { continue }
                    self.last = value
                    return value
                }
            } catch  where Task.isCancelled {
                return nil
            }
        }
    }
}

import CMeasurement
import EventSourcing
import EventSourcingSQLite
import EventStreaming
import Foundation
import GRDB
import KafkaClient
import Synchronization

/// An account, whose only event is a deposit.
private struct Account: Decider {
    let initialState = 0

    func decide(_ amount: Int, _ balance: Int) throws -> [Deposited] { [Deposited(amount: amount)] }

    func evolve(_ balance: inout Int, _ event: Deposited) { balance &+= event.amount }
}

private struct Deposited: Codable, Sendable {
    var amount: Int
}

extension OurSide {
    /// How many tasks append at a time.
    static let appendingTasks = 64

    private var registry: EventRegistry<Deposited> {
        var registry = EventRegistry<Deposited>()
        registry.register("deposited", Deposited.self) {
            $0
        } from: {
            $0
        }
        return registry
    }

    private func withFolder<R>(_ body: (String) async throws -> R) async throws -> R {
        let folder = try self.makeFolder()
        defer { try? FileManager.default.removeItem(atPath: folder) }
        return try await body(folder)
    }

    private func makeFolder() throws -> String {
        let folder = FileManager.default.temporaryDirectory.appending(path: "kstream-bench-\(UUID().uuidString)").path
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        return folder
    }

    // MARK: Projections

    private static let table = "CREATE TABLE rows (id INTEGER PRIMARY KEY, key TEXT NOT NULL, value BLOB NOT NULL)"
    private static let insertion = "INSERT INTO rows (key, value) VALUES (?, ?)"

    /// Projects all of the topic: a row for each record. From the first record to the last position.
    func project() async throws -> Measurement {
        let topic = Topic<String, Data>(self.round.topic, key: .string, value: .data)
        let started = Mutex<Stopwatch?>(nil)
        let isStarted = Atomic(false)
        let projection = Projection<Database>(
            name: "rows",
            inputs: [
                ProjectionInput(topic) { message, db, _ in
                    if !isStarted.exchange(true, ordering: .relaxed) { started.withLock { $0 = Stopwatch() } }
                    try db.cachedStatement(sql: Self.insertion)
                        .execute(arguments: [try message.key, try message.value])
                }
            ]
        )
        return try await self.withFolder { folder in
            let readModels = try SQLiteReadModels(folder: folder)
            let storage = try await readModels.storage(of: "rows", version: 1) { db in try db.execute(sql: Self.table) }
            var configuration = ProjectorConfiguration(bootstrapServers: [])
            configuration.consumer = self.settings.consumer(isIdle: false)
            configuration.consumer.group = "rows-\(UInt64.random(in: 0 ... .max))"
            configuration.consumer.maxBatchRecords = Round.batchSize
            let projector = Projector(projection, storage: storage, configuration: configuration, logger: Self.logger)
            let running = Task { try await projector.run() }
            defer { running.cancel() }
            try await self.wait { projector.status.handled >= self.round.records || projector.status.error != nil }
            guard projector.status.error == nil, let stopwatch = started.withLock({ $0 }) else {
                throw BenchFailure(description: "the projection failed: \(projector.status)")
            }
            let measurement = stopwatch.measurement(records: self.round.records)
            running.cancel()
            _ = await running.result
            return measurement
        }
    }

    /// Inserts as many rows of the same size, which are there already.
    func insertPlainly() throws -> Measurement {
        let folder = try self.makeFolder()
        defer { try? FileManager.default.removeItem(atPath: folder) }
        var configuration = Configuration()
        configuration.prepareDatabase { try $0.execute(sql: "PRAGMA synchronous = NORMAL") }
        let pool = try DatabasePool(path: "\(folder)/rows.sqlite", configuration: configuration)
        try pool.write { try $0.execute(sql: Self.table) }
        let rows = (0..<self.round.records).map { number in
            (key: "\(500_000 + number)", value: Data(repeating: UInt8(truncatingIfNeeded: number), count: 190))
        }
        let stopwatch = Stopwatch()
        for start in stride(from: 0, to: rows.count, by: Round.batchSize) {
            try pool.write { db in
                let statement = try db.cachedStatement(sql: Self.insertion)
                for row in rows[start..<min(start + Round.batchSize, rows.count)] {
                    try statement.execute(arguments: [row.key, row.value])
                }
            }
        }
        return stopwatch.measurement(records: self.round.records)
    }

    // MARK: The event store

    /// Appends events, each with a version that is expected.
    func append(tasks: Int) async throws -> Measurement {
        try await self.withFolder { folder in
            let store = try SQLiteEventStore(try EventDatabase(path: "\(folder)/events.sqlite"))
            let registry = self.registry
            let each = self.round.records / tasks
            let stopwatch = Stopwatch()
            try await withThrowingTaskGroup(of: Void.self) { group in
                for task in 0..<tasks {
                    group.addTask {
                        let entity = EntityID("account", "\(task)")
                        for number in 0..<each {
                            let event = try registry.encode(Deposited(amount: number), source: "/bench")
                            try await store.append([event], to: entity, expecting: .exactly(Int64(number)))
                        }
                    }
                }
                try await group.waitForAll()
            }
            return stopwatch.measurement(records: each * tasks)
        }
    }

    /// A transaction for each event: looks at the version, and inserts.
    func appendPlainly() throws -> Measurement {
        let folder = try self.makeFolder()
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let pool = try DatabasePool(path: "\(folder)/events.sqlite")
        try pool.writeWithoutTransaction { try $0.execute(sql: "PRAGMA synchronous = FULL") }
        try pool.write { db in
            try db.execute(
                sql: """
                    CREATE TABLE events (position INTEGER PRIMARY KEY, entity TEXT, sequence INTEGER, id TEXT, data BLOB);
                    CREATE UNIQUE INDEX by_entity ON events (entity, sequence);
                    CREATE UNIQUE INDEX by_id ON events (id);
                    """
            )
        }
        let encoder = JSONEncoder()
        let stopwatch = Stopwatch()
        for number in 0..<self.round.records {
            let data = try encoder.encode(Deposited(amount: number))
            try pool.write { db in
                let version = try Int.fetchOne(
                    try db.cachedStatement(sql: "SELECT max(sequence) FROM events WHERE entity = 'a'")
                )
                try db.cachedStatement(sql: "INSERT INTO events (entity, sequence, id, data) VALUES ('a', ?, ?, ?)")
                    .execute(arguments: [(version ?? 0) + 1, EventID.next(), data])
            }
        }
        return stopwatch.measurement(records: self.round.records)
    }

    // MARK: Replays

    private static let replayed = Mutex<String?>(nil)

    /// A file with an entity of many events, made once.
    private func replayFile() async throws -> String {
        if let path = Self.replayed.withLock({ $0 }) { return path }
        let path = "\(try self.makeFolder())/events.sqlite"
        let store = try SQLiteEventStore(try EventDatabase(path: path))
        for start in stride(from: 0, to: self.round.records, by: 10_000) {
            let events = try (start..<min(start + 10_000, self.round.records)).map { number in
                try self.registry.encode(Deposited(amount: number), source: "/bench")
            }
            try await store.append(events, to: EntityID("account", "a"))
        }
        Self.replayed.withLock { $0 = path }
        return path
    }

    /// Reads the entity.
    func replayEntity() async throws -> Measurement {
        let store = try SQLiteEventStore(try EventDatabase(path: try await self.replayFile()))
        let accounts = EntityStore(store, decider: Account(), events: self.registry, category: "account")
        let stopwatch = Stopwatch()
        let loaded = try await accounts.load("a")
        var measurement = stopwatch.measurement(records: Int(loaded.version))
        measurement.checksum = UInt64(bitPattern: Int64(loaded.state))
        return measurement
    }

    /// A query, a decoder and a loop.
    func replayPlainly() async throws -> Measurement {
        let queue = try DatabaseQueue(path: try await self.replayFile())
        let decoder = JSONDecoder()
        let stopwatch = Stopwatch()
        let (count, balance) = try await queue.read { db in
            var (count, balance) = (0, 0)
            let rows = try GRDB.Row.fetchCursor(
                db,
                sql: "SELECT data FROM events WHERE category = 'account' AND entity = 'a' ORDER BY sequence"
            )
            while let row = try rows.next() {
                balance &+= try decoder.decode(Deposited.self, from: row[0] as Data).amount
                count += 1
            }
            return (count, balance)
        }
        var measurement = stopwatch.measurement(records: count)
        measurement.checksum = UInt64(bitPattern: Int64(balance))
        return measurement
    }

    // MARK: Entities on Kafka

    private func processor(
        _ commands: String,
        _ events: String,
        _ name: String
    ) -> EntityProcessor<Account> {
        var configuration = EntityProcessorConfiguration<Int>(name: name, bootstrapServers: [])
        configuration.consumer = self.settings.consumer(isIdle: false)
        configuration.producer = self.settings.producer(linger: ClientSettings.linger)
        configuration.category = "account"
        configuration.deduplicationWindow = 1_000
        // Whatever the command says, it is a deposit of its length.
        let topic = Topic<String, Int>(
            commands,
            key: .string,
            value: Serde(encode: { _ in [] }, decode: { $0?.count ?? 0 })
        )
        return EntityProcessor(
            Account(),
            events: self.registry,
            commands: topic,
            into: events,
            configuration: configuration,
            logger: Self.logger
        )
    }

    /// Handles all commands of the topic: from the first one to the commit of the last.
    func handleCommands() async throws -> Measurement {
        let name = "\(self.round.topic)-\(UInt64.random(in: 0 ... .max))"
        // What rounds before have written need not be restored.
        let events = "\(name)-events"
        var admin = KafkaAdmin.Configuration(
            bootstrapServers: self.settings.bootstrapServers.split(separator: ",").map(String.init)
        )
        admin.clientID = "bench"
        try await withKafkaAdmin(admin, logger: Self.logger) { admin in
            try await admin.createTopic(events, partitions: Int(self.round.partitions), replicationFactor: 1)
        }
        let processor = self.processor(self.round.topic, events, name)
        let running = Task { try await processor.run() }
        defer { running.cancel() }
        try await self.wait { processor.status.accepted > 0 }
        let first = processor.status.accepted
        let stopwatch = Stopwatch()
        try await self.wait { processor.status.accepted >= self.round.records }
        let measurement = stopwatch.measurement(records: self.round.records - first)
        running.cancel()
        _ = await running.result
        return measurement
    }

    /// Fills the topic with events, one for each entity.
    func fillWithDeposits() async throws -> Measurement {
        let stopwatch = Stopwatch()
        let settings = self.settings.producer(linger: ClientSettings.linger)
        let data = Array(#"{"amount":5}"#.utf8)
        try await withKafkaProducer(settings, logger: Self.logger) { producer in
            for start in stride(from: 0, to: self.round.records, by: Round.batchSize) {
                let records = (start..<min(start + Round.batchSize, self.round.records)).map { number in
                    let metadata = EventMetadata(
                        source: "/bench",
                        type: "deposited",
                        subject: "\(number)",
                        extensions: ["category": "account", "sequence": "1", "typeversion": "1"]
                    )
                    return KafkaProducerRecord(
                        topic: self.round.topic,
                        key: Array("\(number)".utf8),
                        value: data,
                        headers: metadata.headers
                    )
                }
                for result in try await producer.send(contentsOf: records) { _ = try result.get() }
            }
        }
        return stopwatch.measurement(records: self.round.records)
    }

    /// Restores entities, one from each event: the bytes that they hold are told as the median.
    func restoreEntities() async throws -> Measurement {
        let name = "\(self.round.topic)-\(UInt64.random(in: 0 ... .max))"
        let processor = self.processor("\(self.round.topic)-commands", self.round.topic, name)
        let before = measurement_heap()
        let stopwatch = Stopwatch()
        let running = Task { try await processor.run() }
        defer { running.cancel() }
        try await self.wait(seconds: 85) {
            processor.status.entities.values.reduce(0, +) >= self.round.records || processor.status.phase == .failed
        }
        if let problem = processor.status.problem { throw BenchFailure(description: problem) }
        var measurement = stopwatch.measurement(records: self.round.records)
        // The readers have given back what they had when they are closed.
        try await self.wait { processor.status.restored >= self.round.records }
        measurement.median = Double(measurement_heap() - before)
        running.cancel()
        _ = await running.result
        return measurement
    }

    private func wait(seconds: Int = 60, _ isDone: () -> Bool) async throws {
        let deadline = ContinuousClock.now + .seconds(seconds)
        while !isDone() {
            guard ContinuousClock.now < deadline else { throw BenchFailure(description: "it did not come to its end") }
            try await Task.sleep(for: .milliseconds(2))
        }
    }
}

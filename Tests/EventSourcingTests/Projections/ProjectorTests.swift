import EventSourcing
import EventSourcingSQLite
import EventStreaming
import GRDB
import KafkaClient
import Synchronization
import TestAccounts
import TestSupport
import Testing

@Suite(.timeLimit(.minutes(2)))
struct ProjectorTests {
    private func configuration(_ shop: Shop, batch: Int = 1_000) -> ProjectorConfiguration {
        var configuration = ProjectorConfiguration(bootstrapServers: shop.servers)
        configuration.consumer = shop.consuming
        configuration.consumer.group = shop.name
        configuration.consumer.maxBatchRecords = batch
        return configuration
    }

    private func balances(_ model: SQLiteReadModel) async throws -> [String: Int] {
        try await model.read { db in
            let rows = try Row.fetchAll(db, sql: "SELECT id, balance FROM balances")
            return Dictionary(uniqueKeysWithValues: rows.map { ($0[0] as String, $0[1] as Int) })
        }
    }

    /// Rows and positions follow the log, also over records that no handler wants.
    @Test func rowsFollowTheLog() async throws {
        let shop = try await Shop.make("events")
        let sent = try await shop.send(deposits(0..<500, to: shop.topic("events")))
        try await withTemporaryFolder { folder in
            let readModels = try SQLiteReadModels(folder: folder)
            let storage = try await readModels.storage(of: "balances", version: 1, setUp: Balances.setUp)
            let projection = Balances.projection(of: shop.topic("events"))
            let projector = Projector(
                projection,
                storage: storage,
                configuration: self.configuration(shop, batch: 30),
                logger: shop.logger
            )
            try await withRunning({ try await projector.run() }) {
                let model = readModels["balances"]
                try await model.see(sent)
                #expect(try await self.balances(model) == expectedBalances(after: 500))
                let closed = try EventRegistry.accounts().encode(.closed, source: "/test")
                let ignored = EntityEventRecord.record(
                    of: closed,
                    entity: EntityID("account", "0"),
                    sequence: 1_000,
                    topic: shop.topic("events")
                )
                let last = try await shop.send([ignored])
                try await model.see(last)
                try await eventually("it is counted") { projector.status.handled == 501 }
                #expect(projector.status.transactions >= 500 / 30)
                let lag = try await projector.lag()
                #expect(lag.count == 3 && lag.values.allSatisfy { $0.records == 0 })
                let progress = try #require(try await projector.progress())
                #expect(progress.fraction == 1)
                #expect(progress.total == 501)
            }
            #expect(projector.status.phase == .ended)
        }
    }

    /// A transaction's mark has an offset, too: it advances the position.
    @Test func marksOfTransactionsAdvanceThePosition() async throws {
        let shop = try await Shop.make("events", partitions: 1)
        var configuration = KafkaProducer.Configuration(bootstrapServers: shop.servers)
        configuration.transactionalID = shop.name
        let records = try deposits(0..<5, to: shop.topic("events"))
        try await withKafkaProducer(configuration, logger: shop.logger) { producer in
            try await producer.withTransaction { _ = try await $0.send(contentsOf: records) }
        }
        try await withTemporaryFolder { folder in
            let readModels = try SQLiteReadModels(folder: folder)
            let storage = try await readModels.storage(of: "balances", version: 1, setUp: Balances.setUp)
            let projection = Balances.projection(of: shop.topic("events"))
            let projector = Projector(
                projection,
                storage: storage,
                configuration: self.configuration(shop),
                logger: shop.logger
            )
            try await withRunning({ try await projector.run() }) {
                let place = KafkaTopicPartition(topic: shop.topic("events"), partition: 0)
                try await eventually("the mark is passed") { try await storage.positions() == [place: 6] }
            }
        }
    }

    @Test func itGoesOnWhereItWas() async throws {
        let shop = try await Shop.make("events")
        try await withTemporaryFolder { folder in
            let readModels = try SQLiteReadModels(folder: folder)
            let storage = try await readModels.storage(of: "balances", version: 1, setUp: Balances.setUp)
            for round in 0..<3 {
                let sent = try await shop.send(deposits(round * 100..<(round + 1) * 100, to: shop.topic("events")))
                let projection = Balances.projection(of: shop.topic("events"))
                let projector = Projector(
                    projection,
                    storage: storage,
                    configuration: self.configuration(shop),
                    logger: shop.logger
                )
                try await withRunning({ try await projector.run() }) {
                    let model = readModels["balances"]
                    try await model.see(sent)
                }
                #expect(projector.status.handled == 100)
            }
            #expect(try await self.balances(readModels["balances"]) == expectedBalances(after: 300))
        }
    }

    // MARK: Messages that can't be handled

    @Test func aPoisonMessageStopsAndIsNamed() async throws {
        let shop = try await Shop.make("events", partitions: 1)
        try await shop.send(deposits(0..<10, to: shop.topic("events")))
        try await shop.send([KafkaProducerRecord(topic: shop.topic("events"), key: "k", value: "no event")])
        try await withTemporaryFolder { folder in
            let readModels = try SQLiteReadModels(folder: folder)
            let storage = try await readModels.storage(of: "balances", version: 1, setUp: Balances.setUp)
            let projection = Balances.projection(of: shop.topic("events"))
            let projector = Projector(
                projection,
                storage: storage,
                configuration: self.configuration(shop),
                logger: shop.logger
            )
            let error = await #expect(throws: ProjectionError.self) { try await projector.run() }
            #expect(error?.code == .stopped)
            #expect(error?.description.contains("\(shop.topic("events"))[0]@10") == true)
            #expect(projector.status.phase == .failed)
        }
    }

    @Test func aPoisonMessageIsPassedOverAndNoted() async throws {
        let shop = try await Shop.make("events", partitions: 1)
        try await shop.send(deposits(0..<10, to: shop.topic("events")))
        try await shop.send([KafkaProducerRecord(topic: shop.topic("events"), key: "k", value: "no event")])
        // One that writes something before it fails: the same event again.
        try await shop.send(deposits(9..<10, to: shop.topic("events")))
        let sent = try await shop.send(deposits(10..<20, to: shop.topic("events")))
        try await withTemporaryFolder { folder in
            let readModels = try SQLiteReadModels(folder: folder)
            let storage = try await readModels.storage(of: "balances", version: 1, setUp: Balances.setUp)
            var configuration = self.configuration(shop)
            configuration.poisonAction = { _ in .skip }
            let projection = Balances.projection(of: shop.topic("events"))
            let projector = Projector(projection, storage: storage, configuration: configuration, logger: shop.logger)
            try await withRunning({ try await projector.run() }) {
                let model = readModels["balances"]
                try await model.see(sent)
                #expect(try await self.balances(model) == expectedBalances(after: 20))
                let skipped = try await storage.skipped()
                #expect(skipped.map(\.offset) == [10, 11])
                try await eventually("it is counted") {
                    projector.status.skipped == 2 && projector.status.handled == 20
                }
            }
        }
    }

    // MARK: Several topics, several instances

    @Test func severalTopicsAreOneProjection() async throws {
        let shop = try await Shop.make("names", "scores")
        let names = Topic<String, String>(shop.topic("names"), key: .string, value: .string)
        let scores = Topic<String, Int>(shop.topic("scores"), key: .string, value: .json())
        let projection = Projection<Database>(
            name: "players",
            inputs: [
                ProjectionInput(names) { message, db, _ in
                    try db.execute(
                        sql: """
                            INSERT INTO players (id, name) VALUES (?1, ?2)
                            ON CONFLICT (id) DO UPDATE SET name = ?2
                            """,
                        arguments: [try message.key, try message.value]
                    )
                },
                ProjectionInput(scores) { message, db, _ in
                    try db.execute(
                        sql: """
                            INSERT INTO players (id, score) VALUES (?1, ?2)
                            ON CONFLICT (id) DO UPDATE SET score = score + ?2
                            """,
                        arguments: [try message.key, try message.value]
                    )
                },
            ]
        )
        let records = try (0..<60).flatMap { number in
            [
                try names.record(of: Message(key: "\(number % 5)", value: "n\(number % 5)"), source: "/test"),
                try scores.record(of: Message(key: "\(number % 5)", value: 2), source: "/test"),
            ]
        }
        let sent = try await shop.send(records)
        try await withTemporaryFolder { folder in
            let readModels = try SQLiteReadModels(folder: folder)
            let storage = try await readModels.storage(of: "players", version: 1) { db in
                try db.execute(sql: "CREATE TABLE players (id TEXT PRIMARY KEY, name TEXT, score INTEGER DEFAULT 0)")
            }
            let projector = Projector(
                projection,
                storage: storage,
                configuration: self.configuration(shop),
                logger: shop.logger
            )
            try await withRunning({ try await projector.run() }) {
                let model = readModels["players"]
                try await model.see(sent)
                let rows = try await model.read { db in
                    try Row.fetchAll(db, sql: "SELECT * FROM players ORDER BY id")
                        .map { "\($0[0] as String) \($0[1] as String) \($0[2] as Int)" }
                }
                #expect(rows == (0..<5).map { "\($0) n\($0) 24" })
            }
        }
    }

    /// Partitions change hands again and again: each record is in the rows once.
    @Test func instancesShareThePartitions() async throws {
        let shop = try await Shop.make("events", partitions: 4)
        try await withTemporaryFolder { folder in
            let readModels = try SQLiteReadModels(folder: folder)
            let storage = try await readModels.storage(of: "balances", version: 1, setUp: Balances.setUp)
            let projection = Balances.projection(of: shop.topic("events"))
            let configuration = self.configuration(shop, batch: 7)
            let steady = Projector(projection, storage: storage, configuration: configuration, logger: shop.logger)
            try await withRunning({ try await steady.run() }) {
                var sent: [KafkaRecordMetadata] = []
                for round in 0..<4 {
                    let other = Projector(
                        projection,
                        storage: storage,
                        configuration: configuration,
                        logger: shop.logger
                    )
                    try await withRunning({ try await other.run() }) {
                        try await eventually("the other one has a share") { !other.status.positions.isEmpty }
                        sent += try await shop.send(
                            deposits(round * 400..<(round + 1) * 400, to: shop.topic("events"))
                        )
                        try await eventually("it has handled some") { other.status.handled > 0 }
                    }
                }
                let model = readModels["balances"]
                try await model.see(sent)
                #expect(try await self.balances(model) == expectedBalances(after: 1_600))
            }
        }
    }

    /// Somebody claims all partitions behind the back of the one who owns them: its write is refused, it asks the group, and goes on.
    @Test func theOwnerTakesBackWhatAnotherClaimed() async throws {
        let shop = try await Shop.make("events")
        let topic = shop.topic("events")
        try await withTemporaryFolder { folder in
            let readModels = try SQLiteReadModels(folder: folder)
            let storage = try await readModels.storage(of: "balances", version: 1, setUp: Balances.setUp)
            let projector = Projector(
                Balances.projection(of: topic),
                storage: storage,
                configuration: self.configuration(shop),
                logger: shop.logger
            )
            try await withRunning({ try await projector.run() }) {
                let model = readModels["balances"]
                let first = try await shop.send(deposits(0..<100, to: topic))
                try await model.see(first)
                let all = Set((0..<3).map { KafkaTopicPartition(topic: topic, partition: Int32($0)) })
                _ = try await storage.claim(all, owner: "somebody else")
                let second = try await shop.send(deposits(100..<200, to: topic))
                try await model.see(second)
                #expect(try await self.balances(model) == expectedBalances(after: 200))
                #expect(projector.status.refused > 0)
                #expect(try await storage.refusals().values.reduce(0, +) > 0)
            }
        }
    }

    // MARK: Misuse

    @Test func whatDoesNotGoTogetherIsRefused() async throws {
        let shop = try await Shop.make("events")
        try await withTemporaryFolder { folder in
            let readModels = try SQLiteReadModels(folder: folder)
            let storage = try await readModels.storage(of: "balances", version: 1, setUp: Balances.setUp)
            let input = Balances.projection(of: "t").inputs[0]
            for projection in [
                Projection<Database>(name: "balances", version: 1, inputs: []),
                Projection(name: "balances", version: 1, inputs: [input, input]),
                Projection(name: "balances", version: 2, inputs: [input]),
                Projection(name: "other", version: 1, inputs: [input]),
            ] {
                let projector = Projector(
                    projection,
                    storage: storage,
                    configuration: self.configuration(shop),
                    logger: shop.logger
                )
                let error = await #expect(throws: ProjectionError.self) { try await projector.run() }
                #expect(error?.code == .configuration)
            }
            for (name, version) in [("", 1), ("a/b", 1), ("balances", 0)] {
                let error = await #expect(throws: ProjectionError.self) {
                    _ = try await readModels.storage(of: name, version: version, setUp: Balances.setUp)
                }
                #expect(error?.code == .configuration)
            }
        }
    }
}

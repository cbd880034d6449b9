import EventSourcing
import EventSourcingSQLite
import EventStreaming
import GRDB
import KafkaClient
import TestAccounts
import TestSupport
import Testing

@Suite(.timeLimit(.minutes(2)))
struct OutboxRelayTests {
    private func withOutbox(_ body: (EventDatabase, SQLiteOutbox) async throws -> Void) async throws {
        try await withTemporaryFolder { folder in
            let database = try EventDatabase(path: "\(folder)/events.sqlite")
            try await body(database, try SQLiteOutbox(database))
        }
    }

    private func configuration(_ shop: Shop) -> OutboxRelayConfiguration {
        var configuration = OutboxRelayConfiguration(name: shop.name, bootstrapServers: shop.servers)
        configuration.batchSize = 10
        return configuration
    }

    private func add(
        _ numbers: Range<Int>,
        _ database: EventDatabase,
        _ outbox: SQLiteOutbox,
        to topic: String
    ) async throws {
        let records = try deposits(numbers, to: topic)
        try await database.write { db in for record in records { try outbox.add(record, in: db) } }
    }

    @Test(arguments: [nil, "outbox-positions"])
    func everythingIsPublishedInOrderAndRemoved(_ positionTopic: String?) async throws {
        let shop = try await Shop.make("events", partitions: 1)
        try await self.withOutbox { database, outbox in
            var configuration = self.configuration(shop)
            configuration.positionTopic = positionTopic
            let relay = OutboxRelay(outbox, configuration, logger: shop.logger)
            try await self.add(0..<50, database, outbox, to: shop.topic("events"))
            try await withRunning({ try await relay.run() }) {
                try await eventually("it is empty") { try await outbox.backlog().count == 0 }
                try await self.add(50..<100, database, outbox, to: shop.topic("events"))
                try await eventually("it is empty again") { try await outbox.backlog().count == 0 }
            }
            let events = try await shop.events()
            #expect(events.map(\.metadata.id) == (0..<100).map { "deposit-\($0)" })
            #expect(relay.status.published == 100)
            #expect(relay.status.position == 100)
        }
    }

    /// What was published when its removal was lost is not published again.
    @Test func whatIsPublishedIsNotPublishedAgain() async throws {
        let shop = try await Shop.make("events", partitions: 1)
        try await self.withOutbox { database, outbox in
            try await self.add(0..<30, database, outbox, to: shop.topic("events"))
            let entries = try await outbox.entries(after: 0, limit: 100)
            let relay = OutboxRelay(outbox, self.configuration(shop), logger: shop.logger)
            try await withRunning({ try await relay.run() }) {
                try await eventually("it is empty") { try await outbox.backlog().count == 0 }
            }
            // As if the process had died before it removed the last ones.
            try await database.write { db in
                for entry in entries.suffix(7) {
                    let position = try outbox.add(entry.record, in: db)
                    try db.execute(
                        sql: "UPDATE outbox SET position = ? WHERE position = ?",
                        arguments: [entry.position, position]
                    )
                }
            }
            try await self.add(30..<40, database, outbox, to: shop.topic("events"))
            let next = OutboxRelay(outbox, self.configuration(shop), logger: shop.logger)
            try await withRunning({ try await next.run() }) {
                try await eventually("it is empty again") { try await outbox.backlog().count == 0 }
            }
            #expect(next.status.recovered == 7)
            #expect(next.status.published == 10)
            #expect(try await shop.events().map(\.metadata.id) == (0..<40).map { "deposit-\($0)" })
        }
    }

    /// An outbox that was made anew has the same positions, and nothing of it was published; one from a backup is refused.
    @Test func anotherOutboxIsNotTakenForTheSame() async throws {
        let shop = try await Shop.make("events", partitions: 1)
        for numbers in [0..<10, 10..<15] {
            try await self.withOutbox { database, outbox in
                try await self.add(numbers, database, outbox, to: shop.topic("events"))
                let relay = OutboxRelay(outbox, self.configuration(shop), logger: shop.logger)
                try await withRunning({ try await relay.run() }) {
                    try await eventually("it is empty") { try await outbox.backlog().count == 0 }
                }
                #expect(relay.status.published == numbers.count)
                // Back to where it was before.
                try await database.write { db in try db.execute(sql: "UPDATE sqlite_sequence SET seq = 1") }
                let next = OutboxRelay(outbox, self.configuration(shop), logger: shop.logger)
                let error = await #expect(throws: OutboxRelayError.self) { try await next.run() }
                #expect(error?.description.contains("from a backup") == true)
            }
        }
        #expect(try await shop.events().map(\.metadata.id) == (0..<15).map { "deposit-\($0)" })
    }

    /// The same, when others have been written since: what has the positions of what was published is not that.
    @Test func whatWasWrittenIntoABackupIsNotTakenForPublished() async throws {
        let shop = try await Shop.make("events", partitions: 1)
        try await self.withOutbox { database, outbox in
            try await self.add(0..<10, database, outbox, to: shop.topic("events"))
            let relay = OutboxRelay(outbox, self.configuration(shop), logger: shop.logger)
            try await withRunning({ try await relay.run() }) {
                try await eventually("it is empty") { try await outbox.backlog().count == 0 }
            }
            try await database.write { db in try db.execute(sql: "UPDATE sqlite_sequence SET seq = 5") }
            try await self.add(100..<120, database, outbox, to: shop.topic("events"))
            let next = OutboxRelay(outbox, self.configuration(shop), logger: shop.logger)
            let error = await #expect(throws: OutboxRelayError.self) { try await next.run() }
            #expect(error?.description.contains("from a backup") == true)
            #expect(next.status.phase == .failed)
            #expect(next.status.problem?.contains("from a backup") == true)
            #expect(try await outbox.backlog().count == 20, "nothing of it is lost")
        }
    }

    /// Whoever wrote waits until it is published, and knows then what the readers of the topic have to have read.
    @Test func aTokenOfTheTopicIsWaitedFor() async throws {
        let shop = try await Shop.make("events", partitions: 3)
        let topic = shop.topic("events")
        try await self.withOutbox { database, outbox in
            #expect(try await outbox.published(to: topic, within: .seconds(20)) == PositionToken(), "there is nothing")
            try await self.add(0..<30, database, outbox, to: topic)
            #expect(try await outbox.published(to: topic, within: .milliseconds(20)) == nil, "nobody publishes it")
            let entries = try await outbox.entries(after: 0, limit: 100)
            let relay = OutboxRelay(outbox, self.configuration(shop), logger: shop.logger)
            try await withRunning({ try await relay.run() }) {
                let token = try await outbox.published(to: topic, within: .seconds(60))
                let ends = Dictionary(grouping: try await shop.records(of: "events"), by: \.partition)
                    .map { (KafkaTopicPartition(topic: topic, partition: $0), ($1.map(\.offset).max() ?? 0) + 1) }
                #expect(token == PositionToken(Dictionary(uniqueKeysWithValues: ends)))
                #expect(try await outbox.published(to: "other", within: .seconds(20)) == PositionToken())
            }
            // As if the process had died before it could note where the last ones are.
            try await database.write { db in
                try db.execute(sql: "DELETE FROM outbox_published")
                for entry in entries.suffix(5) {
                    let position = try outbox.add(entry.record, in: db)
                    try db.execute(
                        sql: "UPDATE outbox SET position = ? WHERE position = ?",
                        arguments: [entry.position, position]
                    )
                }
            }
            let next = OutboxRelay(outbox, self.configuration(shop), logger: shop.logger)
            try await withRunning({ try await next.run() }) {
                let token = try await outbox.published(to: topic, within: .seconds(60))
                for record in try await shop.records(of: "events") {
                    let place = KafkaTopicPartition(topic: topic, partition: record.partition)
                    #expect(token?.positions[place] ?? 0 > record.offset)
                }
                try await eventually("it is counted") { next.status.recovered == 5 }
            }
        }
    }

    /// Of two relays of one name the second takes over.
    @Test func theSecondRelayFencesTheFirst() async throws {
        let shop = try await Shop.make("events", partitions: 1)
        try await self.withOutbox { database, outbox in
            let first = OutboxRelay(outbox, self.configuration(shop), logger: shop.logger)
            let second = OutboxRelay(outbox, self.configuration(shop), logger: shop.logger)
            try await self.add(0..<10, database, outbox, to: shop.topic("events"))
            let running = Task { try await first.run() }
            try await eventually("the first one works") { first.status.published == 10 }
            try await withRunning({ try await second.run() }) {
                try await eventually("the second one has taken over") { second.status.position == 10 }
                try await self.add(10..<20, database, outbox, to: shop.topic("events"))
                try await eventually("it is empty") { try await outbox.backlog().count == 0 }
            }
            // Whichever of the two published these, from now on the first one may not.
            try await self.add(20..<30, database, outbox, to: shop.topic("events"))
            let error = await #expect(throws: KafkaError.self) { try await running.value }
            #expect(error?.isFatal == true)
            let third = OutboxRelay(outbox, self.configuration(shop), logger: shop.logger)
            try await withRunning({ try await third.run() }) {
                try await eventually("another one goes on") { try await outbox.backlog().count == 0 }
            }
            #expect(try await shop.events().map(\.metadata.id) == (0..<30).map { "deposit-\($0)" })
        }
    }

    @Test func aRecordThatCannotBePublishedIsNamed() async throws {
        let shop = try await Shop.make("events", partitions: 1)
        try await self.withOutbox { database, outbox in
            try await self.add(0..<3, database, outbox, to: shop.topic("events"))
            let large = KafkaProducerRecord(topic: shop.topic("events"), value: Array(repeating: 0, count: 2_000_000))
            try await database.write { db in _ = try outbox.add(large, in: db) }
            for positionTopic in [nil, "outbox-positions"] {
                var configuration = self.configuration(shop)
                configuration.positionTopic = positionTopic
                let relay = OutboxRelay(outbox, configuration, logger: shop.logger)
                let error = await #expect(throws: OutboxRelayError.self) { try await relay.run() }
                #expect(error?.description.contains("record 4, for \(shop.topic("events"))") == true)
            }
            #expect(try await outbox.backlog().count > 0, "nothing is lost")
        }
    }

    @Test func aRelayWithoutANameIsRefused() async throws {
        try await self.withOutbox { _, outbox in
            let relay = OutboxRelay(outbox, OutboxRelayConfiguration(name: "", bootstrapServers: ["localhost:1"]))
            await #expect(throws: OutboxRelayError.self) { try await relay.run() }
        }
    }
}

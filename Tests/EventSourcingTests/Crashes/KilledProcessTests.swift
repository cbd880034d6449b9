import EmbeddedKafka
import EventSourcing
import EventSourcingSQLite
import EventStreaming
import Foundation
import GRDB
import KafkaClient
import TestAccounts
import TestSupport
import Testing

/// Whatever is killed with -9 at whatever moment: in the end everything is as if nothing had happened, event by event.
@Suite(.serialized, .timeLimit(.minutes(15)))
struct KilledProcessTests {
    private func arguments(_ command: String, _ shop: Shop, _ path: String, _ more: String...) -> [String] {
        [command, "--servers", shop.servers[0], "--name", shop.name, "--path", path] + more
    }

    @Test func projection() async throws {
        let shop = try await Shop.make("events")
        try await withTemporaryFolder { folder in
            let arguments = self.arguments("projection", shop, folder)
            var sent: [KafkaRecordMetadata] = []
            try await killAgainAndAgain(arguments, seed: 1) { round in
                sent += try await shop.send(deposits(round * 300..<(round + 1) * 300, to: shop.topic("events")))
            }
            let model = try SQLiteReadModels(folder: folder)["balances"]
            try await withProcess(arguments) { try await model.see(sent) }
            let count = kills * 300
            let rows = try await model.read { db in
                try Row.fetchAll(db, sql: "SELECT id, balance FROM balances").map { ($0[0] as String, $0[1] as Int) }
            }
            #expect(Dictionary(uniqueKeysWithValues: rows) == expectedBalances(after: count))
            // Each event once, and none else.
            let seen = try await model.read { db in
                try Row.fetchAll(db, sql: "SELECT id, sequence, amount FROM seen")
                    .map { "\($0[0] as String) \($0[1] as Int) \($0[2] as Int)" }
            }
            #expect(Set(seen) == Set((0..<count).map { "\($0 % 7) \($0 / 7 + 1) \($0 + 1)" }))
            #expect(seen.count == count)
        }
    }

    @Test func outboxRelay() async throws {
        let shop = try await Shop.make("events", partitions: 1)
        try await withTemporaryFolder { folder in
            let path = "\(folder)/events.sqlite"
            // More than are ever done, until the last round.
            let endless = self.arguments("relay", shop, path, "--events", "100000000")
            try await killAgainAndAgain(endless, seed: 2) { _ in }
            let database = try EventDatabase(path: path)
            let store = try SQLiteEventStore(database)
            let total = Int(try await store.lastPosition()) + 200
            try await withProcess(self.arguments("relay", shop, path, "--events", "\(total)")) {
                try await eventually(within: .seconds(120), pause: 100, "everything is published") {
                    let position = try await store.lastPosition()
                    let waiting = try await SQLiteOutbox(database).backlog().count
                    return Int(position) == total && waiting == 0
                }
            }
            // The log is the store, event by event, in order: nothing is missing, nothing is there twice.
            let published = try await shop.events()
            let stored = try await store.events(after: 0, limit: .max)
            #expect(published.map(\.metadata.id) == stored.map(\.event.metadata.id))
            #expect(published.map(\.sequence) == stored.map(\.sequence))
            #expect(published.map(\.event) == (0..<total).map { .deposited($0 + 1) })
            print("\(kills) kills, \(total) events published once")
        }
    }

    private func transfers(_ command: String, _ path: (String) -> String, seed: UInt64) async throws {
        let shop = try await Shop.make("events", "commands", "journal")
        let topic = Topic<String, TransferEvent>(shop.topic("events"), key: .string, value: .json())
        let each = 20
        try await withTemporaryFolder { folder in
            let arguments = self.arguments(command, shop, path(folder), "--patience", "0.5")
            try await killAgainAndAgain(arguments, seed: seed) { round in
                // Of four transfers one goes well, one is refused and undone, one has no answer, one is asked for twice.
                let records = try (0..<each).flatMap { number -> [KafkaProducerRecord] in
                    let id = "\(round)-\(number)"
                    func record(_ event: TransferEvent) throws -> KafkaProducerRecord {
                        try topic.record(of: Message(key: id, value: event), source: "/test")
                    }
                    let requested = try record(.requested(from: "a", to: "b", amount: number + 1))
                    return switch number % 4 {
                    case 0: [requested, try record(.withdrawn), try record(.deposited)]
                    case 1: [requested, try record(.withdrawn), try record(.refused), try record(.returned)]
                    case 2: [requested]
                    default: [requested, requested]
                    }
                }
                try await shop.send(records)
            }
            var expected: [String: [String]] = [:]
            for round in 0..<kills {
                for number in 0..<each {
                    let withdraw = "withdraw(account: \"a\", amount: \(number + 1))"
                    let deposit = "deposit(account: \"b\", amount: \(number + 1))"
                    let giveBack = "giveBack(account: \"a\", amount: \(number + 1))"
                    expected["\(round)-\(number)"] =
                        switch number % 4 {
                        case 0: [withdraw, deposit]
                        case 1: [withdraw, deposit, giveBack]
                        default: [withdraw, "tell(\"late\")"]
                        }
                }
            }
            // A deadline may pass while the answer waits to be read: then that transfer is late, in both orders of events.
            let late = ["tell(\"late\")"]
            try await withProcess(arguments) {
                try await eventually(within: .seconds(120), pause: 100, "all have come to their end") {
                    let commands = try await self.commands(shop)
                    return commands.count == expected.count
                        && commands.allSatisfy { id, commands in
                            commands == expected[id] || commands.contains("tell(\"late\")")
                        }
                }
            }
            let commands = try await self.commands(shop)
            for (id, list) in commands where list != expected[id] {
                // Each deadline once, and each command once, whatever came first.
                #expect(list.count { $0 == late[0] } == 1, "\(id): \(list)")
                #expect(Set(list).count == list.count, "\(id): \(list)")
            }
            let asExpected = commands.count { $0.value == expected[$0.key] }
            print("\(kills) kills, \(commands.count) transfers, \(asExpected) as without any, the others late")
            #expect(asExpected >= commands.count / 2)
            let ids = try await shop.records(of: "commands").compactMap { EventMetadata(headers: $0.headers)?.id }
            #expect(Set(ids).count == ids.count)
        }
    }

    private func commands(_ shop: Shop) async throws -> [String: [String]] {
        let serde = Serde<TransferCommand>.json()
        var commands: [String: [String]] = [:]
        for record in try await shop.records(of: "commands") {
            let key = record.key.map { String(decoding: $0, as: UTF8.self) } ?? ""
            commands[key, default: []].append("\(try serde.decode(record.value))")
        }
        return commands
    }

    @Test func processManager() async throws {
        try await self.transfers("transfers", { "\($0)/transfers.sqlite" }, seed: 3)
    }

    @Test func processManagerOnKafka() async throws {
        try await self.transfers("kafka-transfers", { $0 }, seed: 4)
    }

    @Test func entityProcessor() async throws {
        let shop = try await Shop.make("commands", "events", "replies")
        let topic = Topic<String, AccountCommand>(shop.topic("commands"), key: .string, value: .json())
        try await withTemporaryFolder { folder in
            let arguments = self.arguments("accounts", shop, folder)
            try await killAgainAndAgain(arguments, seed: 5) { round in
                // Each command comes twice, by its id.
                let records = try (round * 150..<(round + 1) * 150).flatMap { number in
                    let record = try topic.record(
                        of: Message(
                            key: "\(number % 7)",
                            value: .deposit(number + 1),
                            metadata: EventMetadata(id: "c\(number)", source: "/test", type: "deposit")
                        ),
                        source: "/test"
                    )
                    return [record, record]
                }
                try await shop.send(records)
            }
            let count = kills * 150
            try await withProcess(arguments) {
                try await eventually(within: .seconds(120), pause: 100, "all are handled") {
                    try await shop.records(of: "events").count >= count
                }
            }
            var events: [String: [AccountEvent]] = [:]
            for event in try await shop.events() {
                events[event.entity.id, default: []].append(event.event)
                #expect(event.sequence == Int64(events[event.entity.id]?.count ?? 0))
            }
            let expected = Dictionary(grouping: 0..<count) { "\($0 % 7)" }
                .mapValues { numbers in numbers.map { AccountEvent.deposited($0 + 1) } }
            #expect(events == expected)
        }
    }
}

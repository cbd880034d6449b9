import EmbeddedKafka
import EventSourcing
import EventSourcingSQLite
import Foundation
import GRDB
import KafkaClient
import TestAccounts
import TestSupport
import Testing

/// Two processes both believe that they own a partition.
@Suite(.serialized, .timeLimit(.minutes(5)))
struct ZombieTests {
    private func process(_ shop: Shop, _ folder: String, _ instance: String) throws -> ChildProcess {
        try ChildProcess(
            "event-sourcing-process",
            [
                "projection", "--servers", shop.servers[0], "--name", shop.name, "--path", folder, "--instance",
                instance, "--batch", "5", "--delay", "5000",
            ]
        )
    }

    private func owners(_ storage: SQLiteProjectionStorage) async throws -> Set<String> {
        try await storage.database.read { db in
            try String.fetchSet(db, sql: "SELECT owner || ' ' || epoch FROM kstream_partitions")
        }
    }

    /// One is paused in the middle of its work, through a rebalance, and goes on when another one has its partitions.
    @Test func whatAZombieWritesIsRefused() async throws {
        let shop = try await Shop.make("events")
        try await withTemporaryFolder { folder in
            let readModels = try SQLiteReadModels(folder: folder)
            let storage = try await readModels.storage(of: "balances", version: 1, setUp: Balances.setUp)
            let model = readModels["balances"]
            let zombie = try self.process(shop, folder, "zombie")
            defer { zombie.send(SIGKILL) }
            var sent = try await shop.send(deposits(0..<1_500, to: shop.topic("events")))
            try await eventually(within: .seconds(60), "it works") {
                try await model.positions.values.reduce(0, +) > 50
            }
            try await self.pause(zombie, storage)
            let before = try await self.owners(storage)
            let handled = try await model.positions.values.reduce(0, +)
            #expect(handled < 1_500, "it was paused in the middle")
            let heir = try self.process(shop, folder, "heir")
            defer { heir.send(SIGKILL) }
            try await eventually(within: .seconds(60), "the other one has taken over") {
                try await self.owners(storage).isDisjoint(with: before)
            }
            try await eventually(within: .seconds(60), "it works") {
                try await model.positions.values.reduce(0, +) > handled + 50
            }
            zombie.send(SIGCONT)
            try await eventually(within: .seconds(20), "its writes are refused") {
                guard zombie.isRunning else {
                    throw DeadlineExceeded(description: "the zombie ended by itself: \(zombie.ending)")
                }
                return try await storage.refusals().values.reduce(0, +) > 0
            }
            sent += try await shop.send(deposits(1_500..<1_600, to: shop.topic("events")))
            try await model.see(sent)
            let rows = try await model.read { db in
                try Row.fetchAll(db, sql: "SELECT id, balance FROM balances").map { ($0[0] as String, $0[1] as Int) }
            }
            #expect(Dictionary(uniqueKeysWithValues: rows) == expectedBalances(after: 1_600))
            let seen = try await model.read { db in try Int.fetchOne(db, sql: "SELECT count(*) FROM seen") }
            #expect(seen == 1_600)
            print("refused:", try await storage.refusals().values.reduce(0, +))
            // Both go on, and the one that was asleep has a share again or waits for one.
            #expect(heir.isRunning && zombie.isRunning)
        }
    }

    /// Pauses a process while it has no transaction open, since others could not write then: they would wait for it.
    private func pause(_ process: ChildProcess, _ storage: SQLiteProjectionStorage) async throws {
        for _ in 0..<100 {
            process.send(SIGSTOP)
            var configuration = Configuration()
            configuration.busyMode = .timeout(0.2)
            let queue = try DatabaseQueue(path: storage.database.path, configuration: configuration)
            do {
                try await queue.write { _ in }
                return
            } catch is DatabaseError {
                process.send(SIGCONT)
            }
        }
        throw DeadlineExceeded(description: "the process has a transaction open all the time")
    }
}

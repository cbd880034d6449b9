import EventSourcing
import EventSourcingSQLite
import EventStreaming
import Foundation
import GRDB
import KafkaClient
import Synchronization
import TestSupport
import Testing

@testable import OrderPipeline

/// A read model of real orders is rebuilt while the old version answers all the time.
///
/// `KSTREAM_ORDERS` names a file of orders; without it the excerpt is replayed.
@Suite("A read model that is rebuilt", .timeLimit(.minutes(10)))
struct RebuildTests {
    /// What the queries have seen.
    private final class Queries: Sendable {
        private let values = Mutex((durations: [Duration](), failures: [String](), versions: [Int: Int]()))

        var count: Int { self.values.withLock { $0.durations.count } }
        var failures: [String] { self.values.withLock { $0.failures } }
        var versions: [Int: Int] { self.values.withLock { $0.versions } }

        func took(_ duration: Duration, of version: Int) {
            self.values.withLock { values in
                values.durations.append(duration)
                values.versions[version, default: 0] += 1
            }
        }

        func failed(_ error: any Error) { self.values.withLock { $0.failures.append("\(error)") } }

        var report: String {
            let sorted = self.values.withLock { $0.durations }.sorted()
            func percentile(_ percent: Double) -> String {
                let index = min(sorted.count - 1, Int(Double(sorted.count) * percent / 100))
                return "\(Int(sorted[index] / .microseconds(1))) µs"
            }
            return "\(sorted.count) queries; median \(percentile(50)), 95th percentile \(percentile(95)), "
                + "99th \(percentile(99)), longest \(percentile(100))"
        }
    }

    @Test("no query fails, whatever version is live")
    func rebuild() async throws {
        let path = ProcessInfo.processInfo.environment["KSTREAM_ORDERS"] ?? Fixtures.excerpt
        let commands = try await OrderBook(reading: OrderFile(path: path)).commands
        try await withPipelineCluster { cluster in
            let totals = try await Replay(cluster: cluster, logger: .silent).run(commands).totals
            try await Fixtures.withFolder { folder in
                let readModels = try SQLiteReadModels(folder: folder)
                let model = readModels["orders"]
                let first = try await self.projector(1, readModels, cluster)
                let runningFirst = Task { try await first.run() }
                try await self.build(first, 1)
                #expect(try await self.revenue(model) == totals.revenueByCountry)

                let queries = Queries()
                let asking = (0..<4).map { _ in Task { await self.ask(model, queries, totals.revenueByCountry) } }
                let second = try await self.projector(2, readModels, cluster)
                let runningSecond = Task { try await second.run() }
                try await self.build(second, 2)
                let duringBuild = queries.count
                let difference = try await readModels.compare("orders", old: 1, new: 2)
                print(difference)
                #expect(difference.newTables == ["customers"])
                #expect(difference.tables.allSatisfy { $0.isEqual })

                try await readModels.promote("orders", to: 2)
                try await self.more(queries, of: 2)
                #expect(try await self.revenue(model) == totals.revenueByCountry)
                let customers = try await model.read { db in
                    try Int.fetchOne(db, sql: "SELECT sum(orders) FROM customers")
                }
                let placed = try await model.read { db in
                    try Int.fetchOne(db, sql: "SELECT count(*) FROM orders WHERE customer IS NOT NULL AND amount > 0")
                }
                #expect(customers == placed)
                #expect(try await readModels.rollBack("orders") == 1)
                try await self.more(queries, of: 1)
                for task in asking { task.cancel() }
                for task in asking { await task.value }
                for task in [runningFirst, runningSecond] {
                    task.cancel()
                    try await task.value
                }
                print("\(commands.count) invoices, rebuilt beside \(duringBuild) queries.", queries.report)
                #expect(queries.failures == [])
                #expect(duringBuild > 0)
            }
        }
    }

    // MARK: Queries

    private static let revenueQuery = """
        SELECT country, sum(CASE WHEN amount < 0 THEN amount WHEN shipped THEN amount ELSE 0 END) AS revenue
        FROM orders GROUP BY country HAVING revenue <> 0
        """

    private func revenue(_ model: SQLiteReadModel) async throws -> [String: Int128] {
        try await model.read { db in
            let rows = try Row.fetchAll(db, sql: Self.revenueQuery)
            return Dictionary(uniqueKeysWithValues: rows.map { ($0[0] as String, Int128($0[1] as Int64)) })
        }
    }

    /// Asks again and again: how an order stands, and now and then for the revenue, which never changes.
    private func ask(_ model: SQLiteReadModel, _ queries: Queries, _ expected: [String: Int128]) async {
        var number = 0
        while !Task.isCancelled {
            number += 1
            let start = ContinuousClock.now
            do {
                if number.isMultiple(of: 100) {
                    let revenue = try await self.revenue(model)
                    if revenue != expected { throw FixtureError(text: "the revenue is \(revenue)") }
                } else {
                    let skip = number
                    let stages = try await model.read { db in
                        try Row.fetchAll(
                            db,
                            sql: "SELECT id, shipped FROM orders WHERE id >= ? LIMIT 1",
                            arguments: ["\(530_000 + skip)"]
                        )
                        .count
                    }
                    if stages > 1 { throw FixtureError(text: "\(stages) rows") }
                }
                queries.took(start.duration(to: .now), of: try await model.liveVersion)
            } catch is CancellationError {
                return
            } catch {
                queries.failed(error)
            }
        }
    }

    private func more(_ queries: Queries, of version: Int) async throws {
        let before = queries.versions[version] ?? 0
        try await eventually(within: .seconds(60), "queries are answered by version \(version)") {
            (queries.versions[version] ?? 0) > before + 500
        }
    }

    // MARK: The projection

    private func projector(
        _ version: Int,
        _ readModels: SQLiteReadModels,
        _ cluster: PipelineCluster
    ) async throws -> Projector<SQLiteProjectionStorage> {
        let storage = try await readModels.storage(of: "orders", version: version) { db in
            try db.execute(
                sql: """
                    CREATE TABLE orders (
                        id TEXT PRIMARY KEY,
                        customer TEXT,
                        country TEXT,
                        amount INTEGER NOT NULL DEFAULT 0,
                        shipped INTEGER NOT NULL DEFAULT 0
                    )
                    """
            )
            if version == 2 { try db.execute(sql: "CREATE TABLE customers (id TEXT PRIMARY KEY, orders INTEGER)") }
        }
        let projection = Projection<Database>(
            name: "orders",
            version: version,
            inputs: [
                ProjectionInput(PipelineTopics.orders) { message, db, _ in
                    switch try message.value {
                    case .placed(let order):
                        try Self.add(order.orderId, order.customerId, order.country, order.total.thousandths, db)
                        if version == 2, let customer = order.customerId {
                            try db.execute(
                                sql: """
                                    INSERT INTO customers VALUES (?, 1)
                                    ON CONFLICT (id) DO UPDATE SET orders = orders + 1
                                    """,
                                arguments: [customer]
                            )
                        }
                    case .creditNoteIssued(let note):
                        try Self.add(note.orderId, note.customerId, note.country, -note.amount.thousandths, db)
                    default: return
                    }
                },
                ProjectionInput(PipelineTopics.shipping) { message, db, _ in
                    guard case .shipped(let order) = try message.value else { return }
                    try db.execute(
                        sql:
                            "INSERT INTO orders (id, shipped) VALUES (?, 1) ON CONFLICT (id) DO UPDATE SET shipped = 1",
                        arguments: [order.orderId]
                    )
                },
            ]
        )
        var configuration = ProjectorConfiguration(bootstrapServers: cluster.bootstrapServers)
        configuration.consumer.maxBatchRecords = 500
        configuration.consumer.fetchMaxWait = .milliseconds(50)
        return Projector(projection, storage: storage, configuration: configuration, logger: .silent)
    }

    private static func add(
        _ id: String,
        _ customer: String?,
        _ country: String,
        _ amount: Int64,
        _ db: Database
    ) throws {
        try db.execute(
            sql: """
                INSERT INTO orders (id, customer, country, amount) VALUES (?1, ?2, ?3, ?4)
                ON CONFLICT (id) DO UPDATE SET customer = ?2, country = ?3, amount = ?4
                """,
            arguments: [id, customer, country, amount]
        )
    }

    /// Waits until a version has come to the end of its topics, and tells how far it is.
    private func build(_ projector: Projector<SQLiteProjectionStorage>, _ version: Int) async throws {
        var told = -1
        try await eventually(within: .seconds(240), "version \(version) is built") {
            if let error = projector.status.error { throw error }
            guard let progress = try await projector.progress(), progress.total > 0 else { return false }
            let percent = Int(progress.fraction * 100)
            if percent / 20 != told {
                told = percent / 20
                let left = progress.timeLeft.map {
                    ", \($0.formatted(.units(allowed: [.seconds], fractionalPart: .show(length: 1)))) left"
                }
                print("version \(version): \(percent) % of \(progress.total) records\(left ?? "")")
            }
            return progress.done == progress.total
        }
    }
}

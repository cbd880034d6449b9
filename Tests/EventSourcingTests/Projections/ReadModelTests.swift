import EventSourcing
import EventSourcingSQLite
import EventStreaming
import Foundation
import GRDB
import KafkaClient
import Synchronization
import TestAccounts
import TestSupport
import Testing

/// Versions, tokens and live queries of read models, without a broker.
@Suite(.timeLimit(.minutes(1)))
struct ReadModelTests {
    private let place = KafkaTopicPartition(topic: "events", partition: 0)

    /// Writes numbers as a projection would: each in its place, with a side effect.
    private struct Writer {
        let storage: SQLiteProjectionStorage
        let place: KafkaTopicPartition
        let effects: Collected<String>

        func write(_ numbers: Range<Int64>, factor: Int64 = 1) async throws {
            let claim = try #require(try await self.storage.claim([self.place], owner: "test")[self.place])
            let (place, version, effects) = (self.place, self.storage.version, self.effects)
            for number in numbers {
                let count = self.storage.changeCount
                do {
                    try await self.storage.write(epochs: [place: claim.epoch]) { db, positions in
                        guard let at = positions.places[place], at.position <= number else { return }
                        try db.execute(
                            sql: "INSERT INTO numbers (id, value) VALUES (?, ?)",
                            arguments: [number, number * factor]
                        )
                        if at.effects.contains(number) { effects.append("\(version):\(number)") }
                        positions.advance(place, to: number + 1)
                    }
                } catch let error as ProjectionError where error.code == .held {
                    try await self.storage.waitForChange(past: count)
                    try await self.write(number..<numbers.upperBound, factor: factor)
                    return
                }
            }
        }
    }

    private func writer(
        _ readModels: SQLiteReadModels,
        _ version: Int,
        _ effects: Collected<String>
    ) async throws -> Writer {
        let storage = try await readModels.storage(of: "numbers", version: version) { db in
            try db.execute(sql: "CREATE TABLE numbers (id INTEGER PRIMARY KEY, value INTEGER NOT NULL)")
        }
        return Writer(storage: storage, place: self.place, effects: effects)
    }

    private func sum(_ model: SQLiteReadModel) async throws -> Int {
        try await model.read { db in try Int.fetchOne(db, sql: "SELECT coalesce(sum(value), 0) FROM numbers") ?? 0 }
    }

    // MARK: Versions

    @Test func aVersionIsBuiltBesidePromotedAndRolledBack() async throws {
        try await withTemporaryFolder { folder in
            let readModels = try SQLiteReadModels(folder: folder)
            let model = readModels["numbers"]
            await #expect(throws: ProjectionError.self) { try await model.liveVersion }
            let effects = Collected<String>()
            let old = try await self.writer(readModels, 1, effects)
            try await old.write(0..<10)
            let new = try await self.writer(readModels, 2, effects)
            #expect(try await self.sum(model) == 45)
            try await new.write(0..<5, factor: 10)
            // It is live when it has caught up, and not before.
            let error = await #expect(throws: ProjectionError.self) {
                try await readModels.promote("numbers", to: 2, maxLag: 4, timeout: .zero)
            }
            #expect(error?.code == .notCaughtUp)
            try await new.write(5..<10, factor: 10)
            #expect(try await model.liveVersion == 1)
            try await readModels.promote("numbers", to: 2)
            #expect(try await model.liveVersion == 2)
            #expect(try await self.sum(model) == 450)
            let live = try #require(try await readModels.catalogued().first)
            #expect(live.versions == [1, 2])
            #expect(live.live == 2)
            #expect(live.previous == 1)

            #expect(try await readModels.rollBack("numbers") == 1)
            #expect(try await self.sum(model) == 45)
            await #expect(throws: ProjectionError.self) { try await readModels.drop("numbers", version: 1) }
            try await readModels.drop("numbers", version: 2)
            #expect(!FileManager.default.fileExists(atPath: "\(folder)/numbers.v2.sqlite"))
            await #expect(throws: ProjectionError.self) { _ = try await self.writer(readModels, 2, effects) }
            await #expect(throws: ProjectionError.self) { try await readModels.promote("numbers", to: 2) }
            await #expect(throws: ProjectionError.self) { try await readModels.rollBack("numbers") }
            #expect(try await readModels.catalogued().first?.versions == [1])
        }
    }

    /// Whatever the two are doing when one takes over from the other, and back: each record has its side effect once.
    @Test(arguments: 0..<10)
    func sideEffectsAreThoseOfTheLiveVersion(_ seed: Int) async throws {
        try await withTemporaryFolder { folder in
            let readModels = try SQLiteReadModels(folder: folder)
            let effects = Collected<String>()
            let old = try await self.writer(readModels, 1, effects)
            try await old.write(0..<20)
            let new = try await self.writer(readModels, 2, effects)
            try await new.write(0..<Int64(15 + seed))
            #expect(effects.elements == (0..<20).map { "1:\($0)" }, "what is built has none")
            // The last ones are written when the new version is live, whatever was written until then.
            let promoted = Gate()
            try await withThrowingTaskGroup(of: Void.self) { group in
                for (writer, start) in [(old, 20), (new, Int64(15 + seed))] {
                    group.addTask {
                        try await writer.write(start..<160)
                        await promoted.wait()
                        try await writer.write(160..<220)
                    }
                }
                group.addTask {
                    defer { promoted.open() }
                    try await eventually("they are on their way") { effects.count > 40 + seed }
                    try await readModels.promote("numbers", to: 2)
                    promoted.open()
                    try await eventually("the new one is live") { effects.elements.contains { $0.hasPrefix("2:") } }
                    try await readModels.rollBack("numbers")
                }
                try await group.waitForAll()
            }
            let numbers = effects.elements.compactMap { Int($0.dropFirst(2)) }
            #expect(numbers.count == 220)
            #expect(Set(numbers) == Set(0..<220))
        }
    }

    /// A promotion that died in the middle is carried to its end by the next one.
    @Test func aPromotionIsCarriedToItsEnd() async throws {
        try await withTemporaryFolder { folder in
            let readModels = try SQLiteReadModels(folder: folder)
            let effects = Collected<String>()
            let old = try await self.writer(readModels, 1, effects)
            let new = try await self.writer(readModels, 2, effects)
            try await old.write(0..<10)
            try await new.write(0..<10)
            // As it is left when the process dies after the old version has given up its side effects.
            let catalogue = try EventDatabase(path: "\(folder)/catalogue.sqlite")
            try await catalogue.write { db in
                try db.execute(sql: "UPDATE projections SET promoting = 2, promotion = 'p'")
            }
            try await new.storage.database.write { db in try db.execute(sql: "UPDATE kstream_version SET held = 1") }
            try await old.storage.database.write { db in
                try db.execute(sql: "UPDATE kstream_version SET promotion = 'p', effects_until = 0")
                try db.execute(sql: "UPDATE kstream_partitions SET effects_until = 10")
            }
            try await old.write(10..<15)
            try await readModels.promote("numbers", to: 2)
            try await new.write(10..<15)
            #expect(try await readModels["numbers"].liveVersion == 2)
            #expect(effects.elements == (0..<10).map { "1:\($0)" } + (10..<15).map { "2:\($0)" })
        }
    }

    /// Several that promote at the same time, as replicas do that start together.
    @Test func manyPromoteAtTheSameTime() async throws {
        try await withTemporaryFolder { folder in
            let readModels = try SQLiteReadModels(folder: folder)
            let effects = Collected<String>()
            let old = try await self.writer(readModels, 1, effects)
            let new = try await self.writer(readModels, 2, effects)
            try await old.write(0..<10)
            try await new.write(0..<3)
            try await withThrowingTaskGroup(of: Void.self) { group in
                for _ in 0..<8 {
                    let others = try SQLiteReadModels(folder: folder)
                    group.addTask { try await others.promote("numbers", to: 2, maxLag: 2) }
                }
                group.addTask { try await new.write(3..<10) }
                try await group.waitForAll()
            }
            try await old.write(10..<20)
            try await new.write(10..<20)
            #expect(try await readModels["numbers"].liveVersion == 2)
            let numbers = effects.elements.compactMap { Int($0.dropFirst(2)) }
            #expect(numbers.sorted() == Array(0..<20))
        }
    }

    /// A version that was live has side effects left up to where it was replaced.
    @Test func aVersionWithSideEffectsLeftIsNotDropped() async throws {
        try await withTemporaryFolder { folder in
            let readModels = try SQLiteReadModels(folder: folder)
            let effects = Collected<String>()
            let old = try await self.writer(readModels, 1, effects)
            let new = try await self.writer(readModels, 2, effects)
            try await old.write(0..<5)
            try await new.write(0..<8)
            try await readModels.promote("numbers", to: 2)
            let error = await #expect(throws: ProjectionError.self) { try await readModels.drop("numbers", version: 1) }
            #expect(error?.code == .notCaughtUp)
            try await old.write(5..<8)
            try await readModels.drop("numbers", version: 1)
            #expect(effects.elements == (0..<8).map { "1:\($0)" })
        }
    }

    @Test func differencesAreTold() async throws {
        try await withTemporaryFolder { folder in
            let readModels = try SQLiteReadModels(folder: folder)
            let effects = Collected<String>()
            let old = try await self.writer(readModels, 1, effects)
            let new = try await self.writer(readModels, 2, effects)
            try await old.write(0..<10)
            try await new.write(0..<10)
            // Rows without a key, which one of the two has twice.
            for (writer, times) in [(old, 1), (new, 2)] {
                try await writer.storage.database.write { db in
                    try db.execute(sql: "CREATE TABLE notes (text)")
                    for _ in 0..<times { try db.execute(sql: "INSERT INTO notes VALUES ('a')") }
                }
            }
            #expect(try await readModels.compare("numbers", old: 1, new: 2).isEqual == false)
            try await new.storage.database.write { db in
                try db.execute(sql: "DELETE FROM notes; INSERT INTO notes VALUES ('a')")
            }
            let equal = try await readModels.compare("numbers", old: 1, new: 2)
            #expect(equal.isEqual)
            #expect(equal.apart.isEmpty)
            try await new.storage.database.write { db in
                try db.execute(
                    sql: """
                        UPDATE numbers SET value = -1 WHERE id = 3;
                        DELETE FROM numbers WHERE id = 4;
                        CREATE TABLE more (x);
                        """
                )
            }
            try await new.write(10..<12)
            let difference = try await readModels.compare("numbers", old: 1, new: 2, samples: 1)
            #expect(!difference.isEqual)
            #expect(difference.newTables == ["more"])
            let table = try #require(difference.tables.last)
            #expect((table.onlyOld, table.onlyNew, table.changed) == (1, 2, 1))
            #expect((table.oldCount, table.newCount) == (10, 11))
            #expect(table.samples == ["old: id 3, value 3", "new: id 3, value -1"])
            #expect(difference.apart[self.place]?.old == 10)
            #expect(difference.apart[self.place]?.new == 12)
            #expect(difference.description.contains("1 are gone, 2 are new, 1 have changed"))
        }
    }

    // MARK: Tokens

    @Test func aReaderWaitsForItsWrite() async throws {
        try await withTemporaryFolder { folder in
            let readModels = try SQLiteReadModels(folder: folder)
            let writer = try await self.writer(readModels, 1, Collected())
            let model = readModels["numbers"]
            try await writer.write(0..<3)
            #expect(try await model.positions == [self.place: 3])
            let token = PositionToken([self.place: 5])
            let stale = try await model.read(after: token, timeout: .milliseconds(50)) { db in
                try Int.fetchOne(db, sql: "SELECT count(*) FROM numbers")
            }
            #expect(stale.isStale)
            #expect(stale.value == 3)
            #expect(stale.missing == token)
            async let fresh = model.read(after: token, timeout: .seconds(30)) { db in
                try Int.fetchOne(db, sql: "SELECT count(*) FROM numbers")
            }
            try await writer.write(3..<5)
            #expect(try await fresh.value == 5)
            #expect(try await fresh.isStale == false)
        }
    }

    /// As another process would: with files of its own.
    @Test func aReaderElsewhereIsWoken() async throws {
        try await withTemporaryFolder { folder in
            let readModels = try SQLiteReadModels(folder: folder)
            let writer = try await self.writer(readModels, 1, Collected())
            let elsewhere = try SQLiteReadModels(folder: folder)["numbers"]
            #expect(try await elsewhere.liveVersion == 1)
            try await writer.write(0..<1)
            #expect(try await elsewhere.wait(for: PositionToken([self.place: 1]), timeout: .seconds(10)).isEmpty)
        }
    }

    /// A thousand at a time, each for its own write: none reads what is older.
    @Test func athousandReadTheirOwnWrites() async throws {
        try await withTemporaryFolder { folder in
            let readModels = try SQLiteReadModels(folder: folder)
            let writer = try await self.writer(readModels, 1, Collected())
            let model = readModels["numbers"]
            try await withThrowingTaskGroup(of: Void.self) { group in
                for number in 0..<1_000 {
                    group.addTask {
                        let token = PositionToken([self.place: Int64(number) + 1])
                        let result = try await model.read(after: token, timeout: .seconds(50)) { db in
                            try Bool.fetchOne(
                                db,
                                sql: "SELECT EXISTS (SELECT 1 FROM numbers WHERE id = ?)",
                                arguments: [number]
                            )
                        }
                        #expect(!result.isStale)
                        #expect(result.value == true)
                    }
                }
                group.addTask { try await writer.write(0..<1_000) }
                try await group.waitForAll()
            }
        }
    }

    // MARK: Live queries

    @Test func answersComeWhenTheyChange() async throws {
        try await withTemporaryFolder { folder in
            let readModels = try SQLiteReadModels(folder: folder)
            let effects = Collected<String>()
            let old = try await self.writer(readModels, 1, effects)
            let model = readModels["numbers"]
            let answers = Collected<Int>()
            let reading = Task {
                let query = model.answers { db in
                    try Int.fetchOne(db, sql: "SELECT coalesce(max(value), -1) FROM numbers") ?? 0
                }
                for try await answer in query { answers.append(answer) }
            }
            try await eventually("the first answer") { answers.elements == [-1] }
            try await old.write(0..<1)
            try await eventually("another one") { answers.elements == [-1, 0] }
            // What changes nothing for the query is no answer.
            try await old.storage.database.write { db in try db.execute(sql: "CREATE TABLE other (x)") }
            try await old.write(1..<2)
            try await eventually("a third one") { answers.elements == [-1, 0, 1] }
            let new = try await self.writer(readModels, 2, effects)
            try await new.write(0..<2, factor: 100)
            try await readModels.promote("numbers", to: 2)
            try await eventually("that of the new version") { answers.elements == [-1, 0, 1, 100] }
            reading.cancel()
            try await reading.value
        }
    }
}

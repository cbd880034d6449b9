import NIOCore
import Testing

@testable import EmbeddedKafka

/// What a log must answer, kept as naively as can be.
private struct Model {
    struct Entry {
        var offset: Int64
        var timestamp: Int64
        var key: String?
        var value: String?
        /// 0: a plain record.
        var producer: Int64
        var isMarker = false
        var isAborted = false
        var isOpen = false
        var base: Int64
    }

    var entries: [Entry] = []
    var start: Int64 = 0
    var end: Int64 = 0

    /// Where each open transaction begins.
    var open: [Int64: Int64] = [:]

    var lastStableOffset: Int64 { max(self.start, self.open.values.min() ?? self.end) }

    mutating func end(_ producer: Int64, commit: Bool, timestamp: Int64) {
        for index in self.entries.indices where self.entries[index].isOpen && self.entries[index].producer == producer {
            self.entries[index].isOpen = false
            self.entries[index].isAborted = !commit
        }
        self.open[producer] = nil
        let marker = Entry(offset: self.end, timestamp: timestamp, producer: producer, isMarker: true, base: self.end)
        self.entries.append(marker)
        self.end += 1
    }

    func values(_ from: Int64, _ isolation: IsolationLevel) -> [String] {
        let limit = isolation == .readCommitted ? self.lastStableOffset : self.end
        return self.entries
            .filter { $0.offset >= from && $0.offset < limit && !$0.isMarker }
            .filter { isolation == .readUncommitted || !$0.isAborted }
            .map { $0.value ?? "nil" }
    }

    /// The last committed value of each key, tombstones as no value.
    func table() -> [String: String] {
        var table: [String: String] = [:]
        let limit = self.lastStableOffset
        for entry in self.entries where !entry.isMarker && !entry.isAborted && entry.offset < limit {
            if let key = entry.key { table[key] = entry.value }
        }
        return table
    }
}

@Suite("A log does what a simple model does")
struct LogModelTests {
    struct Run: Sendable, CustomTestStringConvertible {
        var place: Place
        var compacts: Bool
        var seed: UInt64
        var testDescription: String { "\(self.place) \(self.compacts ? "compacting" : "deleting") \(self.seed)" }
    }

    static let runs: [Run] = Place.allCases.flatMap { place in
        [false, true].flatMap { compacts in (1...2).map { Run(place: place, compacts: compacts, seed: $0) } }
    }

    @Test("Thousands of random steps", .timeLimit(.minutes(2)), arguments: runs)
    func random(run: Run) throws {
        var configuration = LogConfiguration()
        configuration.segmentBytes = 1_500
        configuration.retentionMilliseconds = -1
        configuration.deleteRetentionMilliseconds = 40
        configuration.cleanupPolicy = run.compacts ? .compact : .delete
        try withLog(run.place, configuration) { original, storage in
            var log = original
            var generator = Seeded(run.seed)
            var model = Model()
            var sequences: [Int64: Int32] = [:]
            var now: Int64 = 1_000
            for step in 0..<1_500 {
                now += Int64.random(in: 0...3, using: &generator)
                switch Int.random(in: 0..<100, using: &generator) {
                case 0..<55:
                    let producer = Int64.random(in: 0...3, using: &generator)
                    let count = Int.random(in: 1...4, using: &generator)
                    let records = (0..<count).map { index -> (key: String?, value: String?) in
                        let isTombstone = run.compacts && Int.random(in: 0..<6, using: &generator) == 0
                        return ("k\(Int.random(in: 0..<12, using: &generator))", isTombstone ? nil : "\(step).\(index)")
                    }
                    let sequence = sequences[producer] ?? 0
                    let bytes = keyed(
                        records,
                        timestamp: now,
                        producer: producer == 0 ? nil : (producer, 0, sequence),
                        isTransactional: producer > 0
                    )
                    let base = try log.add(bytes, now: now)
                    #expect(base == model.end)
                    if producer > 0 {
                        sequences[producer] = sequence + Int32(count)
                        model.open[producer] = model.open[producer] ?? base
                        let again = try log.append(bytes, leaderEpoch: 0, now: now).get()
                        #expect(again.isDuplicate && again.baseOffset == base)
                    }
                    for (index, record) in records.enumerated() {
                        model.entries.append(
                            Model.Entry(
                                offset: base + Int64(index),
                                timestamp: now,
                                key: record.key,
                                value: record.value,
                                producer: producer,
                                isOpen: producer > 0,
                                base: base
                            )
                        )
                    }
                    model.end += Int64(count)
                case 55..<70:
                    guard let producer = model.open.keys.sorted().randomElement(using: &generator) else { continue }
                    let commit = Bool.random(using: &generator)
                    #expect(try log.mark(producer, commit: commit, now: now) == model.end)
                    model.end(producer, commit: commit, timestamp: now)
                case 70..<74:
                    log = try log.reopened(storage, now: now)
                    try #require(log.recovery.reason == nil)
                case 74..<78:
                    if run.compacts {
                        try log.compact(now: now, force: Bool.random(using: &generator))
                    } else {
                        let offset = min(model.end, model.start + .random(in: 0...15, using: &generator))
                        #expect(log.deleteRecords(before: offset, now: now) == .success(offset))
                        model.start = offset
                        model.entries.removeAll { $0.offset < offset && !$0.isOpen }
                    }
                case 78..<80:
                    try self.compare(log, model, run, &generator)
                default:
                    break
                }
                #expect(log.startOffset == model.start)
                #expect(log.endOffset == model.end)
                #expect(log.size == log.segments.reduce(0) { $0 + Int64($1.size) })
                let isStable = self.stable(log, model, storage)
                try #require(isStable)
            }
            try self.compare(log, model, run, &generator)
        }
    }

    /// Where the start lies behind an open transaction's, what is read back begins later; both are clamped to the start.
    private func stable(_ log: PartitionLog, _ model: Model, _ storage: LogStorage) -> Bool {
        if log.lastStableOffset == model.lastStableOffset { return true }
        guard case .directory = storage else { return false }
        // A transaction of which all data is deleted is not known after the log was opened again.
        return log.lastStableOffset >= model.lastStableOffset && model.lastStableOffset == model.start
    }

    private func compare(
        _ log: PartitionLog,
        _ model: Model,
        _ run: Run,
        _ generator: inout Seeded
    ) throws {
        let lastStableOffset = model.lastStableOffset
        let offset = Int64.random(in: model.start...model.end, using: &generator)
        if run.compacts {
            // Every record is one that was written, in order, and what they come to is the same.
            let written = Dictionary(uniqueKeysWithValues: model.entries.map { ($0.offset, $0) })
            for isolation in [IsolationLevel.readUncommitted, .readCommitted] {
                let records = try log.records(from: offset, isolation)
                #expect(zip(records, records.dropFirst()).allSatisfy { $0.offset < $1.offset })
                for record in records {
                    let entry = try #require(written[record.offset])
                    #expect(entry.key == record.key && entry.value == record.value)
                    #expect(entry.timestamp == record.timestamp)
                    #expect(isolation == .readUncommitted || !entry.isAborted)
                }
            }
            var table: [String: String] = [:]
            for record in try log.records(from: 0, .readCommitted) { table[record.key ?? ""] = record.value }
            #expect(table == model.table())
        } else if log.lastStableOffset == lastStableOffset {
            #expect(try log.values(from: offset, .readUncommitted) == model.values(offset, .readUncommitted))
            #expect(try log.values(from: offset, .readCommitted) == model.values(offset, .readCommitted))
            let time = Int64.random(in: 990...5_000, using: &generator)
            let found = log.offset(forTimestamp: time, isolation: .readUncommitted)?.offset
            #expect(found == model.entries.first { $0.timestamp >= time && $0.offset >= model.start }?.offset)
        }
    }
}

import Foundation
import NIOCore
import Testing

@testable import EmbeddedKafka

@Suite("Compaction keeps the last record of a key")
struct CompactionTests {
    private func configuration(segmentBytes: Int = 1 << 20) -> LogConfiguration {
        var configuration = LogConfiguration()
        configuration.cleanupPolicy = .compact
        configuration.deleteRetentionMilliseconds = 100
        configuration.segmentBytes = segmentBytes
        return configuration
    }

    private func contents(_ log: PartitionLog) throws -> [String] {
        try log.batches().flatMap(\.records).map { "\($0.offset) \($0.key ?? "-")=\($0.value ?? "nil")" }
    }

    @Test("Offsets and times stay, and so it is when the log is opened again", arguments: Place.allCases)
    func keepsLast(place: Place) throws {
        try withLog(place, self.configuration()) { log, storage in
            try log.add(keyed([("a", "1"), ("b", "1"), ("a", "2")], timestamp: 5))
            try log.add(keyed([("c", "1")], timestamp: 6), leaderEpoch: 3)
            try log.add(keyed([("b", "2")], timestamp: 7))
            #expect(try log.compact(now: 10) == false)
            let before = log.size
            #expect(try log.compact(now: 10, force: true))
            #expect(log.size < before)
            for log in [log, try PartitionLog(storage: storage, configuration: log.configuration, now: 0)] {
                guard place == .directory || log.endOffset > 0 else { continue }
                #expect(try self.contents(log) == ["2 a=2", "3 c=1", "4 b=2"])
                #expect(try log.batches().flatMap(\.records).map(\.timestamp) == [5, 6, 7])
                #expect(log.endOffset == 5)
                // From inside a gap, the next record; a limit of one byte makes progress.
                #expect(try log.values(from: 0) == ["2", "1", "2"])
                let read = try log.read(from: 3, maxBytes: 1, isolation: .readUncommitted, atLeastOneBatch: true).get()
                #expect(Batch.all(in: read.records.joined).first?.header.leaderEpoch == 3)
            }
            #expect(log.size == log.segments.reduce(0) { $0 + Int64($1.size) })
            #expect(try log.add(keyed([("d", "1")])) == 5)
        }
    }

    @Test("The active segment and what is not stable are left alone", arguments: Place.allCases)
    func limits(place: Place) throws {
        try withLog(place, self.configuration(segmentBytes: 100)) { log, _ in
            try log.add(keyed([("a", "1")]))
            try log.add(keyed([("a", "2")]))
            try log.add(keyed([("a", "3")], producer: (1, 0, 0), isTransactional: true))
            try log.add(keyed([("a", "4")]))
            try log.add(keyed([("a", "5")]))
            #expect(try log.compact(now: 0, force: true))
            #expect(try self.contents(log) == ["1 a=2", "2 a=3", "3 a=4", "4 a=5"])
            try log.mark(1, commit: true)
            try log.compact(now: 0, force: true)
            #expect(try self.contents(log).suffix(2).first == "4 a=5")
        }
    }

    @Test("Young records wait, and a log with little that is new is not compacted again")
    func lagAndRatio() throws {
        var configuration = self.configuration(segmentBytes: 100)
        configuration.minCompactionLagMilliseconds = 50
        try withLog(.memory, configuration) { log, _ in
            for index in Int64(0)..<4 {
                try log.add(keyed([("a", "\(index)")], timestamp: index * 10), now: index * 10)
            }
            #expect(try log.compact(now: 49) == false)
            #expect(try log.compact(now: 60))
            #expect(try self.contents(log) == ["1 a=1", "2 a=2", "3 a=3"])
            #expect(try log.compact(now: 60) == false)
        }
    }

    @Test("Tombstones can be read for their time, counted from the first compaction", arguments: Place.allCases)
    func tombstones(place: Place) throws {
        try withLog(place, self.configuration()) { log, storage in
            try log.add(keyed([("a", "1"), ("b", "1")], timestamp: 1))
            try log.add(keyed([("a", nil), ("c", "1")], timestamp: 2))
            try log.compact(now: 1_000, force: true)
            #expect(try self.contents(log) == ["1 b=1", "2 a=nil", "3 c=1"])
            let log = try log.reopened(storage)
            try log.compact(now: 1_099, force: true)
            #expect(try self.contents(log) == ["1 b=1", "2 a=nil", "3 c=1"])
            #expect(try log.batches().flatMap(\.records).map(\.timestamp) == [1, 2, 2])
            #expect(log.offset(forTimestamp: 2, isolation: .readUncommitted)?.offset == 2)
            try log.compact(now: 1_100, force: true)
            #expect(try self.contents(log) == ["1 b=1", "3 c=1"])
            #expect(try self.contents(log.reopened(storage)) == ["1 b=1", "3 c=1"])
        }
    }

    @Test("Aborted records go, and committed ones stay readable", arguments: Place.allCases)
    func transactions(place: Place) throws {
        try withLog(place, self.configuration()) { log, storage in
            try log.add(keyed([("a", "good")]))
            try log.add(keyed([("a", "bad")], producer: (1, 0, 0), isTransactional: true))
            try log.mark(1, commit: false)
            try log.add(keyed([("b", "good")], producer: (1, 0, 1), isTransactional: true))
            try log.mark(1, commit: true)
            try log.add(keyed([("c", "bad")], producer: (1, 0, 2), isTransactional: true))
            try log.mark(1, commit: false)
            for now in [Int64(0), 50, 200, 201] {
                try log.compact(now: now, force: true)
                #expect(try self.contents(log).filter { $0.contains("=good") } == ["0 a=good", "3 b=good"])
                #expect(try !self.contents(log).contains { $0.contains("=bad") })
                #expect(try log.values(.readCommitted).count == 2)
            }
            // The marker of the commit is needed, those of the aborted transactions are not.
            #expect(try log.batches().filter(\.header.isControl).map(\.header.baseOffset) == [4])
            #expect(log.transactions.aborted(from: 0, to: 100).isEmpty)
            let log = try log.reopened(storage)
            #expect(log.lastStableOffset == log.endOffset)
            #expect(!log.hasOpenTransaction(producerID: 1))
            // The last sequence number is known, though its record is gone.
            #expect(
                log.refusal(of: keyed([("c", "x")], producer: (1, 0, 5), isTransactional: true))
                    == .outOfOrderSequenceNumber
            )
            #expect(log.refusal(of: keyed([("c", "x")], producer: (1, 0, 3), isTransactional: true)) == nil)
        }
    }

    @Test("An epoch that only a marker tells goes on fencing", arguments: Place.allCases)
    func fencing(place: Place) throws {
        try withLog(place, self.configuration()) { log, storage in
            try log.add(keyed([("a", "bad")], producer: (1, 0, 0), isTransactional: true))
            try log.mark(1, epoch: 1, commit: false)
            for now in [Int64(0), 500, 1_000] { try log.compact(now: now, force: true) }
            let log = try log.reopened(storage)
            #expect(
                log.refusal(of: keyed([("a", "late")], producer: (1, 0, 1), isTransactional: true))
                    == .invalidProducerEpoch
            )
        }
    }

    @Test("Small segments become one", arguments: Place.allCases)
    func merging(place: Place) throws {
        try withLog(place, self.configuration(segmentBytes: 300)) { log, storage in
            for index in 0..<100 { try log.add(keyed([("\(index % 5)", "\(index)")])) }
            let before = log.segments.count
            for _ in 0..<6 { try log.compact(now: 0, force: true) }
            #expect(before > 20)
            #expect(log.segments.count <= 4)
            let expected = (95..<100).map { "\($0) \($0 % 5)=\($0)" }
            #expect(try self.contents(log) == expected)
            let again = try log.reopened(storage)
            #expect(try self.contents(again) == expected)
            #expect(again.endOffset == 100)
            #expect(again.recovery.reason == nil)
        }
    }

    @Test("Compressed batches: looked into if they can be, and whole if not", arguments: Place.allCases)
    func compressed(place: Place) throws {
        func compressed(_ records: [(String?, String?)], _ compression: RecordBatchHeader.Compression) -> ByteBuffer {
            let plain = keyed(records)
            guard var header = RecordBatchHeader(plain, at: 0),
                let body = plain.getSlice(at: RecordBatchHeader.size, length: header.size - RecordBatchHeader.size)
            else { return plain }
            header.attributes |= compression.rawValue
            return header.encoded(records: compression == .lz4 ? stored(body) : body)
        }
        try withLog(place, self.configuration()) { log, _ in
            try log.add(compressed([("a", "1"), ("b", "1")], .lz4))
            try log.add(compressed([("a", "2"), ("b", "2")], .gzip))
            try log.add(keyed([("a", "3")]))
            try log.add(compressed([("d", "1"), ("d", "2")], .gzip))
            try log.compact(now: 0, force: true)
            let batches = try log.batches()
            #expect(batches.map(\.header.baseOffset) == [0, 2, 4, 5])
            #expect(
                batches.map(\.header.compression) == [
                    RecordBatchHeader.Compression.none, .gzip, RecordBatchHeader.Compression.none, .gzip,
                ]
            )
            #expect(batches[0].records.map(\.key) == ["b"])
            #expect(batches.map(\.header.recordCount) == [1, 2, 1, 2])
            #expect(log.refusal(of: compressed([(nil, "1")], .lz4)) == .invalidRecord)
            #expect(log.refusal(of: compressed([(nil, "1")], .gzip)) == nil)
        }
    }

    @Test("A crash at any step of the exchange of files loses nothing")
    func crash() throws {
        try withFolder { folder in
            let manager = FileManager.default
            let path = "\(folder)/topic-0"
            let configuration = self.configuration(segmentBytes: 230)
            let log = try PartitionLog(storage: .directory(path), configuration: configuration, now: 0)
            for index in 0..<12 { try log.add(keyed([("\(index % 3)", "\(index)")])) }
            try log.roll(now: 0)
            try log.close()
            let old = try manager.contentsOfDirectory(atPath: path).sorted()
            try manager.copyItem(atPath: path, toPath: "\(folder)/before")
            let compacting = try PartitionLog(storage: .directory(path), configuration: configuration, now: 0)
            compacting.configuration.segmentBytes = 1 << 20
            try compacting.compact(now: 0, force: true)
            let expected = ["9 0=9", "10 1=10", "11 2=11"]
            #expect(try self.contents(compacting) == expected)
            try compacting.close()
            let merged = "\(path)/00000000000000000000.log"
            let swap = "00000000000000000000-00000000000000000012.swap"
            try #require(old.count == 5)
            // Before the rename: a cleaned file, whole or in part, doesn't count.
            for name in ["00000000000000000000.cleaned", "log-start-offset-checkpoint.tmp"] {
                let copy = "\(folder)/cleaned-\(name)"
                try manager.copyItem(atPath: "\(folder)/before", toPath: copy)
                try manager.copyItem(atPath: merged, toPath: "\(copy)/\(name)")
                let log = try PartitionLog(storage: .directory(copy), configuration: configuration, now: 0)
                #expect(try log.values() == (0..<12).map(String.init))
                #expect(try !manager.contentsOfDirectory(atPath: copy).contains(name))
            }
            // After it: the swap file counts, however many of the old files are gone.
            for removed in 0...4 {
                let copy = "\(folder)/swap-\(removed)"
                try manager.copyItem(atPath: "\(folder)/before", toPath: copy)
                try manager.copyItem(atPath: merged, toPath: "\(copy)/\(swap)")
                for name in old.prefix(removed) { try manager.removeItem(atPath: "\(copy)/\(name)") }
                let log = try PartitionLog(storage: .directory(copy), configuration: configuration, now: 0)
                #expect(try self.contents(log) == expected)
                #expect(log.endOffset == 12)
                #expect(log.recovery.reason == nil)
                #expect(try manager.contentsOfDirectory(atPath: copy).sorted() == [old[0], old[4]])
            }
        }
    }
}

import NIOCore
import Testing

@testable import EmbeddedKafka

@Suite("A log gives whole batches")
struct ReadTests {
    @Test("From each offset, across segments, up to the limit", arguments: Place.allCases)
    func limits(place: Place) throws {
        var configuration = LogConfiguration()
        let unit = batch("0", "1", "2").readableBytes
        configuration.segmentBytes = unit * 4
        try withLog(place, configuration) { log, _ in
            for _ in 0..<10 { try log.add(batch("0", "1", "2")) }
            #expect(log.segments.count == 3)
            for offset in Int64(0)..<30 {
                for limit in [0, 1, unit, unit + 1, unit * 5, unit * 100] {
                    let read = try log.read(
                        from: offset,
                        maxBytes: limit,
                        isolation: .readUncommitted,
                        atLeastOneBatch: true
                    ).get()
                    let first = offset / 3
                    let expected = min(10 - first, max(1, Int64(limit / unit)))
                    let bases = Batch.all(in: read.records.joined).map(\.header.baseOffset)
                    #expect(bases == (first..<first + expected).map { $0 * 3 })
                }
                #expect(log.availableBytes(from: offset, isolation: .readUncommitted) == Int(10 - offset / 3) * unit)
            }
            let none = try log.read(from: 4, maxBytes: unit - 1, isolation: .readUncommitted, atLeastOneBatch: false)
                .get()
            #expect(none.records.readableBytes == 0)
            #expect(try log.batches(from: 30).isEmpty)
            for offset in [Int64.min, -1, 31, .max] {
                #expect(throws: ErrorCode.offsetOutOfRange) { try log.batches(from: offset) }
                #expect(log.availableBytes(from: offset, isolation: .readUncommitted) == 0)
            }
        }
    }

    @Test("What was read stays as it was while the log grows")
    func ownMemory() throws {
        try withLog(.memory) { log, _ in
            // Enough for several pieces of memory, of which all but the last are shared.
            for _ in 0..<500 { try log.add(batch("a")) }
            let read = try log.read(from: 0, maxBytes: .max, isolation: .readUncommitted, atLeastOneBatch: true).get()
            #expect(read.records.pieces.count > 2)
            #expect(Batch.all(in: read.records.joined).count == 500)
            let before = Array(read.records.joined.readableBytesView)
            for _ in 0..<1_000 { try log.add(batch("another")) }
            _ = log.deleteRecords(before: -1, now: 0)
            #expect(Array(read.records.joined.readableBytesView) == before)
        }
    }

    @Test("A committed reader's bytes end at the last stable offset")
    func availableCommitted() throws {
        try withLog(.memory) { log, _ in
            try log.add(batch("a"))
            let before = log.size
            try log.add(batch("b", producer: (1, 0, 0), isTransactional: true))
            try log.add(batch("c"))
            #expect(log.availableBytes(from: 0, isolation: .readCommitted) == Int(before))
            #expect(log.availableBytes(from: 0, isolation: .readUncommitted) == Int(log.size))
            #expect(try log.batches(from: 2, .readCommitted).isEmpty)
            try log.mark(1, commit: true)
            #expect(log.availableBytes(from: 0, isolation: .readCommitted) == Int(log.size))
        }
    }

    @Test("Batches of all sizes come back from memory and files", arguments: Place.allCases)
    func sizes(place: Place) throws {
        try withLog(place) { log, storage in
            let values = [1, 100, 5_000, 70_000, 900_000, 3, 1_000_000, 4_096, 16_000].map {
                String(repeating: "x", count: $0)
            }
            for value in values { try log.add(batch(value)) }
            #expect(try log.values() == values)
            #expect(try log.reopened(storage).values() == values)
        }
    }

    @Test("Leader epochs end where the next begins", arguments: Place.allCases)
    func epochs(place: Place) throws {
        try withLog(place) { log, storage in
            #expect(log.endOffset(forLeaderEpoch: 0) == (-1, -1))
            try log.add(batch("a", "b"), leaderEpoch: 1)
            try log.add(batch("c"), leaderEpoch: 4)
            try log.add(batch("d"), leaderEpoch: 4)
            let log = try log.reopened(storage)
            #expect(log.endOffset(forLeaderEpoch: 0) == (0, 0))
            #expect(log.endOffset(forLeaderEpoch: 1) == (1, 2))
            #expect(log.endOffset(forLeaderEpoch: 3) == (1, 2))
            #expect(log.endOffset(forLeaderEpoch: 4) == (4, 4))
            #expect(log.endOffset(forLeaderEpoch: 5) == (-1, -1))
            log.beginLeaderEpoch(5)
            log.beginLeaderEpoch(6)
            #expect(log.endOffset(forLeaderEpoch: 4) == (4, 4))
            #expect(log.endOffset(forLeaderEpoch: 6) == (6, 4))
            _ = log.deleteRecords(before: 3, now: 0)
            #expect(log.endOffset(forLeaderEpoch: 1) == (1, 3))
        }
    }
}

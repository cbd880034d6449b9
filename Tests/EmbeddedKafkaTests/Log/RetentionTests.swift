import NIOCore
import Testing

@testable import EmbeddedKafka

@Suite("Old records go")
struct RetentionTests {
    @Test("By time, whole segments from the first, and the last one too", arguments: Place.allCases)
    func time(place: Place) throws {
        var configuration = LogConfiguration()
        configuration.segmentBytes = 150
        configuration.retentionMilliseconds = 100
        try withLog(place, configuration) { log, storage in
            for index in Int64(0)..<6 { try log.add(batch("\(index)", timestamp: index * 10), now: index * 10) }
            #expect(log.segments.count == 3)
            try log.enforceRetention(now: 110)
            #expect(log.startOffset == 0)
            try log.enforceRetention(now: 111)
            #expect(log.startOffset == 2)
            #expect(try log.values() == ["2", "3", "4", "5"])
            let again = try log.reopened(storage)
            #expect(again.startOffset == 2)
            try again.enforceRetention(now: 1_000)
            #expect(again.startOffset == 6)
            #expect(again.size == 0)
            #expect(try again.add(batch("6")) == 6)
            #expect(try again.reopened(storage).values() == ["6"])
        }
    }

    @Test("By size, on its own whenever a segment is full", arguments: Place.allCases)
    func size(place: Place) throws {
        var configuration = LogConfiguration()
        configuration.segmentBytes = 1_000
        configuration.retentionBytes = 5_000
        try withLog(place, configuration) { log, _ in
            for index in 0..<1_000 {
                try log.add(batch("\(index)"))
                // What is retained, one segment that is not wholly more, and the one that fills.
                #expect(log.size <= 7_000)
            }
            #expect(log.size >= 5_000)
            #expect(log.startOffset == log.segments.first?.baseOffset)
            #expect(try log.values().last == "999")
        }
    }

    @Test("Without limits nothing goes")
    func unlimited() throws {
        var configuration = LogConfiguration()
        configuration.segmentBytes = 100
        configuration.retentionMilliseconds = -1
        try withLog(.memory, configuration) { log, _ in
            for _ in 0..<10 { try log.add(batch("a", timestamp: 0)) }
            try log.enforceRetention(now: .max)
            #expect(log.startOffset == 0)
        }
    }

    @Test("A segment is full by the times of its records")
    func segmentAge() throws {
        var configuration = LogConfiguration()
        configuration.segmentMilliseconds = 100
        try withLog(.memory, configuration) { log, _ in
            for time in [Int64(0), 50, 100, 101, 150] { try log.add(batch("a", timestamp: time)) }
            #expect(log.segments.map(\.baseOffset) == [0, 3])
        }
    }

    @Test("DeleteRecords", arguments: Place.allCases)
    func deleteRecords(place: Place) throws {
        try withLog(place) { log, _ in
            try log.add(batch("0", "1", "2"))
            try log.add(batch("3"))
            #expect(log.deleteRecords(before: 5, now: 0) == .failure(.offsetOutOfRange))
            #expect(log.deleteRecords(before: -2, now: 0) == .failure(.offsetOutOfRange))
            #expect(log.deleteRecords(before: 2, now: 0) == .success(2))
            #expect(log.deleteRecords(before: 1, now: 0) == .success(2))
            #expect(throws: ErrorCode.offsetOutOfRange) { try log.batches(from: 1) }
            #expect(try log.batches(from: 2).map(\.header.baseOffset) == [0, 3])
            #expect(log.deleteRecords(before: -1, now: 0) == .success(4))
            #expect(log.size == 0)
            log.configuration.cleanupPolicy = .compact
            #expect(log.deleteRecords(before: 4, now: 0) == .failure(.policyViolation))
        }
    }

    @Test("Aborted transactions below the start are forgotten, an open one there is not")
    func transactions() throws {
        try withLog(.memory) { log, _ in
            try log.add(batch("a", producer: (1, 0, 0), isTransactional: true))
            try log.mark(1, commit: false)
            try log.add(batch("b", producer: (1, 0, 1), isTransactional: true))
            try log.add(batch("c"))
            #expect(log.deleteRecords(before: 3, now: 0) == .success(3))
            #expect(log.lastStableOffset == 3)
            #expect(log.transactions.aborted(from: 0, to: 100).isEmpty)
            try log.mark(1, commit: true)
            #expect(log.lastStableOffset == 5)
        }
    }
}

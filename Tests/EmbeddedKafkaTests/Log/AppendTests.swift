import NIOCore
import Testing

@testable import EmbeddedKafka

@Suite("A log takes batches")
struct AppendTests {
    @Test("Offsets and leader epochs are given, and the records stay as they came", arguments: Place.allCases)
    func appends(place: Place) throws {
        try withLog(place) { log, _ in
            let sent = batch("a", "b", "c")
            #expect(try log.add(sent, leaderEpoch: 3) == 0)
            #expect(try log.add(batch("d"), leaderEpoch: 4) == 3)
            #expect(log.endOffset == 4)
            let batches = try log.batches()
            #expect(batches.map(\.header.baseOffset) == [0, 3])
            #expect(batches.map(\.header.leaderEpoch) == [3, 4])
            #expect(batches[0].bytes.readableBytesView.dropFirst(16) == sent.readableBytesView.dropFirst(16))
            #expect(try log.values() == ["a", "b", "c", "d"])
        }
    }

    @Test("A slice of a message is stored, and the message is left alone")
    func slice() throws {
        try withLog(.memory) { log, _ in
            var message = ByteBuffer(string: "before")
            message.writeImmutableBuffer(batch("a", "b"))
            message.writeString("after")
            let copy = message
            let slice = try #require(message.getSlice(at: 6, length: message.readableBytes - 11))
            try log.add(batch("first"))
            try log.add(slice, leaderEpoch: 9)
            #expect(message == copy)
            #expect(try log.values() == ["first", "a", "b"])
        }
    }

    @Test("Log append time replaces the times, and the checksum is right", arguments: Place.allCases)
    func logAppendTime(place: Place) throws {
        var configuration = LogConfiguration()
        configuration.usesLogAppendTime = true
        try withLog(place, configuration) { log, _ in
            let appended = try log.append(batch("a", "b", timestamp: 5), leaderEpoch: 0, now: 777).get()
            #expect(appended.logAppendTime == 777)
            let stored = try #require(try log.batches().first)
            #expect(stored.header.usesLogAppendTime)
            #expect(stored.header.maxTimestamp == 777)
            #expect(stored.records.map(\.timestamp) == [777, 777])
        }
    }

    @Test("What Apache Kafka refuses is refused with its code")
    func refusals() throws {
        func changed(_ change: (inout ByteBuffer) -> Void, fixed: Bool = true) -> ByteBuffer {
            var bytes = batch("a", "b")
            change(&bytes)
            if fixed { bytes.setInteger(RecordBatchHeader.checksum(of: bytes), at: 17) }
            return bytes
        }
        var two = batch("a")
        two.writeImmutableBuffer(batch("b"))
        let cases: [(String, ByteBuffer, ErrorCode)] = [
            ("empty", ByteBuffer(), .invalidRecord),
            ("too short", ByteBuffer(repeating: 0, count: 10), .corruptMessage),
            ("format 1", changed { $0.setInteger(1 as Int8, at: 16) }, .invalidRecord),
            ("format 3", changed { $0.setInteger(3 as Int8, at: 16) }, .corruptMessage),
            ("header cut", batch("a").getSlice(at: 0, length: 40) ?? ByteBuffer(), .corruptMessage),
            ("records cut", batch("a").getSlice(at: 0, length: 65) ?? ByteBuffer(), .corruptMessage),
            ("negative length", changed { $0.setInteger(-5 as Int32, at: 8) }, .corruptMessage),
            ("two batches", two, .invalidRecord),
            ("checksum", changed({ $0.setInteger(0 as UInt8, at: $0.writerIndex - 2) }, fixed: false), .corruptMessage),
            ("control", changed { $0.setInteger(0x20 as Int16, at: 21) }, .invalidRecord),
            ("compression 7", changed { $0.setInteger(7 as Int16, at: 21) }, .unsupportedCompressionType),
            ("append time", changed { $0.setInteger(8 as Int16, at: 21) }, .invalidTimestamp),
            ("last delta", changed { $0.setInteger(2 as Int32, at: 23) }, .invalidRecord),
            ("negative delta", changed { $0.setInteger(-1 as Int32, at: 23) }, .invalidRecord),
            ("count", changed { $0.setInteger(0 as Int32, at: 57) }, .invalidRecord),
            ("base offset", changed { $0.setInteger(5 as Int64, at: 0) }, .invalidRecord),
            ("id without sequence", batch("a", producer: (1, 0, -1)), .invalidRecord),
            ("transactional without id", changed { $0.setInteger(0x10 as Int16, at: 21) }, .invalidRecord),
        ]
        try withLog(.memory) { log, _ in
            for (name, bytes, code) in cases { #expect(log.refusal(of: bytes) == code, "\(name)") }
            #expect(log.endOffset == 0)
            #expect(log.size == 0)
            log.configuration.maxMessageBytes = batch("a", "b").readableBytes
            #expect(log.refusal(of: batch("a", "b")) == nil)
            #expect(log.refusal(of: batch("a", "bb")) == .messageTooLarge)
            log.configuration.maxMessageBytes = LogConfiguration().maxMessageBytes
            log.configuration.timestampAfterMaxMilliseconds = 10
            #expect(log.refusal(of: batch("a", timestamp: 21), now: 10) == .invalidTimestamp)
            #expect(log.refusal(of: batch("a", timestamp: .max), now: -5) == .invalidTimestamp)
            log.configuration.cleanupPolicy = .compact
            #expect(log.refusal(of: batch("a")) == .invalidRecord)
            #expect(log.refusal(of: keyed([("k", "a"), (nil, "b")])) == .invalidRecord)
            #expect(log.refusal(of: keyed([("k", "a")])) == nil)
        }
    }

    @Test("Bytes of any kind are refused or taken, and nothing traps")
    func anyBytes() throws {
        var generator = Seeded(7)
        try withLog(.memory) { log, _ in
            log.configuration.cleanupPolicy = [.compact, .delete]
            for _ in 0..<5_000 {
                var bytes = keyed([("k", "value"), ("l", nil)], producer: (1, 0, 0))
                for _ in 0..<Int.random(in: 1...4, using: &generator) {
                    let index = Int.random(in: 0..<bytes.readableBytes, using: &generator)
                    bytes.setInteger(UInt8.random(in: .min ... .max, using: &generator), at: index)
                }
                if Bool.random(using: &generator) { bytes.setInteger(RecordBatchHeader.checksum(of: bytes), at: 17) }
                _ = log.append(bytes, leaderEpoch: 0, now: 1_000)
            }
            _ = try log.compact(now: 5_000, force: true)
            for time in [Int64.min, 0, 1_000, .max] { _ = log.offset(forTimestamp: time, isolation: .readUncommitted) }
            _ = log.offsetOfMaxTimestamp(isolation: .readUncommitted)
        }
    }

    @Test("A write that fails leaves the log as it was")
    func failedWrite() throws {
        let directory = FailingDirectory()
        let log = try PartitionLog(directory: directory, configuration: LogConfiguration(), now: 0)
        try log.add(batch("a", producer: (1, 0, 0), isTransactional: true))
        directory.fails = true
        #expect(log.refusal(of: batch("b", producer: (1, 0, 1), isTransactional: true)) == .storageError)
        #expect(
            log.appendMarker(
                producerID: 1,
                producerEpoch: 0,
                commit: true,
                coordinatorEpoch: 0,
                leaderEpoch: 0,
                now: 0
            ) == .failure(.storageError)
        )
        #expect(log.endOffset == 1)
        #expect(log.lastStableOffset == 0)
        directory.fails = false
        try log.add(batch("b", producer: (1, 0, 1), isTransactional: true))
        #expect(try log.values() == ["a", "b"])
    }

    @Test("A closed log answers with a storage error", arguments: Place.allCases)
    func closed(place: Place) throws {
        try withLog(place) { log, _ in
            try log.add(batch("a"))
            try log.close()
            #expect(log.refusal(of: batch("b")) == .storageError)
            #expect(throws: ErrorCode.storageError) { try log.batches() }
        }
    }
}

/// A generator that gives the same numbers each time (SplitMix64).
struct Seeded: RandomNumberGenerator {
    private var state: UInt64

    init(_ seed: UInt64) { self.state = seed }

    mutating func next() -> UInt64 {
        self.state &+= 0x9e37_79b9_7f4a_7c15
        var z = self.state
        z = (z ^ z >> 30) &* 0xbf58_476d_1ce4_e5b9
        z = (z ^ z >> 27) &* 0x94d0_49bb_1331_11eb
        return z ^ z >> 31
    }
}

/// Segments in memory whose writes fail on demand.
private final class FailingDirectory: SegmentDirectory {
    final class Segment: SegmentStore {
        let base = MemorySegment()
        unowned let directory: FailingDirectory

        init(_ directory: FailingDirectory) { self.directory = directory }

        var size: Int { self.base.size }
        func append(_ header: ByteBuffer, _ body: ByteBuffer) throws(LogError) {
            if self.directory.fails { throw LogError("The disk is full.") }
            self.base.append(header, body)
        }
        func read(at position: Int, count: Int, into buffer: inout ByteBuffer) throws(LogError) {
            try self.base.read(at: position, count: count, into: &buffer)
        }
        func truncate(to size: Int) { self.base.truncate(to: size) }
        func flush() {}
        func seal() {}
        func close() {}
    }

    var fails = false

    func recoverSegments() -> [Int64] { [] }
    func openSegment(_ baseOffset: Int64) -> any SegmentStore { Segment(self) }
    func makeSegment(_ baseOffset: Int64) -> any SegmentStore { Segment(self) }
    func removeSegment(_ baseOffset: Int64) {}
    func makeCleanedSegment(_ baseOffset: Int64) -> any SegmentStore { Segment(self) }
    func discardCleanedSegment(_ baseOffset: Int64, _ segment: any SegmentStore) {}
    func replaceSegments(_: [Int64], endOffset: Int64, with cleaned: any SegmentStore) -> any SegmentStore { cleaned }
    func loadStartOffset() -> Int64? { nil }
    func saveStartOffset(_ offset: Int64) {}
    func remove() {}
}

import NIOCore
import Testing

@testable import EmbeddedKafka

@Suite("Records are found by time")
struct TimeTests {
    /// A batch with records at these times.
    private func timed(_ times: Int64..., compression: RecordBatchHeader.Compression = .none) -> ByteBuffer {
        var builder = RecordBatchBuilder(baseTimestamp: times.first ?? 0)
        for time in times { builder.append(key: nil, value: ByteBuffer(string: "\(time)"), timestamp: time) }
        var batch = builder.build()
        guard let header = RecordBatchHeader(batch, at: 0), compression != .none else { return batch }
        var records = batch.getSlice(at: RecordBatchHeader.size, length: header.size - RecordBatchHeader.size) ?? batch
        if compression == .lz4 { records = stored(records) }
        builder.header.attributes |= compression.rawValue
        batch = builder.header.encoded(records: records)
        return batch
    }

    @Test("The first record, not batch, though times go up and down", arguments: Place.allCases)
    func first(place: Place) throws {
        var configuration = LogConfiguration()
        configuration.segmentBytes = 200
        try withLog(place, configuration) { log, storage in
            try log.add(self.timed(10, 30, 20), leaderEpoch: 1)
            try log.add(self.timed(25, 5))
            try log.add(self.timed(40, 15, 40), leaderEpoch: 2)
            try log.add(self.timed(1))
            let log = try log.reopened(storage)
            #expect(log.segments.count > 1)
            func find(_ time: Int64) -> Int64? { log.offset(forTimestamp: time, isolation: .readUncommitted)?.offset }
            #expect([0, 10, 11, 30, 31, 40, 41, .min, .max].map(find) == [0, 0, 1, 1, 5, 5, nil, 0, nil])
            #expect(
                log.offset(forTimestamp: 35, isolation: .readUncommitted)
                    == .init(offset: 5, timestamp: 40, leaderEpoch: 2)
            )
            #expect(log.offsetOfMaxTimestamp(isolation: .readUncommitted)?.offset == 5)
            #expect(log.deleteRecords(before: 2, now: 0) == .success(2))
            #expect(find(11) == 2)
            #expect(find(21) == 3)
            #expect(log.deleteRecords(before: 6, now: 0) == .success(6))
            #expect(find(11) == 6)
            #expect(log.offsetOfMaxTimestamp(isolation: .readUncommitted)?.offset == 7)
            #expect(log.deleteRecords(before: 8, now: 0) == .success(8))
            #expect(log.offsetOfMaxTimestamp(isolation: .readUncommitted)?.timestamp == 1)
            #expect(log.deleteRecords(before: -1, now: 0) == .success(9))
            #expect(log.offsetOfMaxTimestamp(isolation: .readUncommitted) == nil)
        }
    }

    @Test("A committed reader finds nothing at the last stable offset or above")
    func isolation() throws {
        try withLog(.memory) { log, _ in
            try log.add(batch("a", timestamp: 10))
            try log.add(batch("b", timestamp: 20, producer: (1, 0, 0), isTransactional: true))
            #expect(log.offset(forTimestamp: 15, isolation: .readCommitted) == nil)
            #expect(log.offset(forTimestamp: 15, isolation: .readUncommitted)?.offset == 1)
            #expect(log.offsetOfMaxTimestamp(isolation: .readCommitted)?.offset == 0)
            try log.mark(1, commit: true, now: 12)
            #expect(log.offset(forTimestamp: 15, isolation: .readCommitted)?.offset == 1)
        }
    }

    @Test("With log append time all records of a batch have one")
    func appendTime() throws {
        var configuration = LogConfiguration()
        configuration.usesLogAppendTime = true
        try withLog(.memory, configuration) { log, _ in
            try log.add(self.timed(500, 600), now: 10)
            try log.add(self.timed(1, 2), now: 20)
            #expect(log.offset(forTimestamp: 11, isolation: .readUncommitted)?.offset == 2)
            #expect(log.offset(forTimestamp: 21, isolation: .readUncommitted) == nil)
        }
    }

    @Test("Compressed batches are looked into, or count as a whole")
    func compressed() throws {
        try withLog(.memory) { log, _ in
            try log.add(self.timed(10, 20, 30, compression: .lz4))
            try log.add(self.timed(40, 50, 60, compression: .zstd))
            #expect(log.offset(forTimestamp: 15, isolation: .readUncommitted)?.offset == 1)
            #expect(log.offset(forTimestamp: 55, isolation: .readUncommitted)?.offset == 3)
            #expect(log.offsetOfMaxTimestamp(isolation: .readUncommitted)?.offset == 3)
        }
    }
}

/// An LZ4 frame with one block that is not compressed.
func stored(_ bytes: ByteBuffer) -> ByteBuffer {
    var frame = ByteBuffer()
    frame.writeInteger(0x184d_2204 as UInt32, endianness: .little)
    frame.writeBytes([0x60, 0x40, 0])
    frame.writeInteger(UInt32(bytes.readableBytes) | 1 << 31, endianness: .little)
    frame.writeImmutableBuffer(bytes)
    frame.writeInteger(0 as UInt32)
    return frame
}

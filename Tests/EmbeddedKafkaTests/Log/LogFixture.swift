import Foundation
import NIOCore
import Testing

@testable import EmbeddedKafka

/// The two places where a log can be.
enum Place: String, CaseIterable, Sendable, CustomTestStringConvertible {
    case memory
    case directory

    var testDescription: String { self.rawValue }
}

/// Runs a test with an empty folder, which is removed afterwards.
func withFolder<Result>(_ body: (String) throws -> Result) throws -> Result {
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent("log-\(UUID().uuidString)").path
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(atPath: folder) }
    return try body(folder)
}

/// Runs a test with an empty log. Where it is in files they are in `folder`.
func withLog<Result>(
    _ place: Place,
    _ configuration: LogConfiguration = LogConfiguration(),
    _ body: (PartitionLog, LogStorage) throws -> Result
) throws -> Result {
    try withFolder { folder in
        let storage: LogStorage = place == .memory ? .memory : .directory("\(folder)/topic-0")
        return try body(PartitionLog(storage: storage, configuration: configuration, now: 0), storage)
    }
}

extension PartitionLog {
    /// Closes the log and opens it again, if it is in files.
    func reopened(_ storage: LogStorage, now: Int64 = 0) throws -> PartitionLog {
        guard case .directory = storage else { return self }
        try self.close()
        return try PartitionLog(storage: storage, configuration: self.configuration, now: now)
    }

    /// All batches that a reader gets from an offset on.
    func batches(from offset: Int64? = nil, _ isolation: IsolationLevel = .readUncommitted) throws -> [Batch] {
        let read = try self.read(
            from: offset ?? self.startOffset,
            maxBytes: .max,
            isolation: isolation,
            atLeastOneBatch: true
        ).get()
        return Batch.all(in: read.records.joined)
    }

    /// The values of all data records that a reader gets who obeys the list of aborted transactions.
    func values(from offset: Int64? = nil, _ isolation: IsolationLevel = .readUncommitted) throws -> [String] {
        try self.records(from: offset, isolation).map { $0.value ?? "nil" }
    }

    /// All data records that a reader gets who obeys the list of aborted transactions.
    func records(from offset: Int64? = nil, _ isolation: IsolationLevel) throws -> [Batch.Record] {
        let offset = offset ?? self.startOffset
        let read = try self.read(from: offset, maxBytes: .max, isolation: isolation, atLeastOneBatch: true).get()
        var waiting = (read.abortedTransactions ?? []).sorted { $0.firstOffset < $1.firstOffset }
        var aborted: Set<Int64> = []
        var records: [Batch.Record] = []
        for batch in Batch.all(in: read.records.joined) {
            while let first = waiting.first, first.firstOffset <= batch.header.lastOffset {
                aborted.insert(first.producerID)
                waiting.removeFirst()
            }
            if batch.header.isControl {
                if ControlRecord(batch.bytes, header: batch.header)?.isCommit == false {
                    aborted.remove(batch.header.producerID)
                }
            } else if !batch.header.isTransactional || !aborted.contains(batch.header.producerID) {
                records += batch.records.filter { $0.offset >= offset }
            }
        }
        return records
    }
}

/// A batch as a client sees it.
struct Batch {
    struct Record: Equatable {
        var offset: Int64
        var timestamp: Int64
        var key: String?
        var value: String?
    }

    var header: RecordBatchHeader
    var bytes: ByteBuffer
    var records: [Record]

    static func all(in bytes: ByteBuffer) -> [Batch] {
        var bytes = bytes
        var batches: [Batch] = []
        while let header = RecordBatchHeader(bytes, at: bytes.readerIndex),
            let batch = bytes.readSlice(length: header.size)
        {
            precondition(RecordBatchHeader.checksum(of: batch) == header.checksum, "a batch has a wrong checksum")
            var records: [Record] = []
            if var cursor = header.records(of: batch) {
                while let view = try? cursor.next() { records.append(Record(view, header)) }
                precondition(records.count == Int(header.recordCount), "a batch has not the records that it says")
            }
            batches.append(Batch(header: header, bytes: batch, records: records))
        }
        precondition(bytes.readableBytes == 0, "bytes follow the last whole batch")
        return batches
    }
}

extension Batch.Record {
    init(_ view: RecordView, _ header: RecordBatchHeader) {
        var rest = view.rest
        let keyLength = Int(rest.readVarint() ?? -1)
        _ = keyLength > 0 ? rest.readSlice(length: keyLength) : nil
        let valueLength = Int(rest.readVarint() ?? -1)
        self.init(
            offset: view.offset(in: header),
            timestamp: view.timestamp(in: header),
            key: view.key.map { String(buffer: $0) },
            value: valueLength < 0 ? nil : rest.readSlice(length: valueLength).map { String(buffer: $0) }
        )
    }
}

/// A batch of records without keys.
func batch(
    _ values: String...,
    timestamp: Int64 = 1_000,
    producer: (id: Int64, epoch: Int16, sequence: Int32)? = nil,
    isTransactional: Bool = false
) -> ByteBuffer {
    keyed(values.map { (nil, $0) }, timestamp: timestamp, producer: producer, isTransactional: isTransactional)
}

func keyed(
    _ records: [(key: String?, value: String?)],
    timestamp: Int64 = 1_000,
    producer: (id: Int64, epoch: Int16, sequence: Int32)? = nil,
    isTransactional: Bool = false
) -> ByteBuffer {
    var builder = RecordBatchBuilder(baseTimestamp: timestamp)
    if let producer {
        builder.setProducer(
            id: producer.id,
            epoch: producer.epoch,
            sequence: producer.sequence,
            isTransactional: isTransactional
        )
    }
    for record in records {
        builder.append(
            key: record.key.map { ByteBuffer(string: $0) },
            value: record.value.map { ByteBuffer(string: $0) }
        )
    }
    return builder.build()
}

extension PartitionLog {
    @discardableResult
    func add(_ batch: ByteBuffer, leaderEpoch: Int32 = 0, now: Int64 = 1_000) throws -> Int64 {
        try self.append(batch, leaderEpoch: leaderEpoch, now: now).get().baseOffset
    }

    @discardableResult
    func mark(
        _ producerID: Int64,
        epoch: Int16 = 0,
        commit: Bool,
        coordinatorEpoch: Int32 = 0,
        now: Int64 = 1_000
    )
        throws -> Int64
    {
        try self.appendMarker(
            producerID: producerID,
            producerEpoch: epoch,
            commit: commit,
            coordinatorEpoch: coordinatorEpoch,
            leaderEpoch: 0,
            now: now
        ).get()
    }

    /// The code that an append is refused with, or `nil` if it is taken.
    func refusal(of batch: ByteBuffer, now: Int64 = 1_000) -> ErrorCode? {
        switch self.append(batch, leaderEpoch: 0, now: now) {
        case .success: nil
        case .failure(let failure): failure.code
        }
    }
}

internal import NIOCore

/// A record inside a batch, as far as the broker looks: its headers and the bytes of its value are left alone.
struct RecordView {
    var attributes: Int8
    /// Milliseconds after the batch's base timestamp.
    var timestampDelta: Int64
    var offsetDelta: Int32
    var key: ByteBuffer?
    /// A record with a key and no value is a tombstone.
    var hasValue: Bool
    /// The bytes from the length of the key to the end of the record, to be copied as they are.
    var rest: ByteBuffer

    /// Milliseconds since 1970. With log append time all records have the batch's maximal timestamp.
    func timestamp(in header: RecordBatchHeader) -> Int64 {
        header.usesLogAppendTime ? header.maxTimestamp : header.baseTimestamp &+ self.timestampDelta
    }

    func offset(in header: RecordBatchHeader) -> Int64 {
        header.baseOffset &+ Int64(self.offsetDelta)
    }
}

/// Walks the records of a batch, which are not compressed or no longer so.
struct RecordCursor {
    private var bytes: ByteBuffer
    private var left: Int32
    private let lastOffsetDelta: Int32

    init(_ records: ByteBuffer, header: RecordBatchHeader) {
        self.bytes = records
        self.left = header.recordCount
        self.lastOffsetDelta = header.lastOffsetDelta
    }

    /// The next record, or `nil` after the last.
    ///
    /// - Throws: When the bytes are no record, or bytes follow the last one.
    mutating func next() throws(WireError) -> RecordView? {
        guard self.left > 0 else {
            if self.bytes.readableBytes > 0 { throw WireError("bytes follow the last record of a batch") }
            return nil
        }
        self.left -= 1
        guard
            let length = self.bytes.readVarint(), length >= 0, length <= Int64(self.bytes.readableBytes),
            var record = self.bytes.readSlice(length: Int(length)),
            let attributes = record.readInteger(as: Int8.self),
            let timestampDelta = record.readVarint(),
            let offsetDelta = record.readVarint(), offsetDelta >= 0, offsetDelta <= Int64(self.lastOffsetDelta)
        else { throw WireError("a record is malformed") }
        let rest = record
        let key = try Self.readBytes(&record)
        let value = try Self.readBytes(&record)
        return RecordView(
            attributes: attributes,
            timestampDelta: timestampDelta,
            offsetDelta: Int32(truncatingIfNeeded: offsetDelta),
            key: key,
            hasValue: value != nil,
            rest: rest
        )
    }

    private static func readBytes(_ record: inout ByteBuffer) throws(WireError) -> ByteBuffer? {
        guard let length = record.readVarint(), length <= Int64(record.readableBytes) else {
            throw WireError("a record is malformed")
        }
        return length < 0 ? nil : record.readSlice(length: Int(length))
    }
}

extension RecordBatchHeader {
    /// The records of a batch.
    ///
    /// - Returns: `nil` when they are compressed in a way that can't be read here (see ``Decompressor``), or their bytes are
    ///   not what the compression's format asks. Such a batch is treated as a whole.
    func records(of batch: ByteBuffer) -> RecordCursor? {
        guard let compression = self.compression, batch.readableBytes >= Self.size,
            let body = batch.getSlice(at: batch.readerIndex + Self.size, length: batch.readableBytes - Self.size)
        else { return nil }
        guard let records = try? Decompressor.decompress(body, compression: compression) else { return nil }
        return RecordCursor(records, header: self)
    }
}

internal import NIOCore

/// Makes a record batch of format 2, not compressed.
struct RecordBatchBuilder {
    /// What the batch will say of itself. Size, checksum, count and delta are filled in at the end.
    var header: RecordBatchHeader
    private var records = ByteBuffer()

    /// - Parameter baseTimestamp: Milliseconds since 1970; records give theirs as such too.
    init(baseTimestamp: Int64) {
        self.header = RecordBatchHeader(baseTimestamp: baseTimestamp, maxTimestamp: baseTimestamp)
    }

    /// Makes the batch that of an idempotent or transactional producer.
    mutating func setProducer(id: Int64, epoch: Int16, sequence: Int32, isTransactional: Bool = false) {
        self.header.producerID = id
        self.header.producerEpoch = epoch
        self.header.baseSequence = sequence
        if isTransactional { self.header.attributes |= RecordBatchHeader.transactionalBit }
    }

    mutating func append(
        key: ByteBuffer?,
        value: ByteBuffer?,
        headers: [(name: String, value: ByteBuffer?)] = [],
        timestamp: Int64? = nil
    ) {
        let timestamp = timestamp ?? self.header.baseTimestamp
        var rest = ByteBuffer()
        Self.write(key, to: &rest)
        Self.write(value, to: &rest)
        rest.writeVarint(Int64(headers.count))
        for header in headers {
            Self.write(ByteBuffer(string: header.name), to: &rest)
            Self.write(header.value, to: &rest)
        }
        self.records.writeRecord(
            attributes: 0,
            timestampDelta: timestamp &- self.header.baseTimestamp,
            offsetDelta: self.header.recordCount,
            rest: rest
        )
        self.header.lastOffsetDelta = self.header.recordCount
        self.header.recordCount += 1
        self.header.maxTimestamp = max(self.header.maxTimestamp, timestamp)
    }

    func build() -> ByteBuffer { self.header.encoded(records: self.records) }

    /// The marker that ends a transaction in a partition: a control batch with one record (protocol guide, "Control Batches").
    static func marker(
        producerID: Int64,
        producerEpoch: Int16,
        commit: Bool,
        coordinatorEpoch: Int32,
        timestamp: Int64
    ) -> RecordBatchBuilder {
        var builder = RecordBatchBuilder(baseTimestamp: timestamp)
        builder.setProducer(id: producerID, epoch: producerEpoch, sequence: -1, isTransactional: true)
        builder.header.attributes |= RecordBatchHeader.controlBit
        var key = ByteBuffer()
        key.writeMultipleIntegers(0 as Int16, (commit ? 1 : 0) as Int16)
        var value = ByteBuffer()
        value.writeMultipleIntegers(0 as Int16, coordinatorEpoch)
        builder.append(key: key, value: value)
        return builder
    }

    private static func write(_ bytes: ByteBuffer?, to buffer: inout ByteBuffer) {
        guard let bytes else { return buffer.writeVarint(-1) }
        buffer.writeVarint(Int64(bytes.readableBytes))
        buffer.writeImmutableBuffer(bytes)
    }
}

extension ByteBuffer {
    /// Writes a record, its length first.
    /// - Parameter rest: From the length of the key on.
    mutating func writeRecord(attributes: Int8, timestampDelta: Int64, offsetDelta: Int32, rest: ByteBuffer) {
        let length =
            1 + Self.varintSize(timestampDelta) + Self.varintSize(Int64(offsetDelta)) + rest.readableBytes
        self.writeVarint(Int64(length))
        self.writeInteger(attributes)
        self.writeVarint(timestampDelta)
        self.writeVarint(Int64(offsetDelta))
        self.writeImmutableBuffer(rest)
    }
}

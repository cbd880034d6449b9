internal import NIOCore

extension RecordBatchHeader {
    /// A header for a batch that is made here: no producer, offset 0, and what the encoding fills in left at zero.
    init(attributes: Int16 = 0, baseTimestamp: Int64, maxTimestamp: Int64) {
        self.baseOffset = 0
        self.size = Self.size
        self.leaderEpoch = -1
        self.checksum = 0
        self.attributes = attributes
        self.lastOffsetDelta = 0
        self.baseTimestamp = baseTimestamp
        self.maxTimestamp = maxTimestamp
        self.producerID = -1
        self.producerEpoch = -1
        self.baseSequence = -1
        self.recordCount = 0
    }

    /// The 61 bytes of the header of a batch with these records. Size and checksum are reckoned anew.
    func encodedHeader(records: ByteBuffer) -> ByteBuffer {
        var buffer = ByteBuffer()
        buffer.reserveCapacity(Self.size)
        buffer.writeInteger(self.baseOffset)
        buffer.writeInteger(Int32(truncatingIfNeeded: Self.size - Self.lengthOverhead + records.readableBytes))
        buffer.writeInteger(self.leaderEpoch)
        buffer.writeInteger(2 as Int8)
        buffer.writeInteger(0 as UInt32)
        buffer.writeInteger(self.attributes)
        buffer.writeInteger(self.lastOffsetDelta)
        buffer.writeInteger(self.baseTimestamp)
        buffer.writeInteger(self.maxTimestamp)
        buffer.writeInteger(self.producerID)
        buffer.writeInteger(self.producerEpoch)
        buffer.writeInteger(self.baseSequence)
        buffer.writeInteger(self.recordCount)
        let start = Self.checksum(of: buffer)
        let checksum = records.withUnsafeReadableBytes { CRC32C.checksum($0, continuing: start) }
        buffer.setInteger(checksum, at: Self.checksumStart - 4)
        return buffer
    }

    /// A whole batch: this header, and the records.
    func encoded(records: ByteBuffer) -> ByteBuffer {
        var batch = ByteBuffer()
        batch.reserveCapacity(Self.size + records.readableBytes)
        batch.writeImmutableBuffer(self.encodedHeader(records: records))
        batch.writeImmutableBuffer(records)
        return batch
    }

    /// The checksum that the bytes of a batch have, whatever the batch says.
    static func checksum(of batch: ByteBuffer) -> UInt32 {
        batch.withUnsafeReadableBytes { bytes in
            guard bytes.count > Self.checksumStart else { return 0 }
            return CRC32C.checksum(UnsafeRawBufferPointer(rebasing: bytes[Self.checksumStart...]))
        }
    }
}

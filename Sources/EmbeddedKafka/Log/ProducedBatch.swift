internal import NIOCore

/// Why a batch from a client is not taken.
struct AppendFailure: Error, Hashable {
    var code: ErrorCode
    /// A sentence for the client's log (KIP-467).
    var message: String

    init(_ code: ErrorCode, _ message: String) {
        self.code = code
        self.message = message
    }
}

/// The checks of a batch in a Produce request that need no knowledge of the log. The codes are those of Apache Kafka.
enum ProducedBatch {
    /// - Returns: The header of the one batch that the record set must be.
    static func validate(
        _ records: ByteBuffer,
        configuration: LogConfiguration,
        now: Int64
    ) throws(AppendFailure) -> RecordBatchHeader {
        let header = try self.header(of: records)
        guard header.size <= configuration.maxMessageBytes else {
            throw AppendFailure(
                .messageTooLarge,
                "The record batch has \(header.size) bytes, more than max.message.bytes (\(configuration.maxMessageBytes))."
            )
        }
        guard RecordBatchHeader.checksum(of: records) == header.checksum else {
            throw AppendFailure(.corruptMessage, "The checksum of the record batch is wrong.")
        }
        try self.checkContent(header)
        try self.checkTimes(header, configuration: configuration, now: now)
        if configuration.cleanupPolicy.contains(.compact) { try self.checkKeys(records, header) }
        return header
    }

    /// Exactly one batch of format 2.
    private static func header(of records: ByteBuffer) throws(AppendFailure) -> RecordBatchHeader {
        guard records.readableBytes > 0 else {
            throw AppendFailure(.invalidRecord, "A Produce request must have a record batch for each partition.")
        }
        guard let magic = RecordBatchHeader.magic(records, at: records.readerIndex), magic >= 0, magic <= 2 else {
            throw AppendFailure(.corruptMessage, "The record batch has no known format.")
        }
        guard magic == 2 else {
            // Apache Kafka's word too since Produce 3, which forbids the older formats.
            throw AppendFailure(.invalidRecord, "The record batch has format \(magic); only format 2 is taken.")
        }
        guard let header = RecordBatchHeader(records, at: records.readerIndex) else {
            throw AppendFailure(.corruptMessage, "The record batch is shorter than its header.")
        }
        guard header.size <= records.readableBytes else {
            throw AppendFailure(.corruptMessage, "The record batch is not complete.")
        }
        guard header.size == records.readableBytes else {
            throw AppendFailure(
                .invalidRecord,
                "A Produce request must have exactly one record batch for each partition."
            )
        }
        return header
    }

    private static func checkContent(_ header: RecordBatchHeader) throws(AppendFailure) {
        guard header.compression != nil else {
            throw AppendFailure(.unsupportedCompressionType, "The compression of the record batch is not known.")
        }
        guard !header.isControl else {
            throw AppendFailure(.invalidRecord, "Clients may not write control batches.")
        }
        guard header.baseOffset == 0 else {
            throw AppendFailure(.invalidRecord, "The base offset of the record batch is not 0.")
        }
        guard header.recordCount > 0, header.lastOffsetDelta == header.recordCount - 1 else {
            throw AppendFailure(.invalidRecord, "The record batch's count of records and last offset don't agree.")
        }
        if header.hasProducer {
            guard header.baseSequence >= 0, header.producerEpoch >= 0 else {
                throw AppendFailure(.invalidRecord, "The record batch has a producer id and no sequence or epoch.")
            }
        } else if header.isTransactional {
            throw AppendFailure(.invalidRecord, "The record batch is transactional and has no producer id.")
        }
    }

    /// The times in the header alone: records are not walked, so one in the middle may be beyond the limits.
    private static func checkTimes(
        _ header: RecordBatchHeader,
        configuration: LogConfiguration,
        now: Int64
    ) throws(AppendFailure) {
        guard !header.usesLogAppendTime else {
            throw AppendFailure(.invalidTimestamp, "Clients may not write batches with log append time.")
        }
        guard !configuration.usesLogAppendTime else { return }
        guard
            elapsedMilliseconds(from: header.baseTimestamp, to: now) <= configuration.timestampBeforeMaxMilliseconds
                || header.baseTimestamp < 0,
            elapsedMilliseconds(from: now, to: header.maxTimestamp) <= configuration.timestampAfterMaxMilliseconds
        else {
            throw AppendFailure(.invalidTimestamp, "The record batch's time is too far from the broker's.")
        }
    }

    /// Every record of a compacted topic needs a key. Records that can't be decompressed here are believed.
    private static func checkKeys(_ records: ByteBuffer, _ header: RecordBatchHeader) throws(AppendFailure) {
        guard var cursor = header.records(of: records) else { return }
        while true {
            let record: RecordView?
            do { record = try cursor.next() } catch { throw AppendFailure(.invalidRecord, "\(error)") }
            guard let record else { return }
            guard record.key != nil else {
                throw AppendFailure(.invalidRecord, "A compacted topic takes no record without a key.")
            }
        }
    }
}

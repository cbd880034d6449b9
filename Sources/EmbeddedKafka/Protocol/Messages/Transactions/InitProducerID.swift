/// Asks for a producer id and an epoch, and fences earlier producers of the transactional id (API 22, KIP-98).
struct InitProducerIDRequest: Equatable {
    /// `nil`: only idempotence is wanted.
    var transactionalID: String?
    var transactionTimeoutMs: Int32
    /// What the producer has and wants a higher epoch of (KIP-360, version 3 and up); -1: nothing.
    var producerID: Int64 = -1
    var producerEpoch: Int16 = -1
}

extension InitProducerIDRequest: RequestMessage {
    static let api = APIKey.initProducerID

    init(from reader: inout WireReader, version: Int16) throws(WireError) {
        self.transactionalID = try reader.nullableString()
        self.transactionTimeoutMs = try reader.int32()
        if version >= 3 {
            self.producerID = try reader.int64()
            self.producerEpoch = try reader.int16()
        }
        try reader.tags()
    }
}

/// The producer id and the epoch.
struct InitProducerIDResponse {
    var errorCode: ErrorCode
    var producerID: Int64 = -1
    var producerEpoch: Int16 = -1
}

extension InitProducerIDResponse: ResponseMessage {
    func write(to writer: inout WireWriter, version: Int16) {
        writer.throttleTime()
        writer.error(self.errorCode)
        writer.int64(self.producerID)
        writer.int16(self.producerEpoch)
        writer.tags()
    }
}

/// Adds the offsets of a consumer group to a transaction before they are committed in it (API 25, KIP-98).
struct AddOffsetsToTransactionRequest: Equatable {
    var transactionalID: String
    var producerID: Int64
    var producerEpoch: Int16
    var groupID: String
}

extension AddOffsetsToTransactionRequest: RequestMessage {
    static let api = APIKey.addOffsetsToTransaction

    init(from reader: inout WireReader, version: Int16) throws(WireError) {
        self.transactionalID = try reader.string()
        self.producerID = try reader.int64()
        self.producerEpoch = try reader.int16()
        self.groupID = try reader.string()
        try reader.tags()
    }
}

/// What came of an ``AddOffsetsToTransactionRequest``.
struct AddOffsetsToTransactionResponse {
    var errorCode: ErrorCode
}

extension AddOffsetsToTransactionResponse: ResponseMessage {
    func write(to writer: inout WireWriter, version: Int16) {
        writer.throttleTime()
        writer.error(self.errorCode)
        writer.tags()
    }
}

/// Commits or aborts a transaction (API 26, KIP-98).
struct EndTransactionRequest: Equatable {
    var transactionalID: String
    var producerID: Int64
    var producerEpoch: Int16
    /// Whether to commit; else to abort.
    var committed: Bool
}

extension EndTransactionRequest: RequestMessage {
    static let api = APIKey.endTransaction

    init(from reader: inout WireReader, version: Int16) throws(WireError) {
        self.transactionalID = try reader.string()
        self.producerID = try reader.int64()
        self.producerEpoch = try reader.int16()
        self.committed = try reader.bool()
        try reader.tags()
    }
}

/// What came of an ``EndTransactionRequest``.
struct EndTransactionResponse {
    var errorCode: ErrorCode
}

extension EndTransactionResponse: ResponseMessage {
    func write(to writer: inout WireWriter, version: Int16) {
        writer.throttleTime()
        writer.error(self.errorCode)
        writer.tags()
    }
}

/// Asks which transactional ids this node coordinates (API 66, KIP-664).
struct ListTransactionsRequest: Equatable {
    /// The states asked for, as Kafka spells them; empty: all.
    var stateFilters: [String] = []
    /// The producer ids asked for; empty: all.
    var producerIDFilters: [Int64] = []
}

extension ListTransactionsRequest: RequestMessage {
    static let api = APIKey.listTransactions

    init(from reader: inout WireReader, version: Int16) throws(WireError) {
        self.stateFilters = try reader.strings()
        self.producerIDFilters = try reader.array { (reader: inout WireReader) throws(WireError) in
            try reader.int64()
        }
        try reader.tags()
    }
}

/// The transactional ids that this node coordinates.
struct ListTransactionsResponse {
    struct Transaction {
        var transactionalID: String
        var producerID: Int64
        var transactionState: String
    }

    var errorCode = ErrorCode.none
    /// States asked for that there are none of.
    var unknownStateFilters: [String] = []
    var transactionStates: [Transaction] = []
}

extension ListTransactionsResponse: ResponseMessage {
    func write(to writer: inout WireWriter, version: Int16) {
        writer.throttleTime()
        writer.error(self.errorCode)
        writer.strings(self.unknownStateFilters)
        writer.elements(self.transactionStates, version: version)
        writer.tags()
    }
}

extension ListTransactionsResponse.Transaction: WireWritable {
    func write(to writer: inout WireWriter, version: Int16) {
        writer.string(self.transactionalID)
        writer.int64(self.producerID)
        writer.string(self.transactionState)
        writer.tags()
    }
}

/// Asks for the state of transactions (API 65, KIP-664).
struct DescribeTransactionsRequest: Equatable {
    var transactionalIDs: [String]
}

extension DescribeTransactionsRequest: RequestMessage {
    static let api = APIKey.describeTransactions

    init(from reader: inout WireReader, version: Int16) throws(WireError) {
        self.transactionalIDs = try reader.strings()
        try reader.tags()
    }
}

/// The state of transactions.
struct DescribeTransactionsResponse {
    struct Transaction {
        var errorCode = ErrorCode.none
        var transactionalID: String
        /// As Kafka spells it: `Empty`, `Ongoing`, `PrepareCommit`, `CompleteAbort` and so on; empty besides an error.
        var transactionState = ""
        var transactionTimeoutMs: Int32 = 0
        /// In milliseconds since 1970; -1: none is open.
        var transactionStartTimeMs: Int64 = -1
        var producerID: Int64 = -1
        var producerEpoch: Int16 = -1
        var topics: [Topic] = []
    }

    struct Topic {
        var topic: String
        var partitions: [Int32]
    }

    var transactionStates: [Transaction]
}

extension DescribeTransactionsResponse: ResponseMessage {
    func write(to writer: inout WireWriter, version: Int16) {
        writer.throttleTime()
        writer.elements(self.transactionStates, version: version)
        writer.tags()
    }
}

extension DescribeTransactionsResponse.Transaction: WireWritable {
    func write(to writer: inout WireWriter, version: Int16) {
        writer.error(self.errorCode)
        writer.string(self.transactionalID)
        writer.string(self.transactionState)
        writer.int32(self.transactionTimeoutMs)
        writer.int64(self.transactionStartTimeMs)
        writer.int64(self.producerID)
        writer.int16(self.producerEpoch)
        writer.elements(self.topics, version: version)
        writer.tags()
    }
}

extension DescribeTransactionsResponse.Topic: WireWritable {
    func write(to writer: inout WireWriter, version: Int16) {
        writer.string(self.topic)
        writer.int32s(self.partitions)
        writer.tags()
    }
}

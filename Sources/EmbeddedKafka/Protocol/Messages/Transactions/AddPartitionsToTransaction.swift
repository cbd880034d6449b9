/// Adds partitions to a transaction before records go there (API 24, KIP-98).
struct AddPartitionsToTransactionRequest: Equatable {
    struct Topic: Equatable {
        var name: String
        var partitions: [Int32]
    }

    var transactionalID: String
    var producerID: Int64
    var producerEpoch: Int16
    var topics: [Topic]
}

extension AddPartitionsToTransactionRequest: RequestMessage {
    static let api = APIKey.addPartitionsToTransaction

    init(from reader: inout WireReader, version: Int16) throws(WireError) {
        self.transactionalID = try reader.string()
        self.producerID = try reader.int64()
        self.producerEpoch = try reader.int16()
        self.topics = try reader.elements(version: version)
        try reader.tags()
    }
}

extension AddPartitionsToTransactionRequest.Topic: WireReadable {
    init(from reader: inout WireReader, version: Int16) throws(WireError) {
        self.name = try reader.string()
        self.partitions = try reader.int32s()
        try reader.tags()
    }
}

/// What came of an ``AddPartitionsToTransactionRequest``.
struct AddPartitionsToTransactionResponse {
    struct Topic {
        var name: String
        var resultsByPartition: [Partition]
    }

    struct Partition {
        var partitionIndex: Int32
        var partitionErrorCode = ErrorCode.none
    }

    var resultsByTopic: [Topic]
}

extension AddPartitionsToTransactionResponse: ResponseMessage {
    func write(to writer: inout WireWriter, version: Int16) {
        writer.throttleTime()
        writer.elements(self.resultsByTopic, version: version)
        writer.tags()
    }
}

extension AddPartitionsToTransactionResponse.Topic: WireWritable {
    func write(to writer: inout WireWriter, version: Int16) {
        writer.string(self.name)
        writer.elements(self.resultsByPartition, version: version)
        writer.tags()
    }
}

extension AddPartitionsToTransactionResponse.Partition: WireWritable {
    func write(to writer: inout WireWriter, version: Int16) {
        writer.int32(self.partitionIndex)
        writer.error(self.partitionErrorCode)
        writer.tags()
    }
}

/// Asks which producers have written to partitions (API 61, KIP-664).
struct DescribeProducersRequest: Equatable {
    struct Topic: Equatable {
        var name: String
        var partitionIndexes: [Int32]
    }

    var topics: [Topic]
}

extension DescribeProducersRequest: RequestMessage {
    static let api = APIKey.describeProducers

    init(from reader: inout WireReader, version: Int16) throws(WireError) {
        self.topics = try reader.elements(version: version)
        try reader.tags()
    }
}

extension DescribeProducersRequest.Topic: WireReadable {
    init(from reader: inout WireReader, version: Int16) throws(WireError) {
        self.name = try reader.string()
        self.partitionIndexes = try reader.int32s()
        try reader.tags()
    }
}

/// Which producers have written to partitions.
struct DescribeProducersResponse {
    struct Topic {
        var name: String
        var partitions: [Partition]
    }

    struct Partition {
        var partitionIndex: Int32
        var errorCode = ErrorCode.none
        var errorMessage: String?
        var activeProducers: [ProducerState] = []
    }

    struct ProducerState {
        var producerID: Int64
        /// Four bytes here, unlike elsewhere.
        var producerEpoch: Int32
        var lastSequence: Int32 = -1
        /// In milliseconds since 1970; -1: none.
        var lastTimestamp: Int64 = -1
        /// That of the last marker; -1: none.
        var coordinatorEpoch: Int32 = -1
        /// Where the open transaction begins; -1: none is open.
        var currentTransactionStartOffset: Int64 = -1
    }

    var topics: [Topic]
}

extension DescribeProducersResponse: ResponseMessage {
    func write(to writer: inout WireWriter, version: Int16) {
        writer.throttleTime()
        writer.elements(self.topics, version: version)
        writer.tags()
    }
}

extension DescribeProducersResponse.Topic: WireWritable {
    func write(to writer: inout WireWriter, version: Int16) {
        writer.string(self.name)
        writer.elements(self.partitions, version: version)
        writer.tags()
    }
}

extension DescribeProducersResponse.Partition: WireWritable {
    func write(to writer: inout WireWriter, version: Int16) {
        writer.int32(self.partitionIndex)
        writer.error(self.errorCode)
        writer.string(self.errorMessage)
        writer.elements(self.activeProducers, version: version)
        writer.tags()
    }
}

extension DescribeProducersResponse.ProducerState: WireWritable {
    func write(to writer: inout WireWriter, version: Int16) {
        writer.int64(self.producerID)
        writer.int32(self.producerEpoch)
        writer.int32(self.lastSequence)
        writer.int64(self.lastTimestamp)
        writer.int32(self.coordinatorEpoch)
        writer.int64(self.currentTransactionStartOffset)
        writer.tags()
    }
}

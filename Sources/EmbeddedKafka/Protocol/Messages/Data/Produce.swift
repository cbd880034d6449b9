internal import NIOCore

/// Appends record batches to partitions (API 0).
struct ProduceRequest: Equatable {
    struct Topic: Equatable {
        var name: String
        var partitionData: [Partition]
    }

    struct Partition: Equatable {
        var index: Int32
        /// Shares the memory of the message.
        var records: ByteBuffer?
    }

    var transactionalID: String?
    /// 0: no answer is wanted; 1: the leader has the records; -1: all replicas in sync have them.
    var acks: Int16
    var timeoutMs: Int32
    var topicData: [Topic]
}

extension ProduceRequest: RequestMessage {
    static let api = APIKey.produce

    /// Versions below 3 are advertised but not served; they are read to be refused politely, partition by partition.
    init(from reader: inout WireReader, version: Int16) throws(WireError) {
        if version >= 3 { self.transactionalID = try reader.nullableString() }
        self.acks = try reader.int16()
        self.timeoutMs = try reader.int32()
        self.topicData = try reader.elements(version: version)
        try reader.tags()
    }
}

extension ProduceRequest.Topic: WireReadable {
    init(from reader: inout WireReader, version: Int16) throws(WireError) {
        self.name = try reader.string()
        self.partitionData = try reader.elements(version: version)
        try reader.tags()
    }
}

extension ProduceRequest.Partition: WireReadable {
    init(from reader: inout WireReader, version: Int16) throws(WireError) {
        self.index = try reader.int32()
        self.records = try reader.nullableBytes()
        try reader.tags()
    }
}

/// Where the batches of a ``ProduceRequest`` went.
struct ProduceResponse {
    struct Topic {
        var name: String
        var partitionResponses: [Partition]
    }

    struct Partition {
        var index: Int32
        var errorCode: ErrorCode
        var baseOffset: Int64 = -1
        /// In milliseconds since 1970; -1: the topic keeps the producer's times (KIP-32).
        var logAppendTimeMs: Int64 = -1
        var logStartOffset: Int64 = -1
        /// Which records made the broker refuse the batch (KIP-467).
        var recordErrors: [RecordError] = []
        var errorMessage: String?
    }

    struct RecordError {
        var batchIndex: Int32
        var batchIndexErrorMessage: String?
    }

    var responses: [Topic]
}

extension ProduceResponse: ResponseMessage {
    func write(to writer: inout WireWriter, version: Int16) {
        writer.elements(self.responses, version: version)
        // Unlike in other responses, at the end.
        if version >= 1 { writer.throttleTime() }
        writer.tags()
    }
}

extension ProduceResponse.Topic: WireWritable {
    func write(to writer: inout WireWriter, version: Int16) {
        writer.string(self.name)
        writer.elements(self.partitionResponses, version: version)
        writer.tags()
    }
}

extension ProduceResponse.Partition: WireWritable {
    func write(to writer: inout WireWriter, version: Int16) {
        writer.int32(self.index)
        writer.error(self.errorCode)
        writer.int64(self.baseOffset)
        if version >= 2 { writer.int64(self.logAppendTimeMs) }
        if version >= 5 { writer.int64(self.logStartOffset) }
        if version >= 8 {
            writer.elements(self.recordErrors, version: version)
            writer.string(self.errorMessage)
        }
        writer.tags()
    }
}

extension ProduceResponse.RecordError: WireWritable {
    func write(to writer: inout WireWriter, version: Int16) {
        writer.int32(self.batchIndex)
        writer.string(self.batchIndexErrorMessage)
        writer.tags()
    }
}

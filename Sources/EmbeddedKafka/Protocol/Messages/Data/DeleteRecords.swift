/// Moves the start of partitions (API 21, KIP-107).
struct DeleteRecordsRequest: Equatable {
    struct Topic: Equatable {
        var name: String
        var partitions: [Partition]
    }

    struct Partition: Equatable {
        var partitionIndex: Int32
        /// The first offset to keep; -1: the high watermark.
        var offset: Int64
    }

    var topics: [Topic]
    var timeoutMs: Int32
}

extension DeleteRecordsRequest: RequestMessage {
    static let api = APIKey.deleteRecords

    init(from reader: inout WireReader, version: Int16) throws(WireError) {
        self.topics = try reader.elements(version: version)
        self.timeoutMs = try reader.int32()
        try reader.tags()
    }
}

extension DeleteRecordsRequest.Topic: WireReadable {
    init(from reader: inout WireReader, version: Int16) throws(WireError) {
        self.name = try reader.string()
        self.partitions = try reader.elements(version: version)
        try reader.tags()
    }
}

extension DeleteRecordsRequest.Partition: WireReadable {
    init(from reader: inout WireReader, version: Int16) throws(WireError) {
        self.partitionIndex = try reader.int32()
        self.offset = try reader.int64()
        try reader.tags()
    }
}

/// Where partitions start after a ``DeleteRecordsRequest``.
struct DeleteRecordsResponse {
    struct Topic {
        var name: String
        var partitions: [Partition]
    }

    struct Partition {
        var partitionIndex: Int32
        /// -1 besides an error.
        var lowWatermark: Int64 = -1
        var errorCode = ErrorCode.none
    }

    var topics: [Topic]
}

extension DeleteRecordsResponse: ResponseMessage {
    func write(to writer: inout WireWriter, version: Int16) {
        writer.throttleTime()
        writer.elements(self.topics, version: version)
        writer.tags()
    }
}

extension DeleteRecordsResponse.Topic: WireWritable {
    func write(to writer: inout WireWriter, version: Int16) {
        writer.string(self.name)
        writer.elements(self.partitions, version: version)
        writer.tags()
    }
}

extension DeleteRecordsResponse.Partition: WireWritable {
    func write(to writer: inout WireWriter, version: Int16) {
        writer.int32(self.partitionIndex)
        writer.int64(self.lowWatermark)
        writer.error(self.errorCode)
        writer.tags()
    }
}

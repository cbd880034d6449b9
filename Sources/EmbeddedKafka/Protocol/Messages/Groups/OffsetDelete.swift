/// Removes committed offsets of a consumer group (API 47, KIP-496).
struct OffsetDeleteRequest: Equatable {
    struct Topic: Equatable {
        var name: String
        var partitions: [Partition]
    }

    struct Partition: Equatable {
        var partitionIndex: Int32
    }

    var groupID: String
    var topics: [Topic]
}

extension OffsetDeleteRequest: RequestMessage {
    static let api = APIKey.offsetDelete

    init(from reader: inout WireReader, version: Int16) throws(WireError) {
        self.groupID = try reader.string()
        self.topics = try reader.elements(version: version)
        try reader.tags()
    }
}

extension OffsetDeleteRequest.Topic: WireReadable {
    init(from reader: inout WireReader, version: Int16) throws(WireError) {
        self.name = try reader.string()
        self.partitions = try reader.elements(version: version)
        try reader.tags()
    }
}

extension OffsetDeleteRequest.Partition: WireReadable {
    init(from reader: inout WireReader, version: Int16) throws(WireError) {
        self.partitionIndex = try reader.int32()
        try reader.tags()
    }
}

/// What came of an ``OffsetDeleteRequest``.
struct OffsetDeleteResponse {
    struct Topic {
        var name: String
        var partitions: [Partition]
    }

    struct Partition {
        var partitionIndex: Int32
        var errorCode = ErrorCode.none
    }

    /// What is wrong with the group.
    var errorCode = ErrorCode.none
    var topics: [Topic] = []
}

extension OffsetDeleteResponse: ResponseMessage {
    func write(to writer: inout WireWriter, version: Int16) {
        writer.error(self.errorCode)
        // Here the throttle time comes after the error.
        writer.throttleTime()
        writer.elements(self.topics, version: version)
        writer.tags()
    }
}

extension OffsetDeleteResponse.Topic: WireWritable {
    func write(to writer: inout WireWriter, version: Int16) {
        writer.string(self.name)
        writer.elements(self.partitions, version: version)
        writer.tags()
    }
}

extension OffsetDeleteResponse.Partition: WireWritable {
    func write(to writer: inout WireWriter, version: Int16) {
        writer.int32(self.partitionIndex)
        writer.error(self.errorCode)
        writer.tags()
    }
}

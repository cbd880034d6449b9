/// Makes topics (API 19, KIP-4).
struct CreateTopicsRequest: Equatable {
    struct Topic: Equatable {
        var name: String
        /// -1: as the broker thinks fit (KIP-464, version 4 and up), or as the assignments say.
        var numPartitions: Int32
        /// -1: as the broker thinks fit (KIP-464, version 4 and up), or as the assignments say.
        var replicationFactor: Int16
        var assignments: [Assignment] = []
        var configs: [Config] = []
    }

    struct Assignment: Equatable {
        var partitionIndex: Int32
        var brokerIDs: [Int32]
    }

    struct Config: Equatable {
        var name: String
        var value: String?
    }

    var topics: [Topic]
    var timeoutMs: Int32
    /// Whether only to say what would come of it (version 1 and up).
    var validateOnly = false
}

extension CreateTopicsRequest: RequestMessage {
    static let api = APIKey.createTopics

    init(from reader: inout WireReader, version: Int16) throws(WireError) {
        self.topics = try reader.elements(version: version)
        self.timeoutMs = try reader.int32()
        if version >= 1 { self.validateOnly = try reader.bool() }
        try reader.tags()
    }
}

extension CreateTopicsRequest.Topic: WireReadable {
    init(from reader: inout WireReader, version: Int16) throws(WireError) {
        self.name = try reader.string()
        self.numPartitions = try reader.int32()
        self.replicationFactor = try reader.int16()
        self.assignments = try reader.elements(version: version)
        self.configs = try reader.elements(version: version)
        try reader.tags()
    }
}

extension CreateTopicsRequest.Assignment: WireReadable {
    init(from reader: inout WireReader, version: Int16) throws(WireError) {
        self.partitionIndex = try reader.int32()
        self.brokerIDs = try reader.int32s()
        try reader.tags()
    }
}

extension CreateTopicsRequest.Config: WireReadable {
    init(from reader: inout WireReader, version: Int16) throws(WireError) {
        self.name = try reader.string()
        self.value = try reader.nullableString()
        try reader.tags()
    }
}

/// What came of a ``CreateTopicsRequest``.
struct CreateTopicsResponse {
    struct Topic {
        var name: String
        var errorCode = ErrorCode.none
        var errorMessage: String?
    }

    var topics: [Topic]
}

extension CreateTopicsResponse: ResponseMessage {
    func write(to writer: inout WireWriter, version: Int16) {
        if version >= 2 { writer.throttleTime() }
        writer.elements(self.topics, version: version)
        writer.tags()
    }
}

extension CreateTopicsResponse.Topic: WireWritable {
    func write(to writer: inout WireWriter, version: Int16) {
        writer.string(self.name)
        writer.error(self.errorCode)
        if version >= 1 { writer.string(self.errorMessage) }
        writer.tags()
    }
}

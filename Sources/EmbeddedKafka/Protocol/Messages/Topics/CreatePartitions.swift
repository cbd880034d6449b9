/// Adds partitions to topics (API 37, KIP-195).
struct CreatePartitionsRequest: Equatable {
    struct Topic: Equatable {
        var name: String
        /// How many partitions there shall be in all.
        var count: Int32
        /// The replicas of each new partition; `nil`: as the broker thinks fit.
        var assignments: [Assignment]?
    }

    struct Assignment: Equatable {
        var brokerIDs: [Int32]
    }

    var topics: [Topic]
    var timeoutMs: Int32
    /// Whether only to say what would come of it.
    var validateOnly: Bool
}

extension CreatePartitionsRequest: RequestMessage {
    static let api = APIKey.createPartitions

    init(from reader: inout WireReader, version: Int16) throws(WireError) {
        self.topics = try reader.elements(version: version)
        self.timeoutMs = try reader.int32()
        self.validateOnly = try reader.bool()
        try reader.tags()
    }
}

extension CreatePartitionsRequest.Topic: WireReadable {
    init(from reader: inout WireReader, version: Int16) throws(WireError) {
        self.name = try reader.string()
        self.count = try reader.int32()
        self.assignments = try reader.nullableElements(version: version)
        try reader.tags()
    }
}

extension CreatePartitionsRequest.Assignment: WireReadable {
    init(from reader: inout WireReader, version: Int16) throws(WireError) {
        self.brokerIDs = try reader.int32s()
        try reader.tags()
    }
}

/// What came of a ``CreatePartitionsRequest``.
struct CreatePartitionsResponse {
    struct Topic {
        var name: String
        var errorCode = ErrorCode.none
        var errorMessage: String?
    }

    var results: [Topic]
}

extension CreatePartitionsResponse: ResponseMessage {
    func write(to writer: inout WireWriter, version: Int16) {
        writer.throttleTime()
        writer.elements(self.results, version: version)
        writer.tags()
    }
}

extension CreatePartitionsResponse.Topic: WireWritable {
    func write(to writer: inout WireWriter, version: Int16) {
        writer.string(self.name)
        writer.error(self.errorCode)
        writer.string(self.errorMessage)
        writer.tags()
    }
}

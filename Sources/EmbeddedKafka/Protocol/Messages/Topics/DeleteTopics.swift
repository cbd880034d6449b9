/// Removes topics (API 20, KIP-4).
struct DeleteTopicsRequest: Equatable {
    var topicNames: [String]
    var timeoutMs: Int32
}

extension DeleteTopicsRequest: RequestMessage {
    static let api = APIKey.deleteTopics

    init(from reader: inout WireReader, version: Int16) throws(WireError) {
        self.topicNames = try reader.strings()
        self.timeoutMs = try reader.int32()
        try reader.tags()
    }
}

/// What came of a ``DeleteTopicsRequest``.
struct DeleteTopicsResponse {
    struct Topic {
        var name: String
        var errorCode = ErrorCode.none
    }

    var responses: [Topic]
}

extension DeleteTopicsResponse: ResponseMessage {
    func write(to writer: inout WireWriter, version: Int16) {
        if version >= 1 { writer.throttleTime() }
        writer.elements(self.responses, version: version)
        writer.tags()
    }
}

extension DeleteTopicsResponse.Topic: WireWritable {
    func write(to writer: inout WireWriter, version: Int16) {
        writer.string(self.name)
        writer.error(self.errorCode)
        writer.tags()
    }
}

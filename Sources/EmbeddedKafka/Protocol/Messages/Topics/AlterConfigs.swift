/// Replaces all settings of topics and nodes (API 33, KIP-133).
struct AlterConfigsRequest: Equatable {
    struct Resource: Equatable {
        /// 2: a topic; 4: a node.
        var resourceType: Int8
        var resourceName: String
        var configs: [Config]
    }

    struct Config: Equatable {
        var name: String
        var value: String?
    }

    var resources: [Resource]
    /// Whether only to say what would come of it.
    var validateOnly: Bool
}

extension AlterConfigsRequest: RequestMessage {
    static let api = APIKey.alterConfigs

    init(from reader: inout WireReader, version: Int16) throws(WireError) {
        self.resources = try reader.elements(version: version)
        self.validateOnly = try reader.bool()
        try reader.tags()
    }
}

extension AlterConfigsRequest.Resource: WireReadable {
    init(from reader: inout WireReader, version: Int16) throws(WireError) {
        self.resourceType = try reader.int8()
        self.resourceName = try reader.string()
        self.configs = try reader.elements(version: version)
        try reader.tags()
    }
}

extension AlterConfigsRequest.Config: WireReadable {
    init(from reader: inout WireReader, version: Int16) throws(WireError) {
        self.name = try reader.string()
        self.value = try reader.nullableString()
        try reader.tags()
    }
}

/// What came of an ``AlterConfigsRequest``.
struct AlterConfigsResponse {
    struct Resource {
        var errorCode = ErrorCode.none
        var errorMessage: String?
        var resourceType: Int8
        var resourceName: String
    }

    var responses: [Resource]
}

extension AlterConfigsResponse: ResponseMessage {
    func write(to writer: inout WireWriter, version: Int16) {
        writer.throttleTime()
        writer.elements(self.responses, version: version)
        writer.tags()
    }
}

extension AlterConfigsResponse.Resource: WireWritable {
    func write(to writer: inout WireWriter, version: Int16) {
        writer.error(self.errorCode)
        writer.string(self.errorMessage)
        writer.int8(self.resourceType)
        writer.string(self.resourceName)
        writer.tags()
    }
}

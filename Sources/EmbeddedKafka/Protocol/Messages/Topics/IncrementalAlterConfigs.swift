/// Changes single settings of topics and nodes (API 44, KIP-339).
struct IncrementalAlterConfigsRequest: Equatable {
    struct Resource: Equatable {
        /// 2: a topic; 4: a node; 8: a node's loggers.
        var resourceType: Int8
        var resourceName: String
        var configs: [Config]
    }

    struct Config: Equatable {
        var name: String
        /// 0: set; 1: back to the default; 2: add to a list; 3: take from a list.
        var configOperation: Int8
        var value: String?
    }

    var resources: [Resource]
    /// Whether only to say what would come of it.
    var validateOnly: Bool
}

extension IncrementalAlterConfigsRequest: RequestMessage {
    static let api = APIKey.incrementalAlterConfigs

    init(from reader: inout WireReader, version: Int16) throws(WireError) {
        self.resources = try reader.elements(version: version)
        self.validateOnly = try reader.bool()
        try reader.tags()
    }
}

extension IncrementalAlterConfigsRequest.Resource: WireReadable {
    init(from reader: inout WireReader, version: Int16) throws(WireError) {
        self.resourceType = try reader.int8()
        self.resourceName = try reader.string()
        self.configs = try reader.elements(version: version)
        try reader.tags()
    }
}

extension IncrementalAlterConfigsRequest.Config: WireReadable {
    init(from reader: inout WireReader, version: Int16) throws(WireError) {
        self.name = try reader.string()
        self.configOperation = try reader.int8()
        self.value = try reader.nullableString()
        try reader.tags()
    }
}

/// What came of an ``IncrementalAlterConfigsRequest``: said as for an ``AlterConfigsRequest``.
typealias IncrementalAlterConfigsResponse = AlterConfigsResponse

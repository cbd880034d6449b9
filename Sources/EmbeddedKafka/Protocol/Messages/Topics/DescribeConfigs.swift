/// Asks for settings of topics and nodes (API 32, KIP-133).
struct DescribeConfigsRequest: Equatable {
    struct Resource: Equatable {
        /// 2: a topic; 4: a node; 8: a node's loggers.
        var resourceType: Int8
        var resourceName: String
        /// The settings asked for; `nil`: all.
        var configurationKeys: [String]?
    }

    var resources: [Resource]
    /// Version 1 and up (KIP-226).
    var includeSynonyms = false
    /// Version 3 and up (KIP-569).
    var includeDocumentation = false
}

extension DescribeConfigsRequest: RequestMessage {
    static let api = APIKey.describeConfigs

    init(from reader: inout WireReader, version: Int16) throws(WireError) {
        self.resources = try reader.elements(version: version)
        if version >= 1 { self.includeSynonyms = try reader.bool() }
        if version >= 3 { self.includeDocumentation = try reader.bool() }
        try reader.tags()
    }
}

extension DescribeConfigsRequest.Resource: WireReadable {
    init(from reader: inout WireReader, version: Int16) throws(WireError) {
        self.resourceType = try reader.int8()
        self.resourceName = try reader.string()
        self.configurationKeys = try reader.nullableStrings()
        try reader.tags()
    }
}

/// Settings of topics and nodes.
struct DescribeConfigsResponse {
    struct Result {
        var errorCode = ErrorCode.none
        var errorMessage: String?
        var resourceType: Int8
        var resourceName: String
        var configs: [Config] = []
    }

    struct Config {
        var name: String
        var value: String?
        var isReadOnly = false
        /// What version 0 has in place of ``configSource``.
        var isDefault: Bool
        /// 1: the topic; 2: the node, changed at run time; 3: all nodes, changed at run time; 4: the node's file; 5: the
        /// default (KIP-226, version 1 and up).
        var configSource: Int8
        var isSensitive = false
        /// Where else the value is set, what counts first (version 1 and up).
        var synonyms: [Synonym] = []
        /// 0: unknown; 1: boolean; 2: string; 3: int; 4: short; 5: long; 6: double; 7: list; 8: class; 9: password (KIP-569,
        /// version 3 and up).
        var configType: Int8 = 0
        var documentation: String?
    }

    struct Synonym {
        var name: String
        var value: String?
        var source: Int8
    }

    var results: [Result]
}

extension DescribeConfigsResponse: ResponseMessage {
    func write(to writer: inout WireWriter, version: Int16) {
        writer.throttleTime()
        writer.elements(self.results, version: version)
        writer.tags()
    }
}

extension DescribeConfigsResponse.Result: WireWritable {
    func write(to writer: inout WireWriter, version: Int16) {
        writer.error(self.errorCode)
        writer.string(self.errorMessage)
        writer.int8(self.resourceType)
        writer.string(self.resourceName)
        writer.elements(self.configs, version: version)
        writer.tags()
    }
}

extension DescribeConfigsResponse.Config: WireWritable {
    func write(to writer: inout WireWriter, version: Int16) {
        writer.string(self.name)
        writer.string(self.value)
        writer.bool(self.isReadOnly)
        if version == 0 { writer.bool(self.isDefault) } else { writer.int8(self.configSource) }
        writer.bool(self.isSensitive)
        if version >= 1 { writer.elements(self.synonyms, version: version) }
        if version >= 3 {
            writer.int8(self.configType)
            writer.string(self.documentation)
        }
        writer.tags()
    }
}

extension DescribeConfigsResponse.Synonym: WireWritable {
    func write(to writer: inout WireWriter, version: Int16) {
        writer.string(self.name)
        writer.string(self.value)
        writer.int8(self.source)
        writer.tags()
    }
}

/// Asks which nodes and topics there are, and who leads the partitions (API 3).
struct MetadataRequest: Equatable {
    /// The topics asked for; `nil`: all of them. Version 0 says that with an empty array.
    var topics: [String]?
    /// Whether topics that are missing may be made (KIP-204). Versions 0 to 3 imply it.
    var allowAutoTopicCreation = true
    var includeClusterAuthorizedOperations = false
    var includeTopicAuthorizedOperations = false
}

extension MetadataRequest: RequestMessage {
    static let api = APIKey.metadata

    init(from reader: inout WireReader, version: Int16) throws(WireError) {
        if version == 0 {
            let topics = try reader.strings()
            self.topics = topics.isEmpty ? nil : topics
        } else {
            self.topics = try reader.nullableStrings()
        }
        if version >= 4 { self.allowAutoTopicCreation = try reader.bool() }
        if version >= 8 {
            self.includeClusterAuthorizedOperations = try reader.bool()
            self.includeTopicAuthorizedOperations = try reader.bool()
        }
        try reader.tags()
    }
}

/// Which nodes and topics there are, and who leads the partitions.
struct MetadataResponse {
    struct Broker {
        var nodeID: Int32
        var host: String
        var port: Int32
        var rack: String?
    }

    struct Topic {
        var errorCode: ErrorCode
        var name: String
        var isInternal = false
        var partitions: [Partition] = []
        /// A bit for each operation (KIP-430); `Int32.min`: not asked for.
        var topicAuthorizedOperations = Int32.min
    }

    struct Partition {
        var errorCode = ErrorCode.none
        var partitionIndex: Int32
        /// -1: none.
        var leaderID: Int32
        /// -1: not known.
        var leaderEpoch: Int32 = -1
        var replicaNodes: [Int32]
        var isrNodes: [Int32]
        var offlineReplicas: [Int32] = []
    }

    var brokers: [Broker]
    var clusterID: String?
    var controllerID: Int32 = -1
    var topics: [Topic]
    /// A bit for each operation (KIP-430); `Int32.min`: not asked for.
    var clusterAuthorizedOperations = Int32.min
}

extension MetadataResponse: ResponseMessage {
    func write(to writer: inout WireWriter, version: Int16) {
        if version >= 3 { writer.throttleTime() }
        writer.elements(self.brokers, version: version)
        if version >= 2 { writer.string(self.clusterID) }
        if version >= 1 { writer.int32(self.controllerID) }
        writer.elements(self.topics, version: version)
        if version >= 8 { writer.int32(self.clusterAuthorizedOperations) }
        writer.tags()
    }
}

extension MetadataResponse.Broker: WireWritable {
    func write(to writer: inout WireWriter, version: Int16) {
        writer.int32(self.nodeID)
        writer.string(self.host)
        writer.int32(self.port)
        if version >= 1 { writer.string(self.rack) }
        writer.tags()
    }
}

extension MetadataResponse.Topic: WireWritable {
    func write(to writer: inout WireWriter, version: Int16) {
        writer.error(self.errorCode)
        writer.string(self.name)
        if version >= 1 { writer.bool(self.isInternal) }
        writer.elements(self.partitions, version: version)
        if version >= 8 { writer.int32(self.topicAuthorizedOperations) }
        writer.tags()
    }
}

extension MetadataResponse.Partition: WireWritable {
    func write(to writer: inout WireWriter, version: Int16) {
        writer.error(self.errorCode)
        writer.int32(self.partitionIndex)
        writer.int32(self.leaderID)
        if version >= 7 { writer.int32(self.leaderEpoch) }
        writer.int32s(self.replicaNodes)
        writer.int32s(self.isrNodes)
        if version >= 5 { writer.int32s(self.offlineReplicas) }
        writer.tags()
    }
}

/// Asks for the offsets that a consumer group committed (API 9).
struct OffsetFetchRequest: Equatable {
    struct Topic: Equatable {
        var name: String
        var partitionIndexes: [Int32]
    }

    var groupID: String
    /// `nil`: all that the group committed (version 2 and up).
    var topics: [Topic]?
    /// Whether to wait for open transactions that commit offsets (KIP-447, version 7 and up).
    var requireStable = false
}

extension OffsetFetchRequest: RequestMessage {
    static let api = APIKey.offsetFetch

    init(from reader: inout WireReader, version: Int16) throws(WireError) {
        self.groupID = try reader.string()
        if version >= 2 {
            self.topics = try reader.nullableElements(version: version)
        } else {
            self.topics = try reader.elements(version: version)
        }
        if version >= 7 { self.requireStable = try reader.bool() }
        try reader.tags()
    }
}

extension OffsetFetchRequest.Topic: WireReadable {
    init(from reader: inout WireReader, version: Int16) throws(WireError) {
        self.name = try reader.string()
        self.partitionIndexes = try reader.int32s()
        try reader.tags()
    }
}

/// The offsets that a consumer group committed.
struct OffsetFetchResponse {
    struct Topic {
        var name: String
        var partitions: [Partition]
    }

    struct Partition {
        var partitionIndex: Int32
        /// -1: none, which is no error.
        var committedOffset: Int64 = -1
        var committedLeaderEpoch: Int32 = -1
        var metadata: String? = ""
        var errorCode = ErrorCode.none
    }

    var topics: [Topic] = []
    /// What is wrong with the group. Version 1 has no place for it: list the partitions asked for, and they get it.
    var errorCode = ErrorCode.none
}

extension OffsetFetchResponse: ResponseMessage {
    func write(to writer: inout WireWriter, version: Int16) {
        var topics = self.topics
        if version < 2, self.errorCode != .none {
            for topic in topics.indices {
                for partition in topics[topic].partitions.indices {
                    topics[topic].partitions[partition].errorCode = self.errorCode
                }
            }
        }
        if version >= 3 { writer.throttleTime() }
        writer.elements(topics, version: version)
        if version >= 2 { writer.error(self.errorCode) }
        writer.tags()
    }
}

extension OffsetFetchResponse.Topic: WireWritable {
    func write(to writer: inout WireWriter, version: Int16) {
        writer.string(self.name)
        writer.elements(self.partitions, version: version)
        writer.tags()
    }
}

extension OffsetFetchResponse.Partition: WireWritable {
    func write(to writer: inout WireWriter, version: Int16) {
        writer.int32(self.partitionIndex)
        writer.int64(self.committedOffset)
        if version >= 5 { writer.int32(self.committedLeaderEpoch) }
        writer.string(self.metadata)
        writer.error(self.errorCode)
        writer.tags()
    }
}

/// Commits offsets of a consumer group (API 8).
struct OffsetCommitRequest: Equatable {
    struct Topic: Equatable {
        var name: String
        var partitions: [Partition]
    }

    struct Partition: Equatable {
        var partitionIndex: Int32
        var committedOffset: Int64
        /// That of the record before (KIP-320, version 6 and up); -1: not known.
        var committedLeaderEpoch: Int32 = -1
        var committedMetadata: String?
    }

    var groupID: String
    /// -1: by somebody who is no member.
    var generationID: Int32 = -1
    var memberID = ""
    /// Of a static member (KIP-345, version 7 and up).
    var groupInstanceID: String?
    /// For how long the offsets are kept (versions 2 to 4), in milliseconds; -1: as the broker thinks fit (KIP-211).
    var retentionTimeMs: Int64 = -1
    var topics: [Topic]
}

extension OffsetCommitRequest: RequestMessage {
    static let api = APIKey.offsetCommit

    /// Version 1 is advertised but not served; it is read to be refused politely, partition by partition.
    init(from reader: inout WireReader, version: Int16) throws(WireError) {
        self.groupID = try reader.string()
        self.generationID = try reader.int32()
        self.memberID = try reader.string()
        if version >= 7 { self.groupInstanceID = try reader.nullableString() }
        if 2...4 ~= version { self.retentionTimeMs = try reader.int64() }
        self.topics = try reader.elements(version: version)
        try reader.tags()
    }
}

extension OffsetCommitRequest.Topic: WireReadable {
    init(from reader: inout WireReader, version: Int16) throws(WireError) {
        self.name = try reader.string()
        self.partitions = try reader.elements(version: version)
        try reader.tags()
    }
}

extension OffsetCommitRequest.Partition: WireReadable {
    init(from reader: inout WireReader, version: Int16) throws(WireError) {
        self.partitionIndex = try reader.int32()
        self.committedOffset = try reader.int64()
        if version >= 6 { self.committedLeaderEpoch = try reader.int32() }
        // The time of the commit, which later versions leave to the broker.
        if version == 1 { _ = try reader.int64() }
        self.committedMetadata = try reader.nullableString()
        try reader.tags()
    }
}

/// What came of an ``OffsetCommitRequest``.
struct OffsetCommitResponse {
    struct Topic {
        var name: String
        var partitions: [Partition]
    }

    struct Partition {
        var partitionIndex: Int32
        var errorCode = ErrorCode.none
    }

    var topics: [Topic]
}

extension OffsetCommitResponse: ResponseMessage {
    func write(to writer: inout WireWriter, version: Int16) {
        if version >= 3 { writer.throttleTime() }
        writer.elements(self.topics, version: version)
        writer.tags()
    }
}

extension OffsetCommitResponse.Topic: WireWritable {
    func write(to writer: inout WireWriter, version: Int16) {
        writer.string(self.name)
        writer.elements(self.partitions, version: version)
        writer.tags()
    }
}

extension OffsetCommitResponse.Partition: WireWritable {
    func write(to writer: inout WireWriter, version: Int16) {
        writer.int32(self.partitionIndex)
        writer.error(self.errorCode)
        writer.tags()
    }
}

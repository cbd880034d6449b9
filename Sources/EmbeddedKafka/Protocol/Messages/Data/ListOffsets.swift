/// Asks for offsets by time, and for the ends of partitions (API 2).
struct ListOffsetsRequest: Equatable {
    struct Topic: Equatable {
        var name: String
        var partitions: [Partition]
    }

    struct Partition: Equatable {
        var partitionIndex: Int32
        /// What the client knows of the leader (KIP-320, version 4 and up); -1: it does not say.
        var currentLeaderEpoch: Int32 = -1
        /// In milliseconds since 1970; -1: the end; -2: the start; -3: the record with the largest time (KIP-734).
        var timestamp: Int64
    }

    /// -1: a consumer asks.
    var replicaID: Int32 = -1
    /// Version 1 has none and sees all.
    var isolationLevel = IsolationLevel.readUncommitted
    var topics: [Topic]
}

extension ListOffsetsRequest: RequestMessage {
    static let api = APIKey.listOffsets

    init(from reader: inout WireReader, version: Int16) throws(WireError) {
        self.replicaID = try reader.int32()
        if version >= 2 { self.isolationLevel = try reader.isolationLevel() }
        self.topics = try reader.elements(version: version)
        try reader.tags()
    }
}

extension ListOffsetsRequest.Topic: WireReadable {
    init(from reader: inout WireReader, version: Int16) throws(WireError) {
        self.name = try reader.string()
        self.partitions = try reader.elements(version: version)
        try reader.tags()
    }
}

extension ListOffsetsRequest.Partition: WireReadable {
    init(from reader: inout WireReader, version: Int16) throws(WireError) {
        self.partitionIndex = try reader.int32()
        if version >= 4 { self.currentLeaderEpoch = try reader.int32() }
        self.timestamp = try reader.int64()
        try reader.tags()
    }
}

/// The offsets that a ``ListOffsetsRequest`` asked for.
struct ListOffsetsResponse {
    struct Topic {
        var name: String
        var partitions: [Partition]
    }

    struct Partition {
        var partitionIndex: Int32
        var errorCode = ErrorCode.none
        /// That of the record found, in milliseconds since 1970; -1: none found, or an end was asked for.
        var timestamp: Int64 = -1
        var offset: Int64 = -1
        var leaderEpoch: Int32 = -1
    }

    var topics: [Topic]
}

extension ListOffsetsResponse: ResponseMessage {
    func write(to writer: inout WireWriter, version: Int16) {
        if version >= 2 { writer.throttleTime() }
        writer.elements(self.topics, version: version)
        writer.tags()
    }
}

extension ListOffsetsResponse.Topic: WireWritable {
    func write(to writer: inout WireWriter, version: Int16) {
        writer.string(self.name)
        writer.elements(self.partitions, version: version)
        writer.tags()
    }
}

extension ListOffsetsResponse.Partition: WireWritable {
    func write(to writer: inout WireWriter, version: Int16) {
        writer.int32(self.partitionIndex)
        writer.error(self.errorCode)
        writer.int64(self.timestamp)
        writer.int64(self.offset)
        if version >= 4 { writer.int32(self.leaderEpoch) }
        writer.tags()
    }
}

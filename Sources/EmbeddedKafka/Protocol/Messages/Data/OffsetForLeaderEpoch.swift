/// Asks where a leader's epoch ended (API 23, KIP-320).
struct OffsetForLeaderEpochRequest: Equatable {
    struct Topic: Equatable {
        var topic: String
        var partitions: [Partition]
    }

    struct Partition: Equatable {
        var partition: Int32
        /// What the client knows of the leader; -1: it does not say.
        var currentLeaderEpoch: Int32 = -1
        /// The epoch whose end is asked for.
        var leaderEpoch: Int32
    }

    /// -1: a consumer asks; -2: version 2, which does not say.
    var replicaID: Int32 = -2
    var topics: [Topic]
}

extension OffsetForLeaderEpochRequest: RequestMessage {
    static let api = APIKey.offsetForLeaderEpoch

    init(from reader: inout WireReader, version: Int16) throws(WireError) {
        if version >= 3 { self.replicaID = try reader.int32() }
        self.topics = try reader.elements(version: version)
        try reader.tags()
    }
}

extension OffsetForLeaderEpochRequest.Topic: WireReadable {
    init(from reader: inout WireReader, version: Int16) throws(WireError) {
        self.topic = try reader.string()
        self.partitions = try reader.elements(version: version)
        try reader.tags()
    }
}

extension OffsetForLeaderEpochRequest.Partition: WireReadable {
    init(from reader: inout WireReader, version: Int16) throws(WireError) {
        self.partition = try reader.int32()
        self.currentLeaderEpoch = try reader.int32()
        self.leaderEpoch = try reader.int32()
        try reader.tags()
    }
}

/// Where a leader's epoch ended.
struct OffsetForLeaderEpochResponse {
    struct Topic {
        var topic: String
        var partitions: [Partition]
    }

    struct Partition {
        var errorCode = ErrorCode.none
        var partition: Int32
        /// The largest epoch that is not above the one asked for; -1: none.
        var leaderEpoch: Int32 = -1
        /// The first offset of the epoch after; -1: not known.
        var endOffset: Int64 = -1
    }

    var topics: [Topic]
}

extension OffsetForLeaderEpochResponse: ResponseMessage {
    func write(to writer: inout WireWriter, version: Int16) {
        writer.throttleTime()
        writer.elements(self.topics, version: version)
        writer.tags()
    }
}

extension OffsetForLeaderEpochResponse.Topic: WireWritable {
    func write(to writer: inout WireWriter, version: Int16) {
        writer.string(self.topic)
        writer.elements(self.partitions, version: version)
        writer.tags()
    }
}

extension OffsetForLeaderEpochResponse.Partition: WireWritable {
    func write(to writer: inout WireWriter, version: Int16) {
        writer.error(self.errorCode)
        writer.int32(self.partition)
        writer.int32(self.leaderEpoch)
        writer.int64(self.endOffset)
        writer.tags()
    }
}

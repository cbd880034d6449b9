/// Reads record batches of partitions (API 1).
struct FetchRequest: Equatable {
    struct Topic: Equatable {
        var topic: String
        var partitions: [Partition]
    }

    struct Partition: Equatable {
        var partition: Int32
        /// What the client knows of the leader (KIP-320, version 9 and up); -1: it does not say.
        var currentLeaderEpoch: Int32 = -1
        var fetchOffset: Int64
        /// The epoch of the last record that the reader has; -1: it does not say.
        var lastFetchedEpoch: Int32 = -1
        /// Where the log of a follower begins (version 5 and up); -1: a consumer asks.
        var logStartOffset: Int64 = -1
        var partitionMaxBytes: Int32
    }

    /// Partitions that leave a fetch session.
    struct ForgottenTopic: Equatable {
        var topic: String
        var partitions: [Int32]
    }

    /// -1: a consumer asks.
    var replicaID: Int32 = -1
    var maxWaitMs: Int32
    var minBytes: Int32
    /// What the whole answer may hold (KIP-74).
    var maxBytes: Int32 = .max
    var isolationLevel = IsolationLevel.readUncommitted
    /// The fetch session (KIP-227, version 7 and up); 0: none yet.
    var sessionID: Int32 = 0
    /// 0 asks for a session, -1 for none; other values go on with one.
    var sessionEpoch: Int32 = -1
    var topics: [Topic]
    var forgottenTopicsData: [ForgottenTopic] = []
    /// Where the consumer is (KIP-392, version 11 and up).
    var rackID = ""
}

extension FetchRequest: RequestMessage {
    static let api = APIKey.fetch

    init(from reader: inout WireReader, version: Int16) throws(WireError) {
        self.replicaID = try reader.int32()
        self.maxWaitMs = try reader.int32()
        self.minBytes = try reader.int32()
        self.maxBytes = try reader.int32()
        self.isolationLevel = try reader.isolationLevel()
        if version >= 7 {
            self.sessionID = try reader.int32()
            self.sessionEpoch = try reader.int32()
        }
        self.topics = try reader.elements(version: version)
        if version >= 7 { self.forgottenTopicsData = try reader.elements(version: version) }
        if version >= 11 { self.rackID = try reader.string() }
        try reader.tags()
    }
}

extension FetchRequest.Topic: WireReadable {
    init(from reader: inout WireReader, version: Int16) throws(WireError) {
        self.topic = try reader.string()
        self.partitions = try reader.elements(version: version)
        try reader.tags()
    }
}

extension FetchRequest.Partition: WireReadable {
    init(from reader: inout WireReader, version: Int16) throws(WireError) {
        self.partition = try reader.int32()
        if version >= 9 { self.currentLeaderEpoch = try reader.int32() }
        self.fetchOffset = try reader.int64()
        // The log of a partition here is never cut where somebody has read, so epochs can't diverge (KIP-595).
        if version >= 12 { self.lastFetchedEpoch = try reader.int32() }
        if version >= 5 { self.logStartOffset = try reader.int64() }
        self.partitionMaxBytes = try reader.int32()
        try reader.tags()
    }
}

extension FetchRequest.ForgottenTopic: WireReadable {
    init(from reader: inout WireReader, version: Int16) throws(WireError) {
        self.topic = try reader.string()
        self.partitions = try reader.int32s()
        try reader.tags()
    }
}

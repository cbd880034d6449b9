/// Commits offsets of a consumer group in a transaction (API 28, KIP-98).
struct TransactionOffsetCommitRequest: Equatable {
    struct Topic: Equatable {
        var name: String
        var partitions: [Partition]
    }

    struct Partition: Equatable {
        var partitionIndex: Int32
        var committedOffset: Int64
        /// That of the record before (KIP-320, version 2 and up); -1: not known.
        var committedLeaderEpoch: Int32 = -1
        var committedMetadata: String?
    }

    var transactionalID: String
    var groupID: String
    var producerID: Int64
    var producerEpoch: Int16
    /// The member's generation (KIP-447, version 3 and up); -1: not to be checked.
    var generationID: Int32 = -1
    /// Empty: not to be checked.
    var memberID = ""
    /// Of a static member (KIP-345).
    var groupInstanceID: String?
    var topics: [Topic]
}

extension TransactionOffsetCommitRequest: RequestMessage {
    static let api = APIKey.transactionOffsetCommit

    init(from reader: inout WireReader, version: Int16) throws(WireError) {
        self.transactionalID = try reader.string()
        self.groupID = try reader.string()
        self.producerID = try reader.int64()
        self.producerEpoch = try reader.int16()
        if version >= 3 {
            self.generationID = try reader.int32()
            self.memberID = try reader.string()
            self.groupInstanceID = try reader.nullableString()
        }
        self.topics = try reader.elements(version: version)
        try reader.tags()
    }
}

extension TransactionOffsetCommitRequest.Topic: WireReadable {
    init(from reader: inout WireReader, version: Int16) throws(WireError) {
        self.name = try reader.string()
        self.partitions = try reader.elements(version: version)
        try reader.tags()
    }
}

extension TransactionOffsetCommitRequest.Partition: WireReadable {
    init(from reader: inout WireReader, version: Int16) throws(WireError) {
        self.partitionIndex = try reader.int32()
        self.committedOffset = try reader.int64()
        if version >= 2 { self.committedLeaderEpoch = try reader.int32() }
        self.committedMetadata = try reader.nullableString()
        try reader.tags()
    }
}

/// What came of a ``TransactionOffsetCommitRequest``: the same as of a commit outside of a transaction.
struct TransactionOffsetCommitResponse {
    typealias Topic = OffsetCommitResponse.Topic
    typealias Partition = OffsetCommitResponse.Partition

    var topics: [Topic]
}

extension TransactionOffsetCommitResponse: ResponseMessage {
    func write(to writer: inout WireWriter, version: Int16) {
        writer.throttleTime()
        writer.elements(self.topics, version: version)
        writer.tags()
    }
}

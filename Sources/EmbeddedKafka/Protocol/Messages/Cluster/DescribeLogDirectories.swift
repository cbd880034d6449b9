/// Asks how large partitions are, and where they lie (API 35, KIP-113).
struct DescribeLogDirectoriesRequest: Equatable {
    struct Topic: Equatable {
        var topic: String
        var partitions: [Int32]
    }

    /// `nil`: all.
    var topics: [Topic]?
}

extension DescribeLogDirectoriesRequest: RequestMessage {
    static let api = APIKey.describeLogDirectories

    init(from reader: inout WireReader, version: Int16) throws(WireError) {
        self.topics = try reader.nullableElements(version: version)
        try reader.tags()
    }
}

extension DescribeLogDirectoriesRequest.Topic: WireReadable {
    init(from reader: inout WireReader, version: Int16) throws(WireError) {
        self.topic = try reader.string()
        self.partitions = try reader.int32s()
        try reader.tags()
    }
}

/// How large partitions are, and where they lie.
struct DescribeLogDirectoriesResponse {
    struct Result {
        var errorCode = ErrorCode.none
        var logDirectory: String
        var topics: [Topic] = []
    }

    struct Topic {
        var name: String
        var partitions: [Partition]
    }

    struct Partition {
        var partitionIndex: Int32
        /// In bytes.
        var partitionSize: Int64
        /// By how many records the replica is behind.
        var offsetLag: Int64 = 0
        /// Whether the replica is on its way to this directory.
        var isFutureKey = false
    }

    var results: [Result]
}

extension DescribeLogDirectoriesResponse: ResponseMessage {
    func write(to writer: inout WireWriter, version: Int16) {
        writer.throttleTime()
        writer.elements(self.results, version: version)
        writer.tags()
    }
}

extension DescribeLogDirectoriesResponse.Result: WireWritable {
    func write(to writer: inout WireWriter, version: Int16) {
        writer.error(self.errorCode)
        writer.string(self.logDirectory)
        writer.elements(self.topics, version: version)
        writer.tags()
    }
}

extension DescribeLogDirectoriesResponse.Topic: WireWritable {
    func write(to writer: inout WireWriter, version: Int16) {
        writer.string(self.name)
        writer.elements(self.partitions, version: version)
        writer.tags()
    }
}

extension DescribeLogDirectoriesResponse.Partition: WireWritable {
    func write(to writer: inout WireWriter, version: Int16) {
        writer.int32(self.partitionIndex)
        writer.int64(self.partitionSize)
        writer.int64(self.offsetLag)
        writer.bool(self.isFutureKey)
        writer.tags()
    }
}

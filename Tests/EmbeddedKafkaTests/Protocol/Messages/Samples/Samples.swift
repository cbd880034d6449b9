import NIOCore
import Testing

@testable import EmbeddedKafka

/// A request with every field of its version set, and its bytes.
struct RequestSample: Sendable, CustomTestStringConvertible {
    let api: APIKey
    let version: Int16
    let bytes: [UInt8]
    /// Reads a body, and says how many bytes are left and whether it is what this sample holds.
    let read: @Sendable ([UInt8]) throws -> (remaining: Int, isExpected: Bool)

    init<Request: RequestMessage & Equatable & Sendable>(
        _ expected: Request,
        _ version: Int16,
        hasUnknownTags: Bool = true,
        _ write: (inout Encoding) -> Void
    ) {
        let isFlexible = Request.api.isFlexible(version)
        var encoding = Encoding(isFlexible: isFlexible, hasUnknownTags: hasUnknownTags)
        write(&encoding)
        encoding.tags()
        self.api = Request.api
        self.version = version
        self.bytes = encoding.bytes
        self.read = { bytes in
            var reader = WireReader(ByteBuffer(bytes: bytes), isFlexible: isFlexible)
            let request = try Request(from: &reader, version: version)
            return (reader.remaining, request == expected)
        }
    }

    var testDescription: String { "\(self.api) \(self.version)" }

    /// One of each API in each version that is served.
    static let all = APIKey.allCases.flatMap { api in api.served.map { Self.sample(of: api, $0) } }

    private static func sample(of api: APIKey, _ version: Int16) -> RequestSample {
        switch api {
        case .produce: Self.produce(version)
        case .fetch: Self.fetch(version)
        case .listOffsets: Self.listOffsets(version)
        case .metadata: Self.metadata(version)
        case .offsetCommit: Self.offsetCommit(version)
        case .offsetFetch: Self.offsetFetch(version)
        case .findCoordinator: Self.findCoordinator(version)
        case .joinGroup: Self.joinGroup(version)
        case .heartbeat: Self.heartbeat(version)
        case .leaveGroup: Self.leaveGroup(version)
        case .syncGroup: Self.syncGroup(version)
        case .describeGroups: Self.describeGroups(version)
        case .listGroups: Self.listGroups(version)
        case .saslHandshake: Self.saslHandshake(version)
        case .apiVersions: Self.apiVersions(version)
        case .createTopics: Self.createTopics(version)
        case .deleteTopics: Self.deleteTopics(version)
        case .deleteRecords: Self.deleteRecords(version)
        case .initProducerID: Self.initProducerID(version)
        case .offsetForLeaderEpoch: Self.offsetForLeaderEpoch(version)
        case .addPartitionsToTransaction: Self.addPartitionsToTransaction(version)
        case .addOffsetsToTransaction: Self.addOffsetsToTransaction(version)
        case .endTransaction: Self.endTransaction(version)
        case .transactionOffsetCommit: Self.transactionOffsetCommit(version)
        case .describeACLs: Self.describeACLs(version)
        case .createACLs: Self.createACLs(version)
        case .deleteACLs: Self.deleteACLs(version)
        case .describeConfigs: Self.describeConfigs(version)
        case .alterConfigs: Self.alterConfigs(version)
        case .describeLogDirectories: Self.describeLogDirectories(version)
        case .saslAuthenticate: Self.saslAuthenticate(version)
        case .createPartitions: Self.createPartitions(version)
        case .deleteGroups: Self.deleteGroups(version)
        case .incrementalAlterConfigs: Self.incrementalAlterConfigs(version)
        case .offsetDelete: Self.offsetDelete(version)
        case .describeCluster: Self.describeCluster(version)
        case .describeProducers: Self.describeProducers(version)
        case .describeTransactions: Self.describeTransactions(version)
        case .listTransactions: Self.listTransactions(version)
        }
    }
}

/// A response with every field set to something of its own, and the bytes of its version.
struct ResponseSample: Sendable, CustomTestStringConvertible {
    let api: APIKey
    let version: Int16
    let bytes: [UInt8]
    let write: @Sendable () -> [UInt8]

    init(
        _ api: APIKey,
        _ response: some ResponseMessage & Sendable,
        _ version: Int16,
        _ write: (inout Encoding) -> Void
    ) {
        let isFlexible = api.isFlexible(version)
        var encoding = Encoding(isFlexible: isFlexible)
        write(&encoding)
        encoding.tags()
        self.api = api
        self.version = version
        self.bytes = encoding.bytes
        self.write = {
            var writer = WireWriter(isFlexible: isFlexible)
            response.write(to: &writer, version: version)
            return Array(writer.buffer.readableBytesView)
        }
    }

    var testDescription: String { "\(self.api) \(self.version)" }

    /// One of each API in each version that is served.
    static let all = APIKey.allCases.flatMap { api in api.served.map { Self.sample(of: api, $0) } }

    private static func sample(of api: APIKey, _ version: Int16) -> ResponseSample {
        switch api {
        case .produce: Self.produce(version)
        case .fetch: Self.fetch(version)
        case .listOffsets: Self.listOffsets(version)
        case .metadata: Self.metadata(version)
        case .offsetCommit: Self.offsetCommit(version)
        case .offsetFetch: Self.offsetFetch(version)
        case .findCoordinator: Self.findCoordinator(version)
        case .joinGroup: Self.joinGroup(version)
        case .heartbeat: Self.heartbeat(version)
        case .leaveGroup: Self.leaveGroup(version)
        case .syncGroup: Self.syncGroup(version)
        case .describeGroups: Self.describeGroups(version)
        case .listGroups: Self.listGroups(version)
        case .saslHandshake: Self.saslHandshake(version)
        case .apiVersions: Self.apiVersions(version)
        case .createTopics: Self.createTopics(version)
        case .deleteTopics: Self.deleteTopics(version)
        case .deleteRecords: Self.deleteRecords(version)
        case .initProducerID: Self.initProducerID(version)
        case .offsetForLeaderEpoch: Self.offsetForLeaderEpoch(version)
        case .addPartitionsToTransaction: Self.addPartitionsToTransaction(version)
        case .addOffsetsToTransaction: Self.addOffsetsToTransaction(version)
        case .endTransaction: Self.endTransaction(version)
        case .transactionOffsetCommit: Self.transactionOffsetCommit(version)
        case .describeACLs: Self.describeACLs(version)
        case .createACLs: Self.createACLs(version)
        case .deleteACLs: Self.deleteACLs(version)
        case .describeConfigs: Self.describeConfigs(version)
        case .alterConfigs: Self.alterConfigs(.alterConfigs, version)
        case .describeLogDirectories: Self.describeLogDirectories(version)
        case .saslAuthenticate: Self.saslAuthenticate(version)
        case .createPartitions: Self.createPartitions(version)
        case .deleteGroups: Self.deleteGroups(version)
        case .incrementalAlterConfigs: Self.alterConfigs(.incrementalAlterConfigs, version)
        case .offsetDelete: Self.offsetDelete(version)
        case .describeCluster: Self.describeCluster(version)
        case .describeProducers: Self.describeProducers(version)
        case .describeTransactions: Self.describeTransactions(version)
        case .listTransactions: Self.listTransactions(version)
        }
    }
}

import NIOCore
import Testing

@testable import EmbeddedKafka

@Suite("What old versions of requests imply")
struct VersionTests {
    private func read<Request: RequestMessage>(
        _ bytes: [UInt8],
        _ version: Int16,
        as type: Request.Type = Request.self
    ) throws -> Request {
        var reader = WireReader(ByteBuffer(bytes: bytes), isFlexible: Request.api.isFlexible(version))
        let request = try Request(from: &reader, version: version)
        #expect(reader.remaining == 0)
        return request
    }

    private static let null: [UInt8] = [0xff, 0xff, 0xff, 0xff]

    @Test("Metadata: an empty array is all topics in version 0 and none after; null is all, but not in version 0")
    func metadataTopics() throws {
        let zero: [UInt8] = [0, 0, 0, 0]
        #expect(try self.read(zero, 0) == MetadataRequest(topics: nil))
        for version in Int16(1)...8 {
            let flags = [UInt8](repeating: 1, count: version >= 8 ? 3 : version >= 4 ? 1 : 0)
            #expect(try self.read(zero + flags, version, as: MetadataRequest.self).topics == [])
            #expect(try self.read(Self.null + flags, version, as: MetadataRequest.self).topics == nil)
        }
        #expect(throws: WireError.self) { try self.read(Self.null, 0, as: MetadataRequest.self) }
    }

    @Test("Metadata: automatic creation is implied before version 4, and said after")
    func metadataCreation() throws {
        #expect(try self.read([0, 0, 0, 0], 3, as: MetadataRequest.self).allowAutoTopicCreation)
        #expect(try !self.read([0, 0, 0, 0, 0], 4, as: MetadataRequest.self).allowAutoTopicCreation)
        let all = try self.read([0, 0, 0, 0, 0, 1, 0], 8, as: MetadataRequest.self)
        #expect(all.includeClusterAuthorizedOperations)
        #expect(!all.includeTopicAuthorizedOperations)
    }

    @Test("OffsetFetch: null is all topics since version 2; an empty array is none")
    func offsetFetch() throws {
        let group: [UInt8] = [0, 1, 0x67]
        #expect(throws: WireError.self) { try self.read(group + Self.null, 1, as: OffsetFetchRequest.self) }
        #expect(try self.read(group + Self.null, 2) == OffsetFetchRequest(groupID: "g", topics: nil))
        #expect(try self.read(group + [0, 0, 0, 0], 2) == OffsetFetchRequest(groupID: "g", topics: []))
        #expect(try self.read([2, 0x67, 0, 0], 6) == OffsetFetchRequest(groupID: "g", topics: nil))
        #expect(
            try self.read([2, 0x67, 1, 1, 0], 7) == OffsetFetchRequest(groupID: "g", topics: [], requireStable: true)
        )
    }

    @Test("Null is all, or the broker's choice, where Kafka lets it be null")
    func nulls() throws {
        #expect(try self.read(Self.null, 0) == DescribeLogDirectoriesRequest(topics: nil))
        let partitions = try self.read(
            [0, 0, 0, 1, 0, 1, 0x74, 0, 0, 0, 9] + Self.null + [0, 0, 0, 5, 0],
            1,
            as: CreatePartitionsRequest.self
        )
        #expect(partitions.topics == [.init(name: "t", count: 9, assignments: nil)])
        #expect(!partitions.validateOnly)
        let producer = try self.read([0xff, 0xff, 0, 0, 0, 5], 0, as: InitProducerIDRequest.self)
        #expect(producer == InitProducerIDRequest(transactionalID: nil, transactionTimeoutMs: 5))
        let produce = try self.read([0xff, 0xff, 0, 0, 0, 0, 0, 5, 0, 0, 0, 0], 3, as: ProduceRequest.self)
        #expect(produce == ProduceRequest(transactionalID: nil, acks: 0, timeoutMs: 5, topicData: []))
        let acls = try self.read([2, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1, 1], 0, as: DescribeACLsRequest.self)
        #expect(acls.filter.resourceNameFilter == nil)
        #expect(acls.filter.hostFilter == nil)
        #expect(acls.filter.patternTypeFilter == 3)
    }

    @Test("Null is refused where Kafka does not let it be null")
    func forbiddenNulls() {
        #expect(throws: WireError.self) { try self.read(Self.null + [0, 0, 0, 5], 1, as: DeleteTopicsRequest.self) }
        #expect(throws: WireError.self) { try self.read(Self.null, 0, as: SaslAuthenticateRequest.self) }
        #expect(throws: WireError.self) { try self.read([0xff, 0xff], 0, as: FindCoordinatorRequest.self) }
    }

    @Test("Versions that are advertised but not served are read, so that they can be refused")
    func unserved() throws {
        let produce: [UInt8] = [0, 1, 0, 0, 0, 5, 0, 0, 0, 1, 0, 1, 0x74, 0, 0, 0, 1, 0, 0, 0, 2] + Self.null
        for version in Int16(0)...2 {
            let request = try self.read(produce, version, as: ProduceRequest.self)
            #expect(request.topicData == [.init(name: "t", partitionData: [.init(index: 2, records: nil)])])
        }
        let commit = RequestSample.offsetCommit(1)
        let (remaining, isExpected) = try commit.read(commit.bytes)
        #expect(remaining == 0)
        #expect(isExpected)
    }

    @Test("An isolation level that Kafka does not know is refused", arguments: [Int8(-1), 2])
    func isolation(level: Int8) {
        let bytes: [UInt8] = [0xff, 0xff, 0xff, 0xff, UInt8(bitPattern: level), 0, 0, 0, 0]
        #expect(throws: WireError.self) { try self.read(bytes, 2, as: ListOffsetsRequest.self) }
    }

    @Test("Records share the memory of the message")
    func sharedRecords() throws {
        let sample = RequestSample.produce(8)
        let message = ByteBuffer(bytes: sample.bytes)
        var reader = WireReader(message, isFlexible: false)
        let request = try ProduceRequest(from: &reader, version: 8)
        let records = try #require(request.topicData.first?.partitionData.first?.records)
        message.withUnsafeReadableBytes { whole in
            records.withUnsafeReadableBytes { part in
                #expect(Array(part) == [9, 8, 7])
                guard let start = whole.baseAddress, let inner = part.baseAddress else {
                    Issue.record("there is no memory")
                    return
                }
                #expect(inner >= start && inner < start + whole.count)
            }
        }
    }
}

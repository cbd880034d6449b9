import NIOCore
import Testing

@testable import EmbeddedKafka

@Suite("Responses")
struct ResponseTests {
    @Test("A response with every field set has exactly the bytes of its version", arguments: ResponseSample.all)
    func isWritten(sample: ResponseSample) {
        #expect(sample.write() == sample.bytes)
    }

    /// What a whole response is, from a version on the wire to hex.
    private func hex(_ response: some ResponseMessage, _ version: Int16, isFlexible: Bool = false) -> String {
        var writer = WireWriter(isFlexible: isFlexible)
        response.write(to: &writer, version: version)
        return writer.buffer.readableBytesView.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
    }

    @Test("Versions of Produce that are not served can be refused, partition by partition")
    func oldProduce() {
        let response = ProduceResponse(
            responses: [.init(name: "t", partitionResponses: [.init(index: 1, errorCode: .unsupportedVersion)])])
        let common = "00000001" + "000174" + "00000001" + "00000001" + "0023" + "ffffffffffffffff"
        #expect(self.hex(response, 0) == common)
        #expect(self.hex(response, 1) == common + "00000000")
        #expect(self.hex(response, 2) == common + "ffffffffffffffff" + "00000000")
    }

    @Test("A fetched partition without records has an empty record set, and null aborted transactions")
    func emptyFetch() {
        let response = FetchResponse(responses: [.init(topic: "t", partitions: [.init(partitionIndex: 1)])])
        let offsets = "ffffffffffffffff" + "ffffffffffffffff"
        let topic = "00000001" + "000174" + "00000001" + "00000001" + "0000"
        #expect(self.hex(response, 4) == "00000000" + topic + offsets + "ffffffff" + "00000000")
        #expect(
            self.hex(response, 11)
                == "00000000" + "0000" + "00000000" + topic + offsets + "ffffffffffffffff" + "ffffffff" + "ffffffff"
                + "00000000"
        )
    }

    @Test("What was not asked for or is not known has Kafka's default")
    func defaults() {
        let metadata = MetadataResponse(
            brokers: [],
            topics: [
                .init(
                    errorCode: .none,
                    name: "t",
                    partitions: [.init(partitionIndex: 0, leaderID: 1, replicaNodes: [], isrNodes: [])]
                )
            ]
        )
        #expect(
            self.hex(metadata, 8)
                == "00000000" + "00000000" + "ffff" + "ffffffff" + "00000001" + "0000" + "000174" + "00"
                + "00000001" + "0000" + "00000000" + "00000001" + "ffffffff" + "00000000" + "00000000" + "00000000"
                + "80000000" + "80000000"
        )
        #expect(
            self.hex(InitProducerIDResponse(errorCode: .none), 4, isFlexible: true) == "000000000000"
                + "ffffffffffffffffffff" + "00"
        )
        #expect(
            self.hex(FindCoordinatorResponse(errorCode: .coordinatorNotAvailable), 0) == "000f" + "ffffffff" + "0000"
                + "ffffffff"
        )
    }

    @Test("Before version 3 a leaving member's error is the response's", arguments: [Int16(0), 1, 2])
    func oldLeaveGroup(version: Int16) {
        let member = LeaveGroupResponse.Member(memberID: "m", groupInstanceID: nil, errorCode: .unknownMemberID)
        let throttle = version >= 1 ? "00000000" : ""
        #expect(self.hex(LeaveGroupResponse(members: [member]), version) == throttle + "0019")
        #expect(
            self.hex(LeaveGroupResponse(errorCode: .notCoordinator, members: [member]), version) == throttle + "0010"
        )
        #expect(self.hex(LeaveGroupResponse(), version) == throttle + "0000")
    }

    @Test("Before version 2 the group's error stands at each partition whose offset was asked for")
    func oldOffsetFetch() {
        let response = OffsetFetchResponse(
            topics: [.init(name: "t", partitions: [.init(partitionIndex: 1)])],
            errorCode: .notCoordinator
        )
        let partition = "00000001" + "000174" + "00000001" + "00000001" + "ffffffffffffffff" + "0000"
        #expect(self.hex(response, 1) == partition + "0010")
        #expect(self.hex(response, 2) == partition + "0000" + "0010")
    }
}

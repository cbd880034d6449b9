import NIOCore

@testable import EmbeddedKafka

extension RequestSample {
    static func offsetCommit(_ version: Int16) -> RequestSample {
        let expected = OffsetCommitRequest(
            groupID: "group",
            generationID: 4,
            memberID: "member",
            groupInstanceID: version >= 7 ? "instance" : nil,
            retentionTimeMs: 2...4 ~= version ? 60_000 : -1,
            topics: [
                .init(
                    name: "orders",
                    partitions: [
                        .init(
                            partitionIndex: 1,
                            committedOffset: 55,
                            committedLeaderEpoch: version >= 6 ? 9 : -1,
                            committedMetadata: "note"
                        )
                    ]
                )
            ]
        )
        return RequestSample(expected, version) {
            $0.string("group")
            $0.int32(4)
            $0.string("member")
            if version >= 7 { $0.string("instance") }
            if 2...4 ~= version { $0.int64(60_000) }
            $0.one {
                $0.string("orders")
                $0.one {
                    $0.int32(1)
                    $0.int64(55)
                    if version >= 6 { $0.int32(9) }
                    if version == 1 { $0.int64(1_700_000_000_000) }
                    $0.string("note")
                }
            }
        }
    }

    static func offsetFetch(_ version: Int16) -> RequestSample {
        let expected = OffsetFetchRequest(
            groupID: "group",
            topics: [.init(name: "orders", partitionIndexes: [0, 1])],
            requireStable: version >= 7
        )
        return RequestSample(expected, version) {
            $0.string("group")
            $0.one {
                $0.string("orders")
                $0.int32s([0, 1])
            }
            if version >= 7 { $0.bool(true) }
        }
    }

    static func joinGroup(_ version: Int16) -> RequestSample {
        let expected = JoinGroupRequest(
            groupID: "group",
            sessionTimeoutMs: 10_000,
            rebalanceTimeoutMs: version >= 1 ? 300_000 : 10_000,
            memberID: "member",
            groupInstanceID: version >= 5 ? "instance" : nil,
            protocolType: "consumer",
            protocols: [
                .init(name: "range", metadata: ByteBuffer(bytes: [0, 3])),
                .init(name: "sticky", metadata: ByteBuffer()),
            ]
        )
        return RequestSample(expected, version) {
            $0.string("group")
            $0.int32(10_000)
            if version >= 1 { $0.int32(300_000) }
            $0.string("member")
            if version >= 5 { $0.string("instance") }
            $0.string("consumer")
            $0.array([("range", [UInt8]([0, 3])), ("sticky", [])]) {
                $0.string($1.0)
                $0.blob($1.1)
            }
        }
    }

    static func heartbeat(_ version: Int16) -> RequestSample {
        let expected = HeartbeatRequest(
            groupID: "group",
            generationID: 4,
            memberID: "member",
            groupInstanceID: version >= 3 ? "instance" : nil
        )
        return RequestSample(expected, version) {
            $0.string("group")
            $0.int32(4)
            $0.string("member")
            if version >= 3 { $0.string("instance") }
        }
    }

    static func leaveGroup(_ version: Int16) -> RequestSample {
        let members: [LeaveGroupRequest.Member] =
            version >= 3
            ? [.init(memberID: "member", groupInstanceID: nil), .init(memberID: "", groupInstanceID: "instance")]
            : [.init(memberID: "member")]
        return RequestSample(LeaveGroupRequest(groupID: "group", members: members), version) {
            $0.string("group")
            guard version >= 3 else { return $0.string("member") }
            $0.array([("member", String?.none), ("", "instance")]) {
                $0.string($1.0)
                $0.string($1.1)
            }
        }
    }

    static func syncGroup(_ version: Int16) -> RequestSample {
        let expected = SyncGroupRequest(
            groupID: "group",
            generationID: 4,
            memberID: "member",
            groupInstanceID: version >= 3 ? "instance" : nil,
            assignments: [.init(memberID: "other", assignment: ByteBuffer(bytes: [1, 2, 3]))]
        )
        return RequestSample(expected, version) {
            $0.string("group")
            $0.int32(4)
            $0.string("member")
            if version >= 3 { $0.string("instance") }
            $0.one {
                $0.string("other")
                $0.blob([1, 2, 3])
            }
        }
    }

    static func describeGroups(_ version: Int16) -> RequestSample {
        let expected = DescribeGroupsRequest(groups: ["g", "h"], includeAuthorizedOperations: version >= 3)
        return RequestSample(expected, version) {
            $0.strings(["g", "h"])
            if version >= 3 { $0.bool(true) }
        }
    }

    static func listGroups(_ version: Int16) -> RequestSample {
        RequestSample(ListGroupsRequest(statesFilter: version >= 4 ? ["Stable", "Empty"] : []), version) {
            if version >= 4 { $0.strings(["Stable", "Empty"]) }
        }
    }

    static func deleteGroups(_ version: Int16) -> RequestSample {
        RequestSample(DeleteGroupsRequest(groupsNames: ["g", "h"]), version) { $0.strings(["g", "h"]) }
    }

    static func offsetDelete(_ version: Int16) -> RequestSample {
        let expected = OffsetDeleteRequest(
            groupID: "group",
            topics: [.init(name: "orders", partitions: [.init(partitionIndex: 1), .init(partitionIndex: 2)])]
        )
        return RequestSample(expected, version) {
            $0.string("group")
            $0.one {
                $0.string("orders")
                $0.int32s([1, 2])
            }
        }
    }
}

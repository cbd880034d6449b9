import NIOCore

@testable import EmbeddedKafka

extension ResponseSample {
    static func offsetCommit(_ version: Int16) -> ResponseSample {
        let response = OffsetCommitResponse(
            topics: [.init(name: "orders", partitions: [.init(partitionIndex: 1, errorCode: .illegalGeneration)])])
        return ResponseSample(.offsetCommit, response, version) {
            if version >= 3 { $0.int32(0) }
            $0.one {
                $0.string("orders")
                $0.one {
                    $0.int32(1)
                    $0.int16(22)
                }
            }
        }
    }

    static func offsetFetch(_ version: Int16) -> ResponseSample {
        let response = OffsetFetchResponse(
            topics: [
                .init(
                    name: "orders",
                    partitions: [
                        .init(
                            partitionIndex: 1,
                            committedOffset: 55,
                            committedLeaderEpoch: 9,
                            metadata: "note",
                            errorCode: .unstableOffsetCommit
                        ),
                        .init(partitionIndex: 2, metadata: nil),
                    ]
                )
            ],
            // Version 1 has no place for it.
            errorCode: version >= 2 ? .notCoordinator : .none
        )
        return ResponseSample(.offsetFetch, response, version) {
            if version >= 3 { $0.int32(0) }
            $0.one {
                $0.string("orders")
                $0.array([(Int32(1), Int64(55), Int32(9), String?("note"), Int16(88)), (2, -1, -1, nil, 0)]) {
                    $0.int32($1.0)
                    $0.int64($1.1)
                    if version >= 5 { $0.int32($1.2) }
                    $0.string($1.3)
                    $0.int16($1.4)
                    $0.tags()
                }
            }
            if version >= 2 { $0.int16(16) }
        }
    }

    static func joinGroup(_ version: Int16) -> ResponseSample {
        let response = JoinGroupResponse(
            errorCode: .memberIDRequired,
            generationID: 4,
            protocolName: "range",
            leader: "leader",
            memberID: "member",
            members: [.init(memberID: "other", groupInstanceID: "instance", metadata: ByteBuffer(bytes: [0, 3]))]
        )
        return ResponseSample(.joinGroup, response, version) {
            if version >= 2 { $0.int32(0) }
            $0.int16(79)
            $0.int32(4)
            $0.string("range")
            $0.string("leader")
            $0.string("member")
            $0.one {
                $0.string("other")
                if version >= 5 { $0.string("instance") }
                $0.blob([0, 3])
            }
        }
    }

    static func heartbeat(_ version: Int16) -> ResponseSample {
        ResponseSample(.heartbeat, HeartbeatResponse(errorCode: .rebalanceInProgress), version) {
            if version >= 1 { $0.int32(0) }
            $0.int16(27)
        }
    }

    static func leaveGroup(_ version: Int16) -> ResponseSample {
        let response = LeaveGroupResponse(
            errorCode: .notCoordinator,
            members: [.init(memberID: "member", groupInstanceID: "instance", errorCode: .fencedInstanceID)]
        )
        return ResponseSample(.leaveGroup, response, version) {
            if version >= 1 { $0.int32(0) }
            $0.int16(16)
            if version >= 3 {
                $0.one {
                    $0.string("member")
                    $0.string("instance")
                    $0.int16(82)
                }
            }
        }
    }

    static func syncGroup(_ version: Int16) -> ResponseSample {
        let response = SyncGroupResponse(errorCode: .unknownMemberID, assignment: ByteBuffer(bytes: [1, 2, 3]))
        return ResponseSample(.syncGroup, response, version) {
            if version >= 1 { $0.int32(0) }
            $0.int16(25)
            $0.blob([1, 2, 3])
        }
    }

    static func describeGroups(_ version: Int16) -> ResponseSample {
        let response = DescribeGroupsResponse(
            groups: [
                .init(
                    errorCode: .notCoordinator,
                    groupID: "group",
                    groupState: "Stable",
                    protocolType: "consumer",
                    protocolData: "range",
                    members: [
                        .init(
                            memberID: "member",
                            groupInstanceID: "instance",
                            clientID: "client",
                            clientHost: "/127.0.0.1",
                            memberMetadata: ByteBuffer(bytes: [1]),
                            memberAssignment: ByteBuffer(bytes: [2, 3])
                        )
                    ],
                    authorizedOperations: 0x0148
                )
            ]
        )
        return ResponseSample(.describeGroups, response, version) {
            if version >= 1 { $0.int32(0) }
            $0.one {
                $0.int16(16)
                $0.string("group")
                $0.string("Stable")
                $0.string("consumer")
                $0.string("range")
                $0.one {
                    $0.string("member")
                    if version >= 4 { $0.string("instance") }
                    $0.string("client")
                    $0.string("/127.0.0.1")
                    $0.blob([1])
                    $0.blob([2, 3])
                }
                if version >= 3 { $0.int32(0x0148) }
            }
        }
    }

    static func listGroups(_ version: Int16) -> ResponseSample {
        let response = ListGroupsResponse(
            errorCode: .coordinatorNotAvailable,
            groups: [.init(groupID: "group", protocolType: "consumer", groupState: "Empty")]
        )
        return ResponseSample(.listGroups, response, version) {
            if version >= 1 { $0.int32(0) }
            $0.int16(15)
            $0.one {
                $0.string("group")
                $0.string("consumer")
                if version >= 4 { $0.string("Empty") }
            }
        }
    }

    static func deleteGroups(_ version: Int16) -> ResponseSample {
        let response = DeleteGroupsResponse(results: [.init(groupID: "group", errorCode: .nonEmptyGroup)])
        return ResponseSample(.deleteGroups, response, version) {
            $0.int32(0)
            $0.one {
                $0.string("group")
                $0.int16(68)
            }
        }
    }

    static func offsetDelete(_ version: Int16) -> ResponseSample {
        let response = OffsetDeleteResponse(
            errorCode: .groupIDNotFound,
            topics: [.init(name: "orders", partitions: [.init(partitionIndex: 1, errorCode: .groupSubscribedToTopic)])]
        )
        return ResponseSample(.offsetDelete, response, version) {
            $0.int16(69)
            $0.int32(0)
            $0.one {
                $0.string("orders")
                $0.one {
                    $0.int32(1)
                    $0.int16(86)
                }
            }
        }
    }
}

import NIOCore

@testable import EmbeddedKafka

extension RequestSample {
    static func produce(_ version: Int16) -> RequestSample {
        let expected = ProduceRequest(
            transactionalID: version >= 3 ? "tx" : nil,
            acks: -1,
            timeoutMs: 1500,
            topicData: [
                .init(
                    name: "größe",
                    partitionData: [
                        .init(index: 3, records: ByteBuffer(bytes: [9, 8, 7])), .init(index: 4, records: nil),
                    ]
                )
            ]
        )
        return RequestSample(expected, version) {
            if version >= 3 { $0.string("tx") }
            $0.int16(-1)
            $0.int32(1500)
            $0.one {
                $0.string("größe")
                $0.array([(Int32(3), [UInt8]?([9, 8, 7])), (4, nil)]) {
                    $0.int32($1.0)
                    $0.blob($1.1)
                }
            }
        }
    }

    static func fetch(_ version: Int16) -> RequestSample {
        var expected = FetchRequest(
            replicaID: -1,
            maxWaitMs: 500,
            minBytes: 1,
            maxBytes: 1 << 20,
            isolationLevel: .readCommitted,
            topics: [
                .init(
                    topic: "orders",
                    partitions: [
                        .init(
                            partition: 2,
                            currentLeaderEpoch: version >= 9 ? 5 : -1,
                            fetchOffset: 1 << 40,
                            lastFetchedEpoch: version >= 12 ? 4 : -1,
                            logStartOffset: version >= 5 ? 77 : -1,
                            partitionMaxBytes: 4096
                        )
                    ]
                )
            ]
        )
        if version >= 7 {
            expected.sessionID = 11
            expected.sessionEpoch = 12
            expected.forgottenTopicsData = [.init(topic: "old", partitions: [6, 7])]
        }
        if version >= 11 { expected.rackID = "rack" }
        return RequestSample(expected, version) {
            $0.int32(-1)
            $0.int32(500)
            $0.int32(1)
            $0.int32(1 << 20)
            $0.int8(1)
            if version >= 7 {
                $0.int32(11)
                $0.int32(12)
            }
            $0.one {
                $0.string("orders")
                $0.one {
                    $0.int32(2)
                    if version >= 9 { $0.int32(5) }
                    $0.int64(1 << 40)
                    if version >= 12 { $0.int32(4) }
                    if version >= 5 { $0.int64(77) }
                    $0.int32(4096)
                }
            }
            if version >= 7 {
                $0.one {
                    $0.string("old")
                    $0.int32s([6, 7])
                }
            }
            if version >= 11 { $0.string("rack") }
        }
    }

    static func listOffsets(_ version: Int16) -> RequestSample {
        let expected = ListOffsetsRequest(
            replicaID: -1,
            isolationLevel: version >= 2 ? .readCommitted : .readUncommitted,
            topics: [
                .init(
                    name: "orders",
                    partitions: [.init(partitionIndex: 1, currentLeaderEpoch: version >= 4 ? 8 : -1, timestamp: -3)]
                )
            ]
        )
        return RequestSample(expected, version) {
            $0.int32(-1)
            if version >= 2 { $0.int8(1) }
            $0.one {
                $0.string("orders")
                $0.one {
                    $0.int32(1)
                    if version >= 4 { $0.int32(8) }
                    $0.int64(-3)
                }
            }
        }
    }

    static func deleteRecords(_ version: Int16) -> RequestSample {
        let expected = DeleteRecordsRequest(
            topics: [.init(name: "orders", partitions: [.init(partitionIndex: 1, offset: 99)])],
            timeoutMs: 700
        )
        return RequestSample(expected, version) {
            $0.one {
                $0.string("orders")
                $0.one {
                    $0.int32(1)
                    $0.int64(99)
                }
            }
            $0.int32(700)
        }
    }

    static func offsetForLeaderEpoch(_ version: Int16) -> RequestSample {
        let expected = OffsetForLeaderEpochRequest(
            replicaID: version >= 3 ? -1 : -2,
            topics: [.init(topic: "orders", partitions: [.init(partition: 1, currentLeaderEpoch: 7, leaderEpoch: 6)])]
        )
        return RequestSample(expected, version) {
            if version >= 3 { $0.int32(-1) }
            $0.one {
                $0.string("orders")
                $0.one {
                    $0.int32(1)
                    $0.int32(7)
                    $0.int32(6)
                }
            }
        }
    }
}

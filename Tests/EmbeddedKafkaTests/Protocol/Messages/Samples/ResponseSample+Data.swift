import NIOCore

@testable import EmbeddedKafka

extension ResponseSample {
    static func produce(_ version: Int16) -> ResponseSample {
        let response = ProduceResponse(
            responses: [
                .init(
                    name: "orders",
                    partitionResponses: [
                        .init(
                            index: 3,
                            errorCode: .invalidRecord,
                            baseOffset: 100,
                            logAppendTimeMs: 1_700_000_000_000,
                            logStartOffset: 7,
                            recordErrors: [.init(batchIndex: 2, batchIndexErrorMessage: "no key")],
                            errorMessage: "a bad record"
                        )
                    ]
                )
            ]
        )
        return ResponseSample(.produce, response, version) {
            $0.one {
                $0.string("orders")
                $0.one {
                    $0.int32(3)
                    $0.int16(87)
                    $0.int64(100)
                    if version >= 2 { $0.int64(1_700_000_000_000) }
                    if version >= 5 { $0.int64(7) }
                    if version >= 8 {
                        $0.one {
                            $0.int32(2)
                            $0.string("no key")
                        }
                        $0.string("a bad record")
                    }
                }
            }
            if version >= 1 { $0.int32(0) }
        }
    }

    static func fetch(_ version: Int16) -> ResponseSample {
        let response = FetchResponse(
            errorCode: .fetchSessionIDNotFound,
            sessionID: 11,
            responses: [
                .init(
                    topic: "orders",
                    partitions: [
                        .init(
                            partitionIndex: 2,
                            errorCode: .offsetOutOfRange,
                            highWatermark: 50,
                            lastStableOffset: 40,
                            logStartOffset: 10,
                            abortedTransactions: [.init(producerID: 1234, firstOffset: 33)],
                            preferredReadReplica: 6,
                            records: BufferPieces(ByteBuffer(bytes: [1, 2, 3]))
                        )
                    ]
                )
            ]
        )
        return ResponseSample(.fetch, response, version) {
            $0.int32(0)
            if version >= 7 {
                $0.int16(70)
                $0.int32(11)
            }
            $0.one {
                $0.string("orders")
                $0.one {
                    $0.int32(2)
                    $0.int16(1)
                    $0.int64(50)
                    $0.int64(40)
                    if version >= 5 { $0.int64(10) }
                    $0.one {
                        $0.int64(1234)
                        $0.int64(33)
                    }
                    if version >= 11 { $0.int32(6) }
                    $0.blob([1, 2, 3])
                }
            }
        }
    }

    static func listOffsets(_ version: Int16) -> ResponseSample {
        let response = ListOffsetsResponse(
            topics: [
                .init(
                    name: "orders",
                    partitions: [
                        .init(
                            partitionIndex: 1,
                            errorCode: .fencedLeaderEpoch,
                            timestamp: 5000,
                            offset: 44,
                            leaderEpoch: 8
                        )
                    ]
                )
            ]
        )
        return ResponseSample(.listOffsets, response, version) {
            if version >= 2 { $0.int32(0) }
            $0.one {
                $0.string("orders")
                $0.one {
                    $0.int32(1)
                    $0.int16(74)
                    $0.int64(5000)
                    $0.int64(44)
                    if version >= 4 { $0.int32(8) }
                }
            }
        }
    }

    static func deleteRecords(_ version: Int16) -> ResponseSample {
        let response = DeleteRecordsResponse(
            topics: [
                .init(
                    name: "orders",
                    partitions: [.init(partitionIndex: 1, lowWatermark: 99, errorCode: .offsetOutOfRange)]
                )
            ]
        )
        return ResponseSample(.deleteRecords, response, version) {
            $0.int32(0)
            $0.one {
                $0.string("orders")
                $0.one {
                    $0.int32(1)
                    $0.int64(99)
                    $0.int16(1)
                }
            }
        }
    }

    static func offsetForLeaderEpoch(_ version: Int16) -> ResponseSample {
        let response = OffsetForLeaderEpochResponse(
            topics: [
                .init(
                    topic: "orders",
                    partitions: [.init(errorCode: .unknownLeaderEpoch, partition: 1, leaderEpoch: 6, endOffset: 70)]
                )
            ]
        )
        return ResponseSample(.offsetForLeaderEpoch, response, version) {
            $0.int32(0)
            $0.one {
                $0.string("orders")
                $0.one {
                    $0.int16(75)
                    $0.int32(1)
                    $0.int32(6)
                    $0.int64(70)
                }
            }
        }
    }
}

@testable import EmbeddedKafka

extension RequestSample {
    static func initProducerID(_ version: Int16) -> RequestSample {
        let expected = InitProducerIDRequest(
            transactionalID: "tx",
            transactionTimeoutMs: 60_000,
            producerID: version >= 3 ? 1234 : -1,
            producerEpoch: version >= 3 ? 5 : -1
        )
        return RequestSample(expected, version) {
            $0.string("tx")
            $0.int32(60_000)
            if version >= 3 {
                $0.int64(1234)
                $0.int16(5)
            }
        }
    }

    static func addPartitionsToTransaction(_ version: Int16) -> RequestSample {
        let expected = AddPartitionsToTransactionRequest(
            transactionalID: "tx",
            producerID: 1234,
            producerEpoch: 5,
            topics: [.init(name: "orders", partitions: [1, 2])]
        )
        return RequestSample(expected, version) {
            $0.string("tx")
            $0.int64(1234)
            $0.int16(5)
            $0.one {
                $0.string("orders")
                $0.int32s([1, 2])
            }
        }
    }

    static func addOffsetsToTransaction(_ version: Int16) -> RequestSample {
        let expected = AddOffsetsToTransactionRequest(
            transactionalID: "tx",
            producerID: 1234,
            producerEpoch: 5,
            groupID: "group"
        )
        return RequestSample(expected, version) {
            $0.string("tx")
            $0.int64(1234)
            $0.int16(5)
            $0.string("group")
        }
    }

    static func endTransaction(_ version: Int16) -> RequestSample {
        let expected = EndTransactionRequest(
            transactionalID: "tx",
            producerID: 1234,
            producerEpoch: 5,
            committed: true
        )
        return RequestSample(expected, version) {
            $0.string("tx")
            $0.int64(1234)
            $0.int16(5)
            $0.bool(true)
        }
    }

    static func transactionOffsetCommit(_ version: Int16) -> RequestSample {
        let expected = TransactionOffsetCommitRequest(
            transactionalID: "tx",
            groupID: "group",
            producerID: 1234,
            producerEpoch: 5,
            generationID: version >= 3 ? 4 : -1,
            memberID: version >= 3 ? "member" : "",
            groupInstanceID: version >= 3 ? "instance" : nil,
            topics: [
                .init(
                    name: "orders",
                    partitions: [
                        .init(
                            partitionIndex: 1,
                            committedOffset: 55,
                            committedLeaderEpoch: version >= 2 ? 9 : -1,
                            committedMetadata: nil
                        )
                    ]
                )
            ]
        )
        return RequestSample(expected, version) {
            $0.string("tx")
            $0.string("group")
            $0.int64(1234)
            $0.int16(5)
            if version >= 3 {
                $0.int32(4)
                $0.string("member")
                $0.string("instance")
            }
            $0.one {
                $0.string("orders")
                $0.one {
                    $0.int32(1)
                    $0.int64(55)
                    if version >= 2 { $0.int32(9) }
                    $0.string(nil)
                }
            }
        }
    }

    static func describeProducers(_ version: Int16) -> RequestSample {
        let expected = DescribeProducersRequest(topics: [.init(name: "orders", partitionIndexes: [1, 2])])
        return RequestSample(expected, version) {
            $0.one {
                $0.string("orders")
                $0.int32s([1, 2])
            }
        }
    }

    static func describeTransactions(_ version: Int16) -> RequestSample {
        RequestSample(DescribeTransactionsRequest(transactionalIDs: ["tx", "ty"]), version) {
            $0.strings(["tx", "ty"])
        }
    }

    static func listTransactions(_ version: Int16) -> RequestSample {
        let expected = ListTransactionsRequest(stateFilters: ["Ongoing"], producerIDFilters: [1, 1 << 40])
        return RequestSample(expected, version) {
            $0.strings(["Ongoing"])
            $0.array([1, 1 << 40]) { $0.int64($1) }
        }
    }
}

@testable import EmbeddedKafka

extension ResponseSample {
    static func initProducerID(_ version: Int16) -> ResponseSample {
        let response = InitProducerIDResponse(errorCode: .producerFenced, producerID: 1234, producerEpoch: 5)
        return ResponseSample(.initProducerID, response, version) {
            $0.int32(0)
            $0.int16(90)
            $0.int64(1234)
            $0.int16(5)
        }
    }

    static func addPartitionsToTransaction(_ version: Int16) -> ResponseSample {
        let response = AddPartitionsToTransactionResponse(
            resultsByTopic: [
                .init(
                    name: "orders",
                    resultsByPartition: [.init(partitionIndex: 1, partitionErrorCode: .concurrentTransactions)]
                )
            ]
        )
        return ResponseSample(.addPartitionsToTransaction, response, version) {
            $0.int32(0)
            $0.one {
                $0.string("orders")
                $0.one {
                    $0.int32(1)
                    $0.int16(51)
                }
            }
        }
    }

    static func addOffsetsToTransaction(_ version: Int16) -> ResponseSample {
        let response = AddOffsetsToTransactionResponse(errorCode: .invalidProducerIDMapping)
        return ResponseSample(.addOffsetsToTransaction, response, version) {
            $0.int32(0)
            $0.int16(49)
        }
    }

    static func endTransaction(_ version: Int16) -> ResponseSample {
        ResponseSample(.endTransaction, EndTransactionResponse(errorCode: .invalidTransactionState), version) {
            $0.int32(0)
            $0.int16(48)
        }
    }

    static func transactionOffsetCommit(_ version: Int16) -> ResponseSample {
        let response = TransactionOffsetCommitResponse(
            topics: [.init(name: "orders", partitions: [.init(partitionIndex: 1, errorCode: .unknownMemberID)])])
        return ResponseSample(.transactionOffsetCommit, response, version) {
            $0.int32(0)
            $0.one {
                $0.string("orders")
                $0.one {
                    $0.int32(1)
                    $0.int16(25)
                }
            }
        }
    }

    static func describeProducers(_ version: Int16) -> ResponseSample {
        let response = DescribeProducersResponse(
            topics: [
                .init(
                    name: "orders",
                    partitions: [
                        .init(
                            partitionIndex: 1,
                            errorCode: .notLeaderOrFollower,
                            errorMessage: "why",
                            activeProducers: [
                                .init(
                                    producerID: 1234,
                                    producerEpoch: 5,
                                    lastSequence: 6,
                                    lastTimestamp: 7,
                                    coordinatorEpoch: 8,
                                    currentTransactionStartOffset: 9
                                )
                            ]
                        )
                    ]
                )
            ]
        )
        return ResponseSample(.describeProducers, response, version) {
            $0.int32(0)
            $0.one {
                $0.string("orders")
                $0.one {
                    $0.int32(1)
                    $0.int16(6)
                    $0.string("why")
                    $0.one {
                        $0.int64(1234)
                        $0.int32(5)
                        $0.int32(6)
                        $0.int64(7)
                        $0.int32(8)
                        $0.int64(9)
                    }
                }
            }
        }
    }

    static func describeTransactions(_ version: Int16) -> ResponseSample {
        let response = DescribeTransactionsResponse(
            transactionStates: [
                .init(
                    errorCode: .transactionalIDNotFound,
                    transactionalID: "tx",
                    transactionState: "Ongoing",
                    transactionTimeoutMs: 60_000,
                    transactionStartTimeMs: 1_700_000_000_000,
                    producerID: 1234,
                    producerEpoch: 5,
                    topics: [.init(topic: "orders", partitions: [1, 2])]
                )
            ]
        )
        return ResponseSample(.describeTransactions, response, version) {
            $0.int32(0)
            $0.one {
                $0.int16(105)
                $0.string("tx")
                $0.string("Ongoing")
                $0.int32(60_000)
                $0.int64(1_700_000_000_000)
                $0.int64(1234)
                $0.int16(5)
                $0.one {
                    $0.string("orders")
                    $0.int32s([1, 2])
                }
            }
        }
    }

    static func listTransactions(_ version: Int16) -> ResponseSample {
        let response = ListTransactionsResponse(
            errorCode: .coordinatorLoadInProgress,
            unknownStateFilters: ["Odd"],
            transactionStates: [.init(transactionalID: "tx", producerID: 1234, transactionState: "Ongoing")]
        )
        return ResponseSample(.listTransactions, response, version) {
            $0.int32(0)
            $0.int16(14)
            $0.strings(["Odd"])
            $0.one {
                $0.string("tx")
                $0.int64(1234)
                $0.string("Ongoing")
            }
        }
    }
}

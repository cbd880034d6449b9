extension FaultTable.Subject {
    init(_ api: APIKey, transactionalID: String?) {
        self.init(api: api)
        self.transactionalID = transactionalID
    }
}

extension InitProducerIDRequest: Refusable {
    var subject: FaultTable.Subject { FaultTable.Subject(Self.api, transactionalID: self.transactionalID) }

    func failure(_ code: ErrorCode) -> InitProducerIDResponse { InitProducerIDResponse(errorCode: code) }
}

extension AddPartitionsToTransactionRequest: Refusable {
    var subject: FaultTable.Subject {
        var subject = FaultTable.Subject(Self.api, transactionalID: self.transactionalID)
        subject.partitions = self.topics.flatMap { topic in topic.partitions.map { TopicPartition(topic.name, $0) } }
        return subject
    }

    func failure(_ code: ErrorCode) -> AddPartitionsToTransactionResponse { self.answer { _ in code } }

    /// An answer with an error for each partition.
    func answer(_ code: (TopicPartition) -> ErrorCode) -> AddPartitionsToTransactionResponse {
        AddPartitionsToTransactionResponse(
            resultsByTopic: self.topics.map { topic in
                .init(
                    name: topic.name,
                    resultsByPartition: topic.partitions.map {
                        .init(partitionIndex: $0, partitionErrorCode: code(TopicPartition(topic.name, $0)))
                    }
                )
            }
        )
    }
}

extension AddOffsetsToTransactionRequest: Refusable {
    var subject: FaultTable.Subject {
        var subject = FaultTable.Subject(Self.api, transactionalID: self.transactionalID)
        subject.group = self.groupID
        return subject
    }

    func failure(_ code: ErrorCode) -> AddOffsetsToTransactionResponse {
        AddOffsetsToTransactionResponse(errorCode: code)
    }
}

extension TransactionOffsetCommitRequest: Refusable {
    var subject: FaultTable.Subject {
        var subject = FaultTable.Subject(Self.api, transactionalID: self.transactionalID)
        subject.group = self.groupID
        return subject
    }

    func failure(_ code: ErrorCode) -> TransactionOffsetCommitResponse {
        TransactionOffsetCommitResponse(
            topics: self.topics.map { topic in
                .init(
                    name: topic.name,
                    partitions: topic.partitions.map { .init(partitionIndex: $0.partitionIndex, errorCode: code) }
                )
            }
        )
    }
}

extension EndTransactionRequest: Refusable {
    var subject: FaultTable.Subject { FaultTable.Subject(Self.api, transactionalID: self.transactionalID) }

    func failure(_ code: ErrorCode) -> EndTransactionResponse { EndTransactionResponse(errorCode: code) }
}

extension DescribeProducersRequest: Refusable {
    var subject: FaultTable.Subject {
        var subject = FaultTable.Subject(api: Self.api)
        subject.partitions = self.topics.flatMap { topic in
            topic.partitionIndexes.map { TopicPartition(topic.name, $0) }
        }
        return subject
    }

    func failure(_ code: ErrorCode) -> DescribeProducersResponse {
        DescribeProducersResponse(
            topics: self.topics.map { topic in
                .init(
                    name: topic.name,
                    partitions: topic.partitionIndexes.map { .init(partitionIndex: $0, errorCode: code) }
                )
            }
        )
    }
}

extension DescribeTransactionsRequest: Refusable {
    var subject: FaultTable.Subject { FaultTable.Subject(api: Self.api) }

    func failure(_ code: ErrorCode) -> DescribeTransactionsResponse {
        DescribeTransactionsResponse(
            transactionStates: self.transactionalIDs.map { .init(errorCode: code, transactionalID: $0) }
        )
    }
}

extension ListTransactionsRequest: Refusable {
    var subject: FaultTable.Subject { FaultTable.Subject(api: Self.api) }

    func failure(_ code: ErrorCode) -> ListTransactionsResponse { ListTransactionsResponse(errorCode: code) }
}

/// What operators ask about producers and transactions (KIP-664).
extension Broker {
    /// API 61.
    func describeProducers(_ request: DescribeProducersRequest, _ exchange: Exchange) {
        var seen: Set<TopicPartition> = []
        let topics = request.topics.map { topic in
            DescribeProducersResponse.Topic(
                name: topic.name,
                partitions: topic.partitionIndexes.filter {
                    seen.insert(TopicPartition(topic.name, $0)).inserted
                }.map { number in
                    guard let partition = self.topics.partition(TopicPartition(topic.name, number)) else {
                        return .init(partitionIndex: number, errorCode: .unknownTopicOrPartition)
                    }
                    guard partition.leader == exchange.node else {
                        return .init(partitionIndex: number, errorCode: .notLeaderOrFollower)
                    }
                    return .init(
                        partitionIndex: number,
                        activeProducers: partition.log.producers.map { producer in
                            .init(
                                producerID: producer.id,
                                producerEpoch: Int32(producer.epoch),
                                lastSequence: producer.lastSequence,
                                lastTimestamp: producer.lastTimestamp,
                                coordinatorEpoch: producer.coordinatorEpoch,
                                currentTransactionStartOffset: producer.transactionStartOffset ?? -1
                            )
                        }
                    )
                }
            )
        }
        exchange.answer(DescribeProducersResponse(topics: topics))
    }

    /// API 65.
    func describeTransactions(_ request: DescribeTransactionsRequest, _ exchange: Exchange) {
        exchange.answer(
            DescribeTransactionsResponse(
                transactionStates: request.transactionalIDs.uniqued().map { id in
                    guard self.coordinates(transaction: id, exchange) else {
                        return .init(errorCode: .notCoordinator, transactionalID: id)
                    }
                    guard let transaction = self.transactions.describe(id) else {
                        return .init(errorCode: .transactionalIDNotFound, transactionalID: id)
                    }
                    let byTopic = Dictionary(grouping: transaction.partitions, by: \.topic)
                    return .init(
                        transactionalID: id,
                        transactionState: transaction.state.description,
                        transactionTimeoutMs: transaction.timeout,
                        transactionStartTimeMs: transaction.startTime,
                        producerID: transaction.producer.id,
                        producerEpoch: transaction.producer.epoch,
                        topics: byTopic.keys.sorted().map { topic in
                            .init(topic: topic, partitions: (byTopic[topic] ?? []).map(\.partition))
                        }
                    )
                }
            )
        )
    }

    /// API 66: those that this node coordinates.
    func listTransactions(_ request: ListTransactionsRequest, _ exchange: Exchange) {
        let (transactions, unknown) = self.transactions.list(
            states: request.stateFilters,
            producerIDs: request.producerIDFilters
        )
        exchange.answer(
            ListTransactionsResponse(
                unknownStateFilters: unknown,
                transactionStates:
                    transactions
                    .filter { self.coordinates(transaction: $0.transactionalID, exchange) }
                    .map {
                        .init(
                            transactionalID: $0.transactionalID,
                            producerID: $0.producer.id,
                            transactionState: $0.state.description
                        )
                    }
            )
        )
    }
}

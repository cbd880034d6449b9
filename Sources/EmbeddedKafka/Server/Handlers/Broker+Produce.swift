internal import NIOCore

extension Broker {
    /// Appends record batches (API 0).
    func produce(_ request: ProduceRequest, _ exchange: Exchange) {
        guard [-1, 0, 1].contains(request.acks) else {
            return exchange.answer(request.failure(.invalidRequiredAcks))
        }
        let now = self.now
        var changed: [TopicPartition] = []
        let topics = request.topicData.map { topic in
            ProduceResponse.Topic(
                name: topic.name,
                partitionResponses: topic.partitionData.map { partition in
                    let id = TopicPartition(topic.name, partition.index)
                    let answer = self.append(
                        partition.records,
                        to: id,
                        transactionalID: request.transactionalID,
                        node: exchange.node,
                        now: now
                    )
                    if answer.errorCode == .none { changed.append(id) }
                    return answer
                }
            )
        }
        if request.acks == 0 {
            // Who asks for no answer learns of an error by the end of the connection.
            let failed = topics.contains { $0.partitionResponses.contains { $0.errorCode != .none } }
            if failed { exchange.connection.close() } else { exchange.answerNothing() }
        } else {
            exchange.answer(ProduceResponse(responses: topics))
        }
        self.wakeFetches(of: changed)
        self.scheduleMaintenance()
    }

    private func append(
        _ records: ByteBuffer?,
        to id: TopicPartition,
        transactionalID: String?,
        node: Int32,
        now: Int64
    ) -> ProduceResponse.Partition {
        func refusal(_ code: ErrorCode) -> ProduceResponse.Partition {
            ProduceResponse.Partition(index: id.partition, errorCode: code)
        }
        guard let partition = self.topics.partition(id) else { return refusal(.unknownTopicOrPartition) }
        guard partition.leader == node else { return refusal(.notLeaderOrFollower) }
        guard let records, records.readableBytes > 0 else { return refusal(.invalidRecord) }
        if let header = RecordBatchHeader(records, at: records.readerIndex), header.isTransactional {
            let complaint = self.transactions.verifyAppend(
                transactionalID: transactionalID,
                producerID: header.producerID,
                epoch: header.producerEpoch,
                partition: id
            )
            if let complaint { return refusal(complaint) }
        }
        switch partition.log.append(records, leaderEpoch: partition.leaderEpoch, now: now) {
        case .success(let appended):
            return ProduceResponse.Partition(
                index: id.partition,
                errorCode: .none,
                baseOffset: appended.baseOffset,
                logAppendTimeMs: appended.logAppendTime,
                logStartOffset: partition.log.startOffset
            )
        case .failure(let failure):
            var answer = refusal(failure.code)
            answer.errorMessage = failure.message
            return answer
        }
    }
}

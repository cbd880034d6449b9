extension Broker {
    /// Finds offsets by time, and the ends of partitions (API 2).
    func listOffsets(_ request: ListOffsetsRequest, _ exchange: Exchange) {
        let topics = request.topics.map { topic in
            ListOffsetsResponse.Topic(
                name: topic.name,
                partitions: topic.partitions.map {
                    self.listOffset($0, of: topic.name, isolation: request.isolationLevel, node: exchange.node)
                }
            )
        }
        exchange.answer(ListOffsetsResponse(topics: topics))
    }

    private func listOffset(
        _ asked: ListOffsetsRequest.Partition,
        of topic: String,
        isolation: IsolationLevel,
        node: Int32
    ) -> ListOffsetsResponse.Partition {
        var answer = ListOffsetsResponse.Partition(partitionIndex: asked.partitionIndex)
        guard let partition = self.topics.partition(TopicPartition(topic, asked.partitionIndex)) else {
            answer.errorCode = .unknownTopicOrPartition
            return answer
        }
        answer.errorCode = self.check(partition, leaderEpoch: asked.currentLeaderEpoch, node: node)
        guard answer.errorCode == .none else { return answer }
        let log = partition.log
        switch asked.timestamp {
        case -1:
            answer.offset = isolation == .readCommitted ? log.lastStableOffset : log.endOffset
            answer.leaderEpoch = partition.leaderEpoch
        case -2:
            answer.offset = log.startOffset
            answer.leaderEpoch = partition.leaderEpoch
        case -3:
            self.fill(&answer, log.offsetOfMaxTimestamp(isolation: isolation))
        case 0...:
            self.fill(&answer, log.offset(forTimestamp: asked.timestamp, isolation: isolation))
        default:
            // Tiered storage and other newer questions (KIP-405).
            answer.errorCode = .unsupportedVersion
        }
        return answer
    }

    private func fill(_ answer: inout ListOffsetsResponse.Partition, _ found: PartitionLog.FoundRecord?) {
        guard let found else { return }
        answer.offset = found.offset
        answer.timestamp = found.timestamp
        answer.leaderEpoch = found.leaderEpoch
    }

    /// Finds where a leader's epoch ended (API 23, KIP-320).
    func offsetForLeaderEpoch(_ request: OffsetForLeaderEpochRequest, _ exchange: Exchange) {
        let topics = request.topics.map { topic in
            OffsetForLeaderEpochResponse.Topic(
                topic: topic.topic,
                partitions: topic.partitions.map { asked in
                    var answer = OffsetForLeaderEpochResponse.Partition(partition: asked.partition)
                    guard let partition = self.topics.partition(TopicPartition(topic.topic, asked.partition)) else {
                        answer.errorCode = .unknownTopicOrPartition
                        return answer
                    }
                    answer.errorCode = self.check(
                        partition,
                        leaderEpoch: asked.currentLeaderEpoch,
                        node: exchange.node
                    )
                    guard answer.errorCode == .none else { return answer }
                    let end =
                        asked.leaderEpoch == partition.leaderEpoch
                        ? (epoch: partition.leaderEpoch, offset: partition.log.endOffset)
                        : partition.log.endOffset(forLeaderEpoch: asked.leaderEpoch)
                    answer.leaderEpoch = end.epoch
                    answer.endOffset = end.offset
                    return answer
                }
            )
        }
        exchange.answer(OffsetForLeaderEpochResponse(topics: topics))
    }

    /// Moves the start of partitions (API 21, KIP-107).
    func deleteRecords(_ request: DeleteRecordsRequest, _ exchange: Exchange) {
        var changed: [TopicPartition] = []
        let topics = request.topics.map { topic in
            DeleteRecordsResponse.Topic(
                name: topic.name,
                partitions: topic.partitions.map { asked in
                    let id = TopicPartition(topic.name, asked.partitionIndex)
                    var answer = DeleteRecordsResponse.Partition(partitionIndex: asked.partitionIndex)
                    guard let partition = self.topics.partition(id) else {
                        answer.errorCode = .unknownTopicOrPartition
                        return answer
                    }
                    guard partition.leader == exchange.node else {
                        answer.errorCode = .notLeaderOrFollower
                        return answer
                    }
                    switch partition.log.deleteRecords(before: asked.offset, now: self.now) {
                    case .success(let start):
                        answer.lowWatermark = start
                        changed.append(id)
                    case .failure(let code): answer.errorCode = code
                    }
                    return answer
                }
            )
        }
        exchange.answer(DeleteRecordsResponse(topics: topics))
        self.wakeFetches(of: changed)
    }
}

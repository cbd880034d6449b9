internal import NIOCore

extension Broker {
    /// The most that the records of one answer take, whatever a client asks for, in bytes (`fetch.max.bytes`): it may
    /// ask for the same records again and again in one request.
    private static let maxFetchBytes = 55 << 20

    /// Reads record batches (API 1), at once or when there are enough.
    ///
    /// There are no incremental fetch sessions (KIP-227): a client that asks for one gets a full answer and session 0, which
    /// means none, and goes on with full fetches.
    func fetch(_ request: FetchRequest, _ exchange: Exchange) {
        if request.sessionEpoch > 0 {
            return exchange.answer(FetchResponse(errorCode: .fetchSessionIDNotFound))
        }
        let (response, bytes, hasError) = self.read(request, exchange)
        let enough = min(Int(request.minBytes), Self.maxFetchBytes)
        guard bytes < enough, !hasError, request.maxWaitMs > 0 else { return exchange.answer(response) }
        let id = self.makeID()
        let timer = Timer(self.eventLoop, after: .milliseconds(Int64(request.maxWaitMs))) { self.endWait(id) }
        self.fetchWaiters.add(
            FetchWaiters.Waiter(
                id: id,
                request: request,
                exchange: exchange,
                partitions: request.topics.flatMap { topic in
                    topic.partitions.map { TopicPartition(topic.topic, $0.partition) }
                },
                timer: timer
            )
        )
    }

    /// Answers a waiting fetch with what there is.
    private func endWait(_ id: UInt64) {
        guard let waiter = self.fetchWaiters.remove(id) else { return }
        waiter.timer.cancel()
        waiter.exchange.answer(self.read(waiter.request, waiter.exchange).response)
    }

    /// Looks at the fetches that wait for these partitions, which have changed.
    func wakeFetches(of partitions: some Sequence<TopicPartition>) {
        for partition in partitions {
            for waiter in self.fetchWaiters.waiting(for: partition) where self.isDue(waiter) { self.endWait(waiter.id) }
        }
    }

    private func isDue(_ waiter: FetchWaiters.Waiter) -> Bool {
        var available = 0
        let enough = min(Int(waiter.request.minBytes), Self.maxFetchBytes)
        for topic in waiter.request.topics {
            for asked in topic.partitions {
                let id = TopicPartition(topic.topic, asked.partition)
                guard let partition = self.topics.partition(id), partition.leader == waiter.exchange.node else {
                    return true
                }
                guard asked.fetchOffset >= partition.log.startOffset, asked.fetchOffset <= partition.log.endOffset
                else {
                    return true
                }
                let bytes = partition.log.availableBytes(
                    from: asked.fetchOffset,
                    isolation: waiter.request.isolationLevel
                )
                available += min(bytes, max(0, Int(asked.partitionMaxBytes)))
                if available >= enough { return true }
            }
        }
        return false
    }

    /// Reads what a request asks for, as far as the limits allow: at least one batch, if there is any, however large
    /// (KIP-74). Partitions behind the limit are listed without records; clients ask for those first the next time.
    private func read(
        _ request: FetchRequest,
        _ exchange: Exchange
    ) -> (response: FetchResponse, bytes: Int, hasError: Bool) {
        var room = min(max(0, Int(request.maxBytes)), Self.maxFetchBytes)
        var bytes = 0
        var hasError = false
        let topics = request.topics.map { topic in
            FetchResponse.Topic(
                topic: topic.topic,
                partitions: topic.partitions.map { asked in
                    let answer = self.read(
                        asked,
                        of: topic.topic,
                        request: request,
                        room: room,
                        isFirst: bytes == 0,
                        node: exchange.node
                    )
                    let size = answer.records?.readableBytes ?? 0
                    bytes += size
                    room = max(0, room - size)
                    hasError = hasError || answer.errorCode != .none
                    return answer
                }
            )
        }
        return (FetchResponse(responses: topics), bytes, hasError)
    }

    private func read(
        _ asked: FetchRequest.Partition,
        of topic: String,
        request: FetchRequest,
        room: Int,
        isFirst: Bool,
        node: Int32
    ) -> FetchResponse.Partition {
        func refusal(_ code: ErrorCode, of log: PartitionLog? = nil) -> FetchResponse.Partition {
            FetchResponse.Partition(
                partitionIndex: asked.partition,
                errorCode: code,
                highWatermark: log?.endOffset ?? -1,
                lastStableOffset: log?.lastStableOffset ?? -1,
                logStartOffset: log?.startOffset ?? -1
            )
        }
        guard let partition = self.topics.partition(TopicPartition(topic, asked.partition)) else {
            return refusal(.unknownTopicOrPartition)
        }
        let verdict = self.check(partition, leaderEpoch: asked.currentLeaderEpoch, node: node)
        guard verdict == .none else { return refusal(verdict) }
        let log = partition.log
        let limit = min(room, max(0, Int(asked.partitionMaxBytes)))
        switch log.read(
            from: asked.fetchOffset,
            maxBytes: limit,
            isolation: request.isolationLevel,
            atLeastOneBatch: isFirst
        ) {
        case .failure(let code): return refusal(code, of: log)
        case .success(let read):
            return FetchResponse.Partition(
                partitionIndex: asked.partition,
                errorCode: .none,
                highWatermark: read.highWatermark,
                lastStableOffset: read.lastStableOffset,
                logStartOffset: read.startOffset,
                abortedTransactions: read.abortedTransactions?.map {
                    .init(producerID: $0.producerID, firstOffset: $0.firstOffset)
                },
                records: read.records
            )
        }
    }

    /// Whether this node leads the partition, and as the client believes (KIP-320).
    /// - Parameter leaderEpoch: -1: the client does not say.
    func check(_ partition: Partition, leaderEpoch: Int32, node: Int32) -> ErrorCode {
        guard partition.leader == node else { return .notLeaderOrFollower }
        guard leaderEpoch >= 0 else { return .none }
        if leaderEpoch < partition.leaderEpoch { return .fencedLeaderEpoch }
        return leaderEpoch > partition.leaderEpoch ? .unknownLeaderEpoch : .none
    }
}

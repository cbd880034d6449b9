internal import Logging

extension Broker {
    static func makeTransactions(_ options: EmbeddedKafkaCluster.Configuration) -> TransactionCoordinator {
        TransactionCoordinator(
            maximumTimeout: Int32(clamping: options.maxTransactionTimeout.wholeMilliseconds),
            keepsChanges: options.storage != .memory
        )
    }

    /// Gives a producer its id and epoch (API 22, KIP-98, KIP-360).
    func initProducerID(_ request: InitProducerIDRequest, _ exchange: Exchange) {
        if let id = request.transactionalID, !self.coordinates(transaction: id, exchange) {
            return request.refuse(.notCoordinator, exchange)
        }
        let (result, effects) = self.transactions.initProducerID(
            transactionalID: request.transactionalID,
            timeout: request.transactionTimeoutMs,
            producerID: request.producerID,
            producerEpoch: request.producerEpoch,
            now: self.now
        )
        self.perform(effects)
        switch result {
        case .success(let producer):
            self.settle()
            exchange.answer(
                InitProducerIDResponse(errorCode: .none, producerID: producer.id, producerEpoch: producer.epoch)
            )
        case .failure(let code):
            request.refuse(code.forProducer(version: exchange.version, fencedFrom: 4), exchange)
        }
    }

    /// Adds partitions to a transaction, opening it with the first (API 24): all or none.
    func addPartitionsToTransaction(_ request: AddPartitionsToTransactionRequest, _ exchange: Exchange) {
        guard self.coordinates(transaction: request.transactionalID, exchange) else {
            return request.refuse(.notCoordinator, exchange)
        }
        let partitions = request.topics.flatMap { topic in topic.partitions.map { TopicPartition(topic.name, $0) } }
        let unknown = Set(partitions.filter { self.topics.partition($0) == nil })
        guard unknown.isEmpty else {
            return exchange.answer(
                request.answer { unknown.contains($0) ? .unknownTopicOrPartition : .operationNotAttempted }
            )
        }
        let code = self.transactions.addPartitions(
            transactionalID: request.transactionalID,
            producerID: request.producerID,
            epoch: request.producerEpoch,
            partitions,
            now: self.now
        )
        self.settle()
        request.refuse(code.forProducer(version: exchange.version, fencedFrom: 2), exchange)
    }

    /// Adds a group to a transaction, so that its offsets can be committed with it (API 25).
    func addOffsetsToTransaction(_ request: AddOffsetsToTransactionRequest, _ exchange: Exchange) {
        guard self.coordinates(transaction: request.transactionalID, exchange) else {
            return request.refuse(.notCoordinator, exchange)
        }
        let code = self.transactions.addOffsets(
            transactionalID: request.transactionalID,
            producerID: request.producerID,
            epoch: request.producerEpoch,
            group: request.groupID,
            now: self.now
        )
        self.settle()
        request.refuse(code.forProducer(version: exchange.version, fencedFrom: 2), exchange)
    }

    /// Takes offsets that show when the transaction is committed (API 28, KIP-447).
    func transactionOffsetCommit(_ request: TransactionOffsetCommitRequest, _ exchange: Exchange) {
        guard self.coordinates(group: request.groupID, exchange) else {
            return request.refuse(.notCoordinator, exchange)
        }
        if let code = self.transactions.offsetCommitError(
            transactionalID: request.transactionalID,
            producerID: request.producerID,
            epoch: request.producerEpoch,
            group: request.groupID
        ) {
            return request.refuse(code.forProducer(version: exchange.version, fencedFrom: .max), exchange)
        }
        let asked = request.topics.map { topic in
            OffsetCommitRequest.Topic(
                name: topic.name,
                partitions: topic.partitions.map {
                    .init(
                        partitionIndex: $0.partitionIndex,
                        committedOffset: $0.committedOffset,
                        committedLeaderEpoch: $0.committedLeaderEpoch,
                        committedMetadata: $0.committedMetadata
                    )
                }
            )
        }
        let topics = self.commit(asked) { partitions in
            self.groups.commitTransactionalOffsets(
                OffsetCommit(
                    group: request.groupID,
                    member: request.memberID,
                    instance: request.groupInstanceID,
                    generation: request.generationID,
                    partitions: partitions
                ),
                producerID: request.producerID,
                now: self.now
            )
        }
        exchange.answer(TransactionOffsetCommitResponse(topics: topics))
    }

    /// Commits or aborts a transaction (API 26). Answered when it is done.
    func endTransaction(_ request: EndTransactionRequest, _ exchange: Exchange) {
        guard self.coordinates(transaction: request.transactionalID, exchange) else {
            return request.refuse(.notCoordinator, exchange)
        }
        let (code, effects) = self.transactions.end(
            transactionalID: request.transactionalID,
            producerID: request.producerID,
            epoch: request.producerEpoch,
            commit: request.committed,
            now: self.now
        )
        self.perform(effects)
        request.refuse(code.forProducer(version: exchange.version, fencedFrom: 2), exchange)
    }

    /// Carries out the outcomes of transactions. The decision is in the journal before the first marker is written, so that
    /// a process that is killed in between goes on where it was.
    func perform(_ completions: [TransactionCompletion]) {
        guard !completions.isEmpty else { return }
        self.settle()
        var changed: [TopicPartition] = []
        for completion in completions {
            for id in completion.partitions where self.mark(id, completion) { changed.append(id) }
            self.groups.completeTransaction(
                producerID: completion.producer.id,
                groups: completion.groups,
                commit: completion.commit
            )
            self.transactions.completed(transactionalID: completion.transactionalID, now: self.now)
        }
        self.settle()
        self.wakeFetches(of: changed)
    }

    /// Writes the marker into a partition, unless that was done before the process was killed, or the topic is gone.
    private func mark(_ id: TopicPartition, _ completion: TransactionCompletion) -> Bool {
        guard let partition = self.topics.partition(id) else { return false }
        let result = partition.log.appendMarker(
            producerID: completion.producer.id,
            producerEpoch: completion.producer.epoch,
            commit: completion.commit,
            coordinatorEpoch: completion.coordinatorEpoch,
            leaderEpoch: partition.leaderEpoch,
            now: self.now
        )
        if case .failure(let code) = result {
            self.logger.error("a marker can't be written", metadata: ["partition": "\(id)", "error": "\(code)"])
            return false
        }
        return true
    }
}

extension ErrorCode {
    /// What a producer is told: that it is fenced has a code of its own only from some version on (KIP-588); the versions
    /// before call it an invalid epoch.
    func forProducer(version: Int16, fencedFrom first: Int16) -> ErrorCode {
        self == .producerFenced && version < first ? .invalidProducerEpoch : self
    }
}

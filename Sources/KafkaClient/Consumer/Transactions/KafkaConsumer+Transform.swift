extension KafkaConsumer {
    /// Reads batches and processes each in a transaction of its own: what `body` sends through the transaction and that
    /// the batch is processed become true together, so that each record has its effect exactly once for readers of
    /// committed records (KIP-447).
    ///
    /// ```swift
    /// try await consumer.transform(through: producer) { batch, transaction in
    ///     for record in batch {
    ///         try await transaction.enqueue(.init(topic: "invoices", key: record.key, value: bill(record)))
    ///     }
    /// }
    /// ```
    ///
    /// Each instance of a service has a consumer of the same group, with ``CommitPolicy/manual``, and a producer with a
    /// ``KafkaProducer/Configuration/transactionalID`` of its own.
    ///
    /// - When a transaction has to be aborted, the batch is processed again in another one, as long as its partitions are
    ///   owned: `body` must not do anything that is not undone with the transaction.
    /// - Partitions that the group takes away wait for the transaction in hand, within
    ///   ``Configuration/revocationTimeout``. After that, and for partitions that were lost, the transaction is aborted, and
    ///   the batch processed again without them: their next owner reads the records.
    /// - What `body` throws aborts the transaction and ends the loop. So do errors that do not pass. The batch was then
    ///   not processed: the next reader of this consumer gets it, or the next owner of its partitions.
    /// - With the code `outcomeUnknown` it is not known whether the last batch was processed. Close the consumer: the next
    ///   owner of the partitions begins where they were committed.
    ///
    /// An instance that dies leaves its transaction open. Who gets its partitions waits for the end of that one: until an
    /// instance with the same transactional id starts, or ``KafkaProducer/Configuration/transactionTimeout`` has passed.
    ///
    /// A transaction has what came while the one before was being committed, up to ``Configuration/maxBatchRecords``. With an
    /// `interval` there are fewer and larger ones, which brokers have less work with, and outputs are seen later.
    ///
    /// Returns when the consumer is closed, or when the task is cancelled while there is nothing to process.
    ///
    /// - Parameters:
    ///   - producer: a producer with a transactional id, which nothing else needs to use.
    ///   - interval: the time from the beginning of a transaction to that of the next one, unless a whole batch waits. Default:
    ///     none.
    ///   - attempts: how often a batch is processed at most.
    ///   - body: processes a batch, never an empty one.
    /// - Throws: what `body` throws; `CancellationError` when the task is cancelled while a batch is processed;
    ///   ``KafkaError`` for what will not go away by itself, with the code `invalidState` for a consumer without a group or
    ///   with another commit policy, or a producer without a transactional id.
    public func transform(
        through producer: KafkaProducer,
        interval: Duration = .zero,
        attempts: Int = 10,
        _ body: (KafkaConsumerBatch, KafkaTransaction) async throws -> Void
    ) async throws {
        try self.core.checkTransactionalCommits(operation: "transform")
        guard interval >= .zero, interval < self.core.configuration.maxPollInterval else {
            throw KafkaError(
                .configuration,
                operation: "transform",
                message: "`interval` is \(interval): it must be less than `maxPollInterval` "
                    + "(\(self.core.configuration.maxPollInterval)), within which a member of a group has to read on"
            )
        }
        try await producer.initializeTransactions()
        let reader = BatchReader(source: self.core)
        while let batch = try await reader.nextBatch(.batches) {
            guard !batch.isEmpty else { continue }
            let start = ContinuousClock.now
            do {
                try await self.transform(batch, through: producer, attempts: attempts, body)
            } catch {
                // What is in hand was not processed: the next reader gets it.
                self.core.readerGivesBack(reader.id)
                throw error
            }
            await self.waitForMore(until: start + interval, reader)
        }
    }

    /// Lets records come until a time, or until the task is cancelled, unless there is a whole batch of them.
    private func waitForMore(until end: ContinuousClock.Instant, _ reader: BatchReader) async {
        guard ContinuousClock.now < end, self.core.queuedCount < self.core.configuration.batchLimit else { return }
        self.core.readerIsDone(reader.id)
        // The next batch is `nil` for a task that is cancelled.
        try? await Task.sleep(until: end)
    }

    /// Whether a partition is owned, and has been without a break since a batch was handed out.
    package func isStillOwned(_ partition: KafkaTopicPartition, in batch: KafkaConsumerBatch) -> Bool {
        self.core.isStillOwned(partition, in: batch)
    }

    /// Processes a batch in a transaction, and again in another one where that may help, as long as its partitions are owned.
    ///
    /// What is processed is committed with it.
    ///
    /// - Returns: what was processed; `nil` when all partitions of the batch were given up.
    @discardableResult
    package func transform(
        _ batch: KafkaConsumerBatch,
        through producer: KafkaProducer,
        attempts: Int,
        _ body: (KafkaConsumerBatch, KafkaTransaction) async throws -> Void
    ) async throws -> KafkaConsumerBatch? {
        var attempt = 1
        while let owned = self.core.stillOwned(of: batch) {
            do {
                try await producer.runTransaction(attempt: attempt) { transaction in
                    try await body(owned, transaction)
                    try await transaction.commit(owned, of: self)
                }
                self.core.commits.acknowledge(owned.offsets)
                return owned
            } catch let error as KafkaError where error.code == .outcomeUnknown && attempt < attempts {
                if try await producer.resolveTransaction() == .committed {
                    self.core.commits.acknowledge(owned.offsets)
                    return owned
                }
            } catch let error as KafkaError where error.isWorthAnotherAttempt && attempt < attempts {
                try await suspend(for: .attempt(attempt))
            }
            attempt += 1
        }
        return nil
    }
}

extension KafkaError {
    /// Whether a transaction may succeed when all of it is done again, with what the consumer owns then.
    fileprivate var isWorthAnotherAttempt: Bool {
        !self.isFatal && (self.requiresAbort || self.code == .groupMembership)
    }
}

extension KafkaConsumerBatch {
    /// The offsets behind the last record of each partition.
    var offsets: [KafkaTopicPartition: Int64] {
        Dictionary(self.positions(after: self.count).map { ($0.partition, $0.offset) }) { Swift.max($0, $1) }
    }
}

internal import KafkaClient
internal import Logging

/// Reads the retry topics of one delay, and has each message handled when it is due.
struct RetryTier: Sendable {
    let delay: Duration
    let topics: [String]
    let handling: MessageHandling
    /// For the clients.
    let logger: Logger

    private var configuration: ProcessorConfiguration { self.handling.configuration }

    private var name: String { RetryTopics.name(of: self.delay) }

    /// Runs until the task is cancelled.
    ///
    /// - Parameter producer: the processor's, for what is sent without transactions.
    func run(_ producer: KafkaProducer) async throws {
        switch self.configuration.guarantee {
        case .atLeastOnce:
            let sink = ProducerSink(producer: producer)
            try await self.forEachDue { batch, consumer in
                try await self.handle(batch, sink)
                await self.commit(batch, of: consumer)
            }
        case .exactlyOnce:
            // Of its own, so that its transactions do not wait for those of the inputs.
            var configuration = self.configuration.producerConfiguration
            configuration.transactionalID = configuration.transactionalID.map { "\($0).retry.\(self.name)" }
            try await withKafkaProducer(configuration, logger: self.logger) { producer in
                try await producer.initializeTransactions()
                try await self.forEachDue { batch, consumer in
                    try await consumer.transform(batch, through: producer, attempts: 10) { batch, transaction in
                        try await self.handle(batch, TransactionSink(transaction: transaction))
                    }
                }
            }
        }
    }

    private func handle(_ batch: KafkaConsumerBatch, _ sink: some OutputSink) async throws {
        let lanes = BatchLanes(ordering: self.configuration.ordering, limit: self.configuration.concurrency)
        try await lanes.forEach(in: batch) { record in
            try await record.withProcessSpan { try await sink.send(self.handling.handle(record, sink)) }
        }
    }

    /// What can't be committed now is committed with what comes later, or handled again by the partition's next owner.
    private func commit(_ batch: KafkaConsumerBatch, of consumer: KafkaConsumer) async {
        do {
            try await consumer.commit(batch)
        } catch {
            self.handling.logger.info("what was retried is not committed", metadata: ["error": "\(error)"])
        }
    }

    // MARK: Waiting

    /// Calls `body` with records that are due, a partition's in their order.
    ///
    /// Nothing is open while a partition waits. Its wait ends when the group takes it away.
    private func forEachDue(
        _ body: @escaping @Sendable (KafkaConsumerBatch, KafkaConsumer) async throws -> Void
    ) async throws {
        try await withKafkaConsumer(
            self.consumerConfiguration,
            subscribedTo: self.topics,
            logger: self.logger
        ) { consumer in
            try await consumer.forEachPartition { partition in
                for try await batch in partition.batches where !batch.isEmpty {
                    guard try await self.work(on: batch, of: partition, { try await body($0, consumer) }) else {
                        return
                    }
                }
            }
        }
    }

    /// - Returns: whether all of the batch was due; else the partition was given up.
    private func work(
        on batch: KafkaConsumerBatch,
        of partition: KafkaPartitionStream,
        _ body: (KafkaConsumerBatch) async throws -> Void
    ) async throws -> Bool {
        let dueTimes = self.dueTimes(of: batch)
        var start = 0
        while start < batch.count {
            let now = UTCTime.now.millisecondsSince1970
            let end = dueTimes[start...].firstIndex { $0 > now } ?? batch.count
            if end == start {
                guard try await partition.isKept(for: .milliseconds(dueTimes[start] - now)) else { return false }
            } else if let due = batch.slice(start..<end) {
                try await body(due)
            }
            start = end
        }
        return true
    }

    /// When the records of a batch are due, in milliseconds since 1970: none later than the delay from now, whatever a header
    /// says or clocks show, and at once where there is nothing to go by.
    private func dueTimes(of batch: KafkaConsumerBatch) -> [Int64] {
        let latest = UTCTime.now.millisecondsSince1970 + RetryTopics.milliseconds(self.delay)
        return batch.map { record in
            min(latest, MessageRetry(headers: record.headers)?.dueTime.millisecondsSince1970 ?? 0)
        }
    }

    private var consumerConfiguration: KafkaConsumer.Configuration {
        var configuration = self.configuration.consumerConfiguration
        configuration.group = configuration.group.map { "\($0).retry.\(self.name)" }
        configuration.commitPolicy = .manual
        // A message that waits is in hand.
        configuration.maxPollInterval += self.delay
        // Whatever is to be retried was written before this group was there.
        configuration.autoOffsetReset = .earliest
        configuration.onAssigned = nil
        configuration.onRevoked = nil
        configuration.onLost = nil
        configuration.metrics = nil
        return configuration
    }
}

extension KafkaPartitionStream {
    /// Returns `true` after a time, or `false` as soon as the partition is given up.
    fileprivate func isKept(for duration: Duration) async throws -> Bool {
        _ = try await withDeadline(.now + duration) { await self.waitUntilEnded() }
        try Task.checkCancellation()
        return !self.hasEnded
    }
}

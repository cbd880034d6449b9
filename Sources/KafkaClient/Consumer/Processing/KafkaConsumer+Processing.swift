internal import Logging
internal import Synchronization

/// Processing records concurrently.
extension KafkaConsumer {
    /// Which records wait for each other when they are processed concurrently.
    public enum ProcessingOrder: Sendable, Hashable {
        /// Records of a partition that have equal keys are processed one after the other, in their order. Those without a
        /// key have no order.
        case key
        /// The records of a partition are processed one after the other, in their order.
        case partition
        /// Records are processed in any order.
        case unordered
    }

    /// Processes records concurrently, in an order that is kept within partitions, and commits what is done.
    ///
    /// ```swift
    /// try await consumer.process(ordering: .key, concurrency: 16) { record in
    ///     try await bill(record)
    /// }
    /// ```
    ///
    /// A record that takes long holds up those of its key, and no others until the window is full; a full window stops the
    /// reading of its partition, and of no other.
    ///
    /// What is committed of a partition (see ``Configuration/commitPolicy``) is the offset up to which every record is done.
    /// Records that are done ahead of it are processed again after a crash, a loss, or by the next owner of the partition:
    /// at most a window of them. When the group takes a partition away, no more records of it are begun, and those that are
    /// being processed may be finished within ``Configuration/revocationTimeout``. When a partition is lost, handlers are
    /// not interrupted, but what they did is not committed. ``Configuration/maxPollInterval`` limits how long a partition
    /// may stand still at its oldest record.
    ///
    /// Each handler runs in a span of its record (``KafkaConsumerRecord/withProcessSpan(_:)``), where there is a tracer.
    ///
    /// Returns when the consumer is closed or the task is cancelled, and every handler has ended; cancelling the task cancels
    /// the handlers. A record whose handler throws is not done.
    ///
    /// - Parameters:
    ///   - ordering: which records wait for each other. Default: those with equal keys.
    ///   - concurrency: how many handlers run at a time, of all partitions together. Default: 16.
    ///   - window: how many records of a partition, from the oldest one that is not done, may be in memory to be processed
    ///     or done ahead of it. Default: 1,000.
    ///   - handler: processes one record. Do not close the consumer in it.
    /// - Throws: the first error that a handler throws, when the other handlers have ended, and what was done is committed;
    ///   ``KafkaError`` as ``partitions`` does, and with the code `invalidState` when it is running already or the consumer
    ///   reads in another way. Called again, it goes on where it was, with the record that failed.
    public func process(
        ordering: ProcessingOrder = .key,
        concurrency: Int = 16,
        window: Int = 1_000,
        _ handler: @escaping @Sendable (KafkaConsumerRecord) async throws -> Void
    ) async throws {
        try await self.processSending(ordering: ordering, concurrency: concurrency, window: window) { record in
            try await handler(record)
            return []
        }
    }

    /// Processes records concurrently, as ``process(ordering:concurrency:window:_:)``, and sends what the handler answers: a
    /// record is done when all of it is acknowledged, at least once.
    ///
    /// ```swift
    /// try await consumer.process(through: producer, ordering: .key) { record in
    ///     [KafkaProducerRecord(topic: "invoices", key: record.key, value: bill(record))]
    /// }
    /// ```
    ///
    /// Records do not wait for the acknowledgements of those before them: what is sent for records of a key arrives in their
    /// order all the same, with an idempotent producer, unless one of them can't be delivered. When the task is cancelled, what was sent until then may still be
    /// acknowledged within ``Configuration/revocationTimeout``.
    ///
    /// - Parameters:
    ///   - producer: sends the answers.
    ///   - ordering: which records wait for each other. Default: those with equal keys.
    ///   - concurrency: how many handlers run at a time, of all partitions together. Default: 16.
    ///   - window: how many records of a partition, from the oldest one that is not done, may be in memory.
    ///   - handler: processes one record and answers what to send for it, in order.
    /// - Throws: as ``process(ordering:concurrency:window:_:)``; the ``KafkaError`` of a record that could not be sent.
    public func process(
        through producer: KafkaProducer,
        ordering: ProcessingOrder = .key,
        concurrency: Int = 16,
        window: Int = 1_000,
        _ handler: @escaping @Sendable (KafkaConsumerRecord) async throws -> [KafkaProducerRecord]
    ) async throws {
        try await self.processSending(ordering: ordering, concurrency: concurrency, window: window) { record in
            var receipts: [KafkaSendReceipt] = []
            for answer in try await handler(record) {
                receipts.append(try await producer.enqueue(answer))
            }
            return receipts
        }
    }

    private func processSending(
        ordering: ProcessingOrder,
        concurrency: Int,
        window: Int,
        _ handler: @escaping @Sendable (KafkaConsumerRecord) async throws -> [KafkaSendReceipt]
    ) async throws {
        let operation = "process"
        guard (1...10_000).contains(concurrency) else {
            throw KafkaError(
                .configuration,
                operation: operation,
                message: "`concurrency` is \(concurrency): it must be from 1 to 10,000"
            )
        }
        guard (1...1_000_000).contains(window) else {
            throw KafkaError(
                .configuration,
                operation: operation,
                message: "`window` is \(window): it must be from 1 to 1,000,000"
            )
        }
        guard self.core.state.withLock({ $0.phase == .open }) else { return }
        let readers = try self.core.partitionReaders(.processing)
        do {
            try await readers.processor.run(
                ordering: ordering,
                concurrency: concurrency,
                window: window,
                settlementTimeout: self.core.configuration.revocationTimeout,
                readers: readers,
                handler: handler
            )
        } catch {
            await self.commitProcessed()
            throw error
        }
    }

    /// Commits what is done, where that is not left to the application. What can't be committed now is committed later or
    /// read again.
    private func commitProcessed() async {
        guard self.core.configuration.commitInterval != nil else { return }
        do throws(KafkaError) {
            try await self.commit()
        } catch {
            self.core.logger.info("\(error)")
        }
    }
}

extension KafkaConsumerRecord: ProcessableRecord {
    /// Different in each process, so that nobody can make keys that share it.
    var keyHash: Int? {
        defer { withExtendedLifetime(self.batch) {} }
        guard let key = self.keyBuffer else { return nil }
        var hasher = Hasher()
        hasher.combine(bytes: key)
        return hasher.finalize()
    }
}

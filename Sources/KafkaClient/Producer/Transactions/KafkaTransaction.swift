/// A transaction of a producer, open while the closure of ``KafkaProducer/withTransaction(attempts:_:)`` runs.
///
/// It may be used from several tasks at once, all of which must have ended when the closure does. What fails here makes
/// the whole transaction fail, whether the closure looks at it or not: a transaction is never committed in part.
public final class KafkaTransaction: Sendable {
    /// Which attempt this is, from 1 on: what earlier ones sent was aborted.
    public let attempt: Int

    private let core: ProducerCore
    private let transactions: ProducerTransactions
    private let run: TransactionRun

    init(core: ProducerCore, transactions: ProducerTransactions, run: TransactionRun, attempt: Int) {
        self.core = core
        self.transactions = transactions
        self.run = run
        self.attempt = attempt
    }

    // MARK: Sending

    /// Sends a record as part of the transaction and returns when the broker has it.
    ///
    /// Since the commit waits for all records anyway, ``enqueue(_:)`` and ``send(contentsOf:)`` are faster.
    ///
    /// - Returns: the record's partition, offset and time. Readers of committed records see it after the commit.
    /// - Throws: as ``KafkaProducer/send(_:)``; ``KafkaError`` with the code `invalidState` when the transaction has ended,
    ///   what failed first when it has failed, `notSent` where that is not known.
    @discardableResult
    public func send(_ record: KafkaProducerRecord) async throws -> KafkaRecordMetadata {
        let waiter = try await self.handOver(record, operation: .send)
        do throws(KafkaError) {
            return try await waiter.metadata()
        } catch {
            throw self.noting(error)
        }
    }

    /// Puts a record into the local queue as part of the transaction. The commit waits until the broker has it, and fails
    /// if it can't have it.
    ///
    /// - Returns: a receipt, by which the record's partition and offset can be awaited.
    /// - Throws: as ``KafkaProducer/enqueue(_:)``; ``KafkaError`` with the code `invalidState` when the transaction has
    ///   ended, what failed first when it has failed.
    @discardableResult
    public func enqueue(_ record: KafkaProducerRecord) async throws -> KafkaSendReceipt {
        KafkaSendReceipt(waiter: try await self.handOver(record, operation: .enqueue))
    }

    /// Sends records as part of the transaction and returns when the brokers have them, with one suspension for all.
    ///
    /// - Returns: a result for each record, in the order of the records. One failure makes the transaction fail.
    /// - Throws: as ``KafkaProducer/send(contentsOf:)``; ``KafkaError`` with the code `invalidState` when the transaction
    ///   has ended.
    @discardableResult
    public func send(
        contentsOf records: some Collection<KafkaProducerRecord>
    ) async throws -> [Result<KafkaRecordMetadata, KafkaError>] {
        let results: [Result<KafkaRecordMetadata, KafkaError>]
        do {
            results = try await self.core.send(ArraySlice(records), in: self.run)
        } catch {
            throw self.noting(error, of: "send")
        }
        let failed = results.contains { result in
            if case .failure = result { true } else { false }
        }
        return failed ? results.map { $0.mapError(self.noting) } : results
    }

    private func handOver(
        _ record: KafkaProducerRecord,
        operation: SendOperation
    ) async throws -> DeliveryWaiter {
        do {
            if !Task.isCancelled,
                let waiter = try self.core.handOverIfThereIsRoom(record, operation: operation, in: self.run)
            {
                return waiter
            }
            return try await self.core.handOver(record, operation: operation, in: self.run)
        } catch {
            throw self.noting(error, of: operation.rawValue)
        }
    }

    // MARK: Offsets

    /// Commits a consumer's positions with the transaction: they count when it is committed, and only then.
    ///
    /// The brokers refuse them when the consumer is no longer the member of its group that it was (KIP-447), which makes
    /// the transaction fail.
    ///
    /// - Parameters:
    ///   - offsets: the offset of the next record to read, per partition.
    ///   - consumer: whose records they are. Its ``KafkaConsumer/Configuration/commitPolicy`` must be
    ///     ``KafkaConsumer/CommitPolicy/manual``, so that nothing else commits them.
    /// - Throws: ``KafkaError`` with the code `groupMembership` for a partition that the consumer does not own (any more),
    ///   `invalidState` for a consumer without a group, with another commit policy, or a negative offset.
    public func commit(_ offsets: [KafkaTopicPartition: Int64], of consumer: KafkaConsumer) async throws {
        try await self.commit(offsets, of: consumer, batch: nil)
    }

    /// Commits with the transaction that everything up to the end of this batch is processed.
    ///
    /// - Throws: as ``commit(_:of:)-([KafkaTopicPartition:Int64],_)``.
    public func commit(_ batch: KafkaConsumerBatch, of consumer: KafkaConsumer) async throws {
        try await self.commit(batch.offsets, of: consumer, batch: batch)
    }

    /// - Parameter batch: what the offsets are behind of, if it is records.
    private func commit(
        _ offsets: [KafkaTopicPartition: Int64],
        of consumer: KafkaConsumer,
        batch: KafkaConsumerBatch?
    ) async throws {
        let operation = TransactionCall.operationOfOffsets
        do {
            try consumer.core.checkTransactionalCommits(operation: operation)
            try consumer.core.check(offsets, operation: operation)
            guard !offsets.isEmpty else { return }
            // First who the consumer is, then what it owns: owning it later would not say anything about then.
            let metadata = try await consumer.core.groupMetadata(operation: operation)
            try consumer.core.checkOwned(offsets.keys, in: batch, operation: operation)
            try await self.transactions.sendOffsets(offsets, metadata: metadata, run: self.run)
        } catch {
            throw self.noting(error, of: operation)
        }
    }

    // MARK: Failures

    /// Remembers an error, so that the transaction is not committed.
    ///
    /// - Returns: the error, or for a record that was given up with the transaction, why that has failed.
    private func noting(_ error: KafkaError) -> KafkaError {
        // A cancelled wait for an answer does not mean that the record failed: the commit waits for it, too.
        guard error.code != .outcomeUnknown else { return error }
        let first = self.run.fail(error)
        guard error.code == .notSent, error.requiresAbort else { return error }
        return first.restated(operation: error.operation, topic: error.topic, partition: error.partition)
    }

    private func noting(_ error: any Error, of operation: String) -> any Error {
        if let error = error as? KafkaError { return self.noting(error) }
        self.run.fail(KafkaError(.notSent, operation: operation, message: "cancelled before it was handed over"))
        return error
    }
}

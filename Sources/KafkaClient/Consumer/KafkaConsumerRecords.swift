/// The records of a consumer, one after the other, for `for try await`.
///
/// A record counts as processed when the next one is asked for. Breaking out of the loop leaves the consumer usable:
/// another loop goes on with the next record.
public struct KafkaConsumerRecords: AsyncSequence, Sendable {
    /// A consumed record.
    public typealias Element = KafkaConsumerRecord
    /// The errors that reading throws.
    public typealias Failure = KafkaError

    private let core: ConsumerCore

    init(core: ConsumerCore) {
        self.core = core
    }

    /// Begins to read.
    public func makeAsyncIterator() -> Iterator {
        Iterator(reader: ConsumerReader(core: self.core))
    }

    /// Reads records from batches that the consumer hands over.
    public struct Iterator: AsyncIteratorProtocol {
        private let reader: ConsumerReader
        @usableFromInline var batch: KafkaConsumerBatch?

        init(reader: ConsumerReader) {
            self.reader = reader
        }

        /// The next record; `nil` when the consumer is closed or, within 16 records, when the task is cancelled.
        ///
        /// - Throws: ``KafkaError`` for what will not go away by itself; ask again to go on.
        @inlinable
        public mutating func next(
            isolation actor: isolated (any Actor)?
        ) async throws(KafkaError) -> KafkaConsumerRecord? {
            // The path of nearly every record: no suspension, no lock.
            if let batch = self.batch, let index = batch.take() {
                return KafkaConsumerRecord(batch: batch, index: index)
            }
            return try await self.refill(isolation: actor)
        }

        @usableFromInline
        @inline(never)
        mutating func refill(
            isolation actor: isolated (any Actor)?
        ) async throws(KafkaError) -> KafkaConsumerRecord? {
            repeat {
                // The old batch goes first: its memory makes room for the new one's.
                self.batch = nil
                self.batch = try await self.reader.nextBatch(.records)
                if let batch = self.batch, let index = batch.take() {
                    return KafkaConsumerRecord(batch: batch, index: index)
                }
            } while self.batch != nil
            return nil
        }
    }
}

/// An iterator belongs to the task that reads.
@available(*, unavailable)
extension KafkaConsumerRecords.Iterator: Sendable {}

/// The records of a consumer in the batches that they come in, for `for try await`.
///
/// A batch counts as processed when the next one is asked for. A batch is handed over as soon as there is a record, with
/// all that is there, up to ``KafkaConsumer/Configuration/maxBatchRecords``.
public struct KafkaConsumerBatches: AsyncSequence, Sendable {
    /// Consumed records that came together.
    public typealias Element = KafkaConsumerBatch
    /// The errors that reading throws.
    public typealias Failure = KafkaError

    private let core: ConsumerCore

    init(core: ConsumerCore) {
        self.core = core
    }

    /// Begins to read.
    public func makeAsyncIterator() -> Iterator {
        Iterator(reader: ConsumerReader(core: self.core))
    }

    /// Reads batches.
    public struct Iterator: AsyncIteratorProtocol {
        private let reader: ConsumerReader

        init(reader: ConsumerReader) {
            self.reader = reader
        }

        /// The next batch; `nil` when the consumer is closed or the task is cancelled.
        ///
        /// - Throws: ``KafkaError`` for what will not go away by itself; ask again to go on.
        public mutating func next(
            isolation actor: isolated (any Actor)?
        ) async throws(KafkaError) -> KafkaConsumerBatch? {
            try await self.reader.nextBatch(.batches)
        }
    }
}

/// An iterator belongs to the task that reads.
@available(*, unavailable)
extension KafkaConsumerBatches.Iterator: Sendable {}

/// One sequence that is read. Tells the consumer when it no longer is.
final class ConsumerReader: Sendable {
    private let core: ConsumerCore
    private let id: Int

    init(core: ConsumerCore) {
        self.core = core
        self.id = core.readerCame()
    }

    deinit {
        self.core.readerLeft(self.id)
    }

    /// The batch in hand was not processed: the next reader gets it.
    func giveBack() {
        self.core.readerGivesBack(self.id)
    }

    func nextBatch(_ mode: ConsumerCore.State.ReaderMode) async throws(KafkaError) -> KafkaConsumerBatch? {
        try await self.core.nextBatch(mode, readerID: self.id)
    }
}

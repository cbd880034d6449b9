/// The records of a consumer, or of one of its partitions, one after the other, for `for try await`.
///
/// A record counts as processed when the next one is asked for. Breaking out of the loop leaves its source usable:
/// another loop goes on with the next record.
public struct KafkaConsumerRecords: AsyncSequence, Sendable {
    /// A consumed record.
    public typealias Element = KafkaConsumerRecord
    /// The errors that reading throws.
    public typealias Failure = KafkaError

    private let source: any BatchSource

    init(source: any BatchSource) {
        self.source = source
    }

    /// Begins to read.
    public func makeAsyncIterator() -> Iterator {
        Iterator(reader: BatchReader(source: self.source))
    }

    /// Reads records from batches that the consumer hands over.
    public struct Iterator: AsyncIteratorProtocol {
        private let reader: BatchReader
        @usableFromInline var batch: KafkaConsumerBatch?

        init(reader: BatchReader) {
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

/// The records of a consumer, or of one of its partitions, in the batches that they come in, for `for try await`.
///
/// A batch counts as processed when the next one is asked for. A batch is handed over as soon as there is a record, with
/// all that is there, up to ``KafkaConsumer/Configuration/maxBatchRecords``.
public struct KafkaConsumerBatches: AsyncSequence, Sendable {
    /// Consumed records that came together.
    public typealias Element = KafkaConsumerBatch
    /// The errors that reading throws.
    public typealias Failure = KafkaError

    private let source: any BatchSource

    init(source: any BatchSource) {
        self.source = source
    }

    /// Begins to read.
    public func makeAsyncIterator() -> Iterator {
        Iterator(reader: BatchReader(source: self.source))
    }

    /// Reads batches.
    public struct Iterator: AsyncIteratorProtocol {
        private let reader: BatchReader

        init(reader: BatchReader) {
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

/// Where the batches of a sequence come from: a consumer, or one of its partitions.
protocol BatchSource: AnyObject, Sendable {
    /// Somebody begins to read; the answer is the reader's number.
    func readerCame() -> Int
    func readerLeft(_ readerID: Int)
    /// The next batch for a reader, which has processed what it had; `nil` at the end.
    func nextBatch(
        _ mode: ConsumerCore.State.ReaderMode,
        readerID: Int
    ) async throws(KafkaError) -> KafkaConsumerBatch?
}

/// One sequence that is read. Tells the source when it no longer is.
final class BatchReader: Sendable {
    private let source: any BatchSource
    let id: Int

    init(source: any BatchSource) {
        self.source = source
        self.id = source.readerCame()
    }

    deinit {
        self.source.readerLeft(self.id)
    }

    func nextBatch(_ mode: ConsumerCore.State.ReaderMode) async throws(KafkaError) -> KafkaConsumerBatch? {
        try await self.source.nextBatch(mode, readerID: self.id)
    }
}

internal import Synchronization

/// One partition of a consumer, from when it is assigned until it is given up: an element of
/// ``KafkaConsumer/partitions``.
///
/// A partition that comes back is a new stream.
public struct KafkaPartitionStream: Sendable {
    private let channel: PartitionChannel

    init(channel: PartitionChannel) {
        self.channel = channel
    }

    /// The partition.
    public var topicPartition: KafkaTopicPartition { self.channel.partition }

    /// Whether the partition was given up, or is about to be: its sequences end.
    public var hasEnded: Bool { self.channel.isOver }

    /// Returns when the partition was given up, or is about to be, or when the task is cancelled.
    package func waitUntilEnded() async {
        _ = await self.channel.over.waitUnlessCancelled()
    }

    /// The partition's records, one after the other. Ends when the partition is given up, the consumer is closed or the
    /// reading task is cancelled.
    ///
    /// A record counts as processed when the next one is asked for. When the group takes the partition away, it waits until
    /// then, at most for ``KafkaConsumer/Configuration/revocationTimeout``; a partition that is lost does not wait. Breaking
    /// out of the loop leaves the stream usable: another loop goes on with the next record. A stream has one reader at a
    /// time.
    public var records: KafkaConsumerRecords { KafkaConsumerRecords(source: self.channel) }

    /// The partition's records in batches: as ``records``, with a batch in the place of a record.
    public var batches: KafkaConsumerBatches { KafkaConsumerBatches(source: self.channel) }
}

/// The partitions of a consumer, each when it is assigned, for `for try await`.
///
/// A sequence begins with the partitions that the consumer has.
public struct KafkaPartitionStreams: AsyncSequence, Sendable {
    /// A partition to read.
    public typealias Element = KafkaPartitionStream
    /// The errors that waiting for a partition throws.
    public typealias Failure = KafkaError

    private let core: ConsumerCore

    init(core: ConsumerCore) {
        self.core = core
    }

    /// Begins to wait for partitions.
    public func makeAsyncIterator() -> Iterator {
        Iterator(core: self.core)
    }

    /// Waits for partitions.
    public struct Iterator: AsyncIteratorProtocol {
        private let core: ConsumerCore
        private let reader: BatchReader
        private var lastID = -1

        init(core: ConsumerCore) {
            self.core = core
            self.reader = BatchReader(source: core)
        }

        /// The next partition; `nil` when the consumer is closed or the task is cancelled.
        ///
        /// - Throws: ``KafkaError`` for what will not go away by itself, of all partitions; ask again to go on. With the
        ///   code `invalidState`, when the consumer reads in another way already.
        public mutating func next(
            isolation actor: isolated (any Actor)?
        ) async throws(KafkaError) -> KafkaPartitionStream? {
            guard self.core.state.withLock({ $0.phase == .open }) else { return nil }
            let readers = try self.core.partitionReaders(.partitions)
            guard let channel = try await readers.nextChannel(after: self.lastID, readerID: self.reader.id) else {
                return nil
            }
            self.lastID = channel.id
            return KafkaPartitionStream(channel: channel)
        }
    }
}

/// An iterator belongs to the task that reads.
@available(*, unavailable)
extension KafkaPartitionStreams.Iterator: Sendable {}

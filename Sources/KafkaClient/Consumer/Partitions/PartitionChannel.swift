internal import CLibrdkafka
internal import Synchronization
internal import Tracing

/// One partition that is read apart from the others, from when it is assigned until it is given up.
///
/// librdkafka's queue of the partition is not forwarded to the consumer's data queue but drained by a reader of its own:
/// a reader that is slow, or does not read, stops the fetching of its partition and of no other.
final class PartitionChannel: Sendable {
    typealias State = PartitionChannelState<KafkaConsumerBatch>

    let partition: KafkaTopicPartition
    /// The place of the channel in the order in which partitions were assigned.
    let id: Int
    /// The number of assignments until the partition was assigned (see ``ConsumerState/isOwned(_:since:)``).
    let ownership: Int
    let core: ConsumerCore
    let signal = DataSignal()
    /// Completed when nothing is handed out any more.
    let over = Completion()

    private struct Guarded {
        var state: State
        /// What the last batch was handed out with.
        var hold: ConsumerCore.State.Hold?
    }

    private let guarded: Mutex<Guarded>
    /// Up to where the position was stored. Held while one is stored, so that a late one takes nothing back.
    private let stored = Mutex<Int64>(-1)
    /// Held while messages are taken, so that the queue is not given back meanwhile.
    private let queue: Mutex<SendablePointer?>

    /// Takes over a reference to the partition's queue. Give it back by ``release()``.
    init(
        _ partition: KafkaTopicPartition,
        id: Int,
        ownership: Int,
        queue: OpaquePointer,
        fetched: [KafkaConsumerBatch],
        core: ConsumerCore
    ) {
        self.partition = partition
        self.id = id
        self.ownership = ownership
        self.core = core
        self.guarded = Mutex(Guarded(state: State(fetched: fetched)))
        self.queue = Mutex(SendablePointer(queue))
        rd_kafka_queue_cb_event_enable(
            queue,
            { _, opaque in
                guard let opaque else { return }
                Unmanaged<DataSignal>.fromOpaque(opaque).takeUnretainedValue().signal()
            },
            Unmanaged.passUnretained(self.signal).toOpaque()
        )
    }

    /// Gives the queue back: no signal comes from it any more.
    func release() {
        self.end()
        self.queue.withLock { queue in
            guard let pointer = queue.take()?.value else { return }
            rd_kafka_queue_cb_event_enable(pointer, nil, nil)
            rd_kafka_queue_destroy(pointer)
        }
    }

    /// Whether nothing is handed out any more.
    var isOver: Bool { self.guarded.withLock { $0.state.isOver } }

    var isPaused: Bool { self.guarded.withLock { $0.state.isPaused } }

    /// Nothing is handed out any more; what is in hand may be finished.
    func end() {
        self.storeProcessed()
        self.guarded.withLock { $0.state.end() }
        self.over.complete()
        self.signal.signal()
    }

    /// Takes what was fetched before the queue was its own.
    func append(_ fetched: [KafkaConsumerBatch]) {
        self.guarded.withLock { $0.state.append(fetched) }
        self.signal.signal()
    }

    func setPaused(_ isPaused: Bool) {
        self.guarded.withLock { $0.state.setPaused(isPaused) }
        self.signal.signal()
    }

    /// Stores what a reader in the middle of a batch has processed.
    func storeProcessed() {
        let (position, hold) = self.guarded.withLock { ($0.state.takeProcessed(), $0.hold) }
        if let position, let hold {
            self.store(position, of: hold)
        }
    }

    /// Stores a position, unless a later one is stored already.
    ///
    /// - Parameter isReleased: whether nothing of the hold is in hand any more.
    func store(_ position: Int64?, of hold: ConsumerCore.State.Hold, isReleased: Bool = false) {
        self.stored.withLock { stored in
            var positions: [ConsumerCore.State.Position] = []
            var count = 0
            if let position, position > stored {
                // As many records, unless there are offsets without one.
                count = stored < 0 ? 0 : Int(clamping: position &- stored)
                stored = position
                positions = [(self.partition, position)]
            }
            if isReleased {
                self.core.release(hold, storing: positions, count: count)
            } else if !positions.isEmpty {
                self.core.processed(positions, count: count, of: hold)
            }
        }
    }

    /// How many records, ends of the partition and errors wait in the queue.
    var queuedCount: Int {
        self.queue.withLock { $0.map { Int(rd_kafka_queue_length($0.value)) } ?? 0 }
    }

    /// Takes what is in the queue, as one batch.
    func drain() -> ConsumerCore.Drained {
        self.queue.withLock { queue in
            guard let queue, let client = self.core.handle.withLock({ $0 }) else { return .empty }
            return self.core.takeBatch(from: queue.value, client: client)
        }
    }
}

/// Streams of the partition.
extension PartitionChannel: BatchSource {
    func readerCame() -> Int {
        self.guarded.withLock { $0.state.readerCame() }
    }

    func readerLeft(_ readerID: Int) {
        let (position, hold) = self.guarded.withLock { ($0.state.readerLeft(readerID), $0.hold) }
        if let hold {
            self.store(position, of: hold, isReleased: true)
        }
    }

    func nextBatch(_ mode: State.Mode, readerID: Int) async throws(KafkaError) -> KafkaConsumerBatch? {
        let (position, hold) = try self.guarded.withLock { guarded throws(KafkaError) in
            (try guarded.state.readerAsks(self.partition, readerID: readerID), guarded.hold)
        }
        if let hold {
            self.store(position, of: hold, isReleased: true)
        }
        let start = self.core.tracing?.now
        while true {
            let look = self.guarded.withLock { guarded in
                let look = guarded.state.readerLooks(mode, readerID: readerID, isCancelled: Task.isCancelled)
                guard case .deliver(let batch) = look, !self.hold(batch, &guarded) else { return look }
                return .end
            }
            switch look {
            case .end: return nil
            case .deliver(let batch): return self.observed(batch, since: start)
            case .wait: await self.signal.wait()
            case .drain:
                switch self.drain() {
                case .empty: await self.signal.wait()
                case .nothingToHandOut: continue
                case .batch(let batch):
                    let isHandedOut = self.guarded.withLock { guarded in
                        guarded.state.readerFound(batch, mode: mode, readerID: readerID) && self.hold(batch, &guarded)
                    }
                    if isHandedOut { return self.observed(batch, since: start) }
                }
            }
        }
    }

    /// Makes a revocation wait for the batch that is handed out; not when the partition is being given up already.
    private func hold(_ batch: KafkaConsumerBatch, _ guarded: inout Guarded) -> Bool {
        guard let hold = self.core.hold([self.partition]) else {
            guarded.state.end()
            self.over.complete()
            return false
        }
        batch.ownership = self.ownership
        guarded.hold = hold
        self.core.handedOut(batch)
        return true
    }
}

extension PartitionChannel {
    /// Takes note of a batch that a reader gets.
    private func observed(
        _ batch: KafkaConsumerBatch,
        since start: DefaultTracerClock.Timestamp?
    ) -> KafkaConsumerBatch {
        self.core.metrics?.handedOut(batch)
        self.core.tracing?.received(batch, since: start)
        return batch
    }
}

/// Records for a processor, which keeps count by itself of what is processed.
extension PartitionChannel {
    /// The next batch; `nil` when the partition is given up or the task is cancelled.
    func nextToProcess() async -> KafkaConsumerBatch? {
        let start = self.core.tracing?.now
        while true {
            switch self.guarded.withLock({ $0.state.processorLooks(isCancelled: Task.isCancelled) }) {
            case .end: return nil
            case .deliver(let batch): return self.observed(self.owned(batch), since: start)
            case .wait: await self.signal.wait()
            case .drain:
                switch self.drain() {
                case .empty: await self.signal.wait()
                case .nothingToHandOut: continue
                case .batch(let batch):
                    if self.guarded.withLock({ $0.state.processorFound(batch) }) {
                        return self.observed(self.owned(batch), since: start)
                    }
                }
            }
        }
    }

    private func owned(_ batch: KafkaConsumerBatch) -> KafkaConsumerBatch {
        batch.ownership = self.ownership
        return batch
    }
}

/// What is known and decided about the reading of one partition apart from the others, without doing anything itself: the
/// counterpart of ``ConsumerState`` for a ``PartitionChannel``.
struct PartitionChannelState<Batch: ConsumerStateBatch> {
    typealias Mode = ConsumerState<Batch>.ReaderMode

    /// What the reader has in hand.
    private struct HandedOut {
        var batch: Batch
        var mode: Mode
        /// Whose hands it is in; `nil` once that reader asked for more.
        var readerID: Int?
        /// Up to where the position was stored already.
        var storedCount = 0

        /// A record counts as processed when the next one is asked for, a batch likewise.
        func processedCount(isAsking: Bool) -> Int {
            switch self.mode {
            case .records: isAsking ? self.batch.takenCount : max(0, self.batch.takenCount - 1)
            case .batches: isAsking ? self.batch.count : 0
            }
        }
    }

    /// Whether the partition was given up, or is about to be: nothing is handed out any more.
    private(set) var isOver = false
    private(set) var isPaused = false
    private var handedOut: HandedOut?
    /// What was fetched and not handed out yet.
    private var fetched: [Batch]
    /// Whether the reader waits for records, so that nothing is being processed.
    private var readerIsInside = false
    private var readers: Set<Int> = []
    private var nextReaderID = 0

    init(fetched: [Batch] = []) {
        self.fetched = fetched
    }

    /// More was fetched.
    mutating func append(_ batches: [Batch]) {
        self.fetched += batches
    }

    /// Whether somebody may be processing records right now.
    private var isProcessing: Bool {
        guard let readerID = self.handedOut?.readerID else { return false }
        return self.readers.contains(readerID)
    }

    // MARK: The reader

    enum Look {
        /// The sequence ends.
        case end
        /// Records are at hand already.
        case deliver(Batch)
        /// Look into the partition's queue, and wait when it is empty.
        case drain
        case wait
    }

    mutating func readerCame() -> Int {
        defer { self.nextReaderID += 1 }
        self.readers.insert(self.nextReaderID)
        return self.nextReaderID
    }

    /// A sequence is no longer read: what it took but did not ask beyond stays unprocessed for now.
    ///
    /// - Returns: the position to store.
    mutating func readerLeft(_ readerID: Int) -> Int64? {
        self.readers.remove(readerID)
        return self.handedOut?.readerID == readerID ? self.takeProcessed() : nil
    }

    /// The reader asks for more: what it had is processed.
    ///
    /// - Returns: the position to store; `nil` for none.
    /// - Throws: when another reader has not finished.
    mutating func readerAsks(_ partition: KafkaTopicPartition, readerID: Int) throws(KafkaError) -> Int64? {
        guard !self.readerIsInside, !self.isProcessing || self.handedOut?.readerID == readerID else {
            throw KafkaError(
                .invalidState,
                operation: "read",
                topic: partition.topic,
                partition: partition.partition,
                message: "the stream of a partition has one reader at a time, and another one has not finished"
            )
        }
        self.readerIsInside = true
        defer { self.handedOut?.readerID = nil }
        return self.settle(isAsking: true)
    }

    /// What there is for the reader that asked.
    mutating func readerLooks(_ mode: Mode, readerID: Int, isCancelled: Bool) -> Look {
        if self.isOver || isCancelled {
            self.readerIsInside = false
            return .end
        }
        if self.isPaused { return .wait }
        guard let batch = self.takeLeftover(mode) ?? self.takeFetched() else { return .drain }
        self.handOut(batch, mode: mode, readerID: readerID)
        return .deliver(batch)
    }

    /// The reader found records in the queue.
    ///
    /// - Returns: whether they are handed out.
    mutating func readerFound(_ batch: Batch, mode: Mode, readerID: Int) -> Bool {
        guard !self.isOver else { return false }
        guard !self.isPaused else {
            self.fetched.append(batch)
            return false
        }
        self.handOut(batch, mode: mode, readerID: readerID)
        return true
    }

    private mutating func handOut(_ batch: Batch, mode: Mode, readerID: Int) {
        self.readerIsInside = false
        // Of a batch that is handed out again it is known up to where the position was stored.
        if self.handedOut?.batch !== batch {
            self.handedOut = HandedOut(batch: batch, mode: mode)
        }
        self.handedOut?.readerID = readerID
    }

    /// What is processed of what was handed out, unless it was stored.
    private mutating func settle(isAsking: Bool) -> Int64? {
        guard let handedOut else { return nil }
        let processed = handedOut.processedCount(isAsking: isAsking)
        guard processed > handedOut.storedCount else { return nil }
        self.handedOut?.storedCount = processed
        return handedOut.batch.positions(after: processed).last?.offset
    }

    /// What a sequence of records left behind of its batch.
    private mutating func takeLeftover(_ mode: Mode) -> Batch? {
        guard let handedOut, handedOut.mode == .records, handedOut.batch.takenCount < handedOut.batch.count else {
            self.handedOut = nil
            return nil
        }
        let batch = handedOut.batch
        if mode == .records, !batch.isInterrupted { return batch }
        self.handedOut = nil
        return batch.remaining { _ in true }
    }

    private mutating func takeFetched() -> Batch? {
        self.fetched.isEmpty ? nil : self.fetched.removeFirst()
    }

    // MARK: The processor

    /// What there is for a processor, which keeps count by itself of what is processed.
    mutating func processorLooks(isCancelled: Bool) -> Look {
        if self.isOver || isCancelled { return .end }
        if self.isPaused { return .wait }
        return self.takeFetched().map { .deliver($0) } ?? .drain
    }

    /// The processor found records in the queue.
    ///
    /// - Returns: whether it gets them.
    mutating func processorFound(_ batch: Batch) -> Bool {
        if self.isPaused, !self.isOver {
            self.fetched.append(batch)
        }
        return !self.isOver && !self.isPaused
    }

    // MARK: Control

    /// The position that is processed but not stored yet, for a reader that may be in the middle of a batch.
    mutating func takeProcessed() -> Int64? {
        self.settle(isAsking: false)
    }

    /// Nothing is handed out while the partition is paused; a record in hand may be finished.
    mutating func setPaused(_ isPaused: Bool) {
        self.isPaused = isPaused
        if isPaused {
            self.handedOut?.batch.interrupt()
        }
    }

    /// Nothing is handed out any more; a record in hand may be finished.
    mutating func end() {
        self.isOver = true
        self.fetched = []
        self.handedOut?.batch.interrupt()
    }
}

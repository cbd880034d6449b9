/// What ``ConsumerState`` needs to know of a batch.
protocol ConsumerStateBatch: AnyObject, Sendable {
    /// How many records the batch has.
    var count: Int { get }
    /// How many records the reader took, in a sequence of records.
    var takenCount: Int { get }
    /// Makes the reader look up before it takes another record.
    func interrupt()
    var isInterrupted: Bool { get }
    var partitions: [KafkaTopicPartition] { get }
    /// The offsets behind the last of the first `count` records, per partition.
    func positions(after count: Int) -> [(partition: KafkaTopicPartition, offset: Int64)]
    /// Moves the records that were not taken to a batch of their own, if any are left.
    func splitRemaining(keeping isKept: (KafkaTopicPartition) -> Bool) -> Self?
}

/// What a consumer knows and decides, without doing anything itself: every decision is an answer that
/// ``ConsumerCore`` carries out, outside of the lock that guards this value.
struct ConsumerState<Batch: ConsumerStateBatch> {
    typealias Position = (partition: KafkaTopicPartition, offset: Int64)

    enum Phase {
        case open
        case closing
        case closed
    }

    enum ReaderMode {
        case records
        case batches
    }

    enum Subscription: Equatable {
        case none
        case topics([String])
        case partitions
    }

    /// Partitions that the group takes away, waiting for the reader to come to the end of what it has in hand.
    struct Revocation {
        var id: Int
        var partitions: [KafkaTopicPartition]
    }

    /// What the reader has in hand.
    private struct HandedOut {
        var batch: Batch
        var mode: ReaderMode
        var readerID: Int
        /// Partitions that were given up since. They may have come back, but not the records in hand: those are read again.
        var givenUp: Set<KafkaTopicPartition> = []
        /// When the reader was last seen to get on.
        var progressTime: ContinuousClock.Instant
        var takenCount = 0
        /// Up to where the positions were stored already.
        var storedCount = 0

        /// A record counts as processed when the next one is asked for, a batch likewise.
        var processedCount: Int {
            switch self.mode {
            case .records: max(0, self.batch.takenCount - 1)
            case .batches: 0
            }
        }
    }

    private(set) var phase = Phase.open
    private(set) var subscription = Subscription.none
    private(set) var assignment: Set<KafkaTopicPartition> = []
    /// Whether the assignment is what the group gave last, be it empty, and not what a rebalance has left of it.
    private(set) var hasAssignment = false
    private var handedOut: HandedOut?
    /// Whether the reader waits for records in the consumer, so that nothing is being processed.
    private var readerIsInside = false
    /// The sequences that are being read; one at most, unless the consumer is misused.
    private var readers: Set<Int> = []
    private var nextReaderID = 0
    /// Positions that were committed explicitly, which what is processed by the count of records must not take back.
    private var explicitPositions: [KafkaTopicPartition: Int64] = [:]
    private var revocation: Revocation?
    private var nextRevocationID = 0
    private var failures: [KafkaError] = []
    /// Whether the consumer left the group because processing took too long.
    private var isOutOfGroup = false

    // MARK: Subscription

    mutating func subscribe(to subscription: Subscription, operation: String) throws(KafkaError) {
        guard self.phase == .open else { throw KafkaError.closed(operation: operation) }
        switch (self.subscription, subscription) {
        case (.none, _), (.topics, .topics):
            self.subscription = subscription
        default:
            throw KafkaError(
                .invalidState,
                operation: operation,
                message: "the consumer already reads \(self.subscription): make another one for other partitions"
            )
        }
    }

    mutating func assigned(_ partitions: [KafkaTopicPartition]) {
        self.assignment.formUnion(partitions)
        self.hasAssignment = true
    }

    // MARK: The reader

    enum ReaderAction {
        /// The sequence ends.
        case end
        case fail(KafkaError)
        /// Records are at hand already.
        case deliver(Batch)
        /// Look into the data queue; `rejoin` names the topics to subscribe to again.
        case poll(rejoin: [String]?)
    }

    struct ReaderStep {
        /// Positions to store before anything else.
        var store: [Position] = []
        /// A revocation that need not wait any longer, to be answered after storing.
        var answer: Revocation?
        var action: ReaderAction
    }

    mutating func readerCame() -> Int {
        defer { self.nextReaderID += 1 }
        self.readers.insert(self.nextReaderID)
        return self.nextReaderID
    }

    /// A sequence is no longer read: what it took but did not ask beyond stays unprocessed for now.
    mutating func readerLeft(_ readerID: Int) -> ReaderStep {
        self.readers.remove(readerID)
        return self.revocation == nil ? ReaderStep(action: .end) : self.settle(isAsking: false)
    }

    /// The reader asks for more: what it had is processed.
    mutating func readerAsks(
        _ mode: ReaderMode,
        readerID: Int,
        isCancelled: Bool,
        now: ContinuousClock.Instant
    ) -> ReaderStep {
        guard !self.readerIsInside, !self.isProcessing || self.handedOut?.readerID == readerID else {
            return ReaderStep(
                action: .fail(
                    KafkaError(
                        .invalidState,
                        operation: "read",
                        message: "a consumer has one reader at a time, and another one has not finished"
                    )
                )
            )
        }
        var step = self.settle(isAsking: true)
        if self.phase != .open {
            // Nothing is in hand any more: closing need not wait for this reader.
            self.handedOut = nil
            return step
        }
        if isCancelled {
            return step
        }
        if !self.failures.isEmpty {
            step.action = .fail(self.failures.removeFirst())
            return step
        }
        if let left = self.takeLeftover(mode: mode, readerID: readerID, now: now) {
            step.action = .deliver(left)
            return step
        }
        self.readerIsInside = true
        var rejoin: [String]?
        if self.isOutOfGroup, case .topics(let topics) = self.subscription {
            self.isOutOfGroup = false
            rejoin = topics
        }
        step.action = .poll(rejoin: rejoin)
        return step
    }

    /// The reader, waiting in the consumer, was woken and found no records.
    ///
    /// - Returns: `nil` to go on waiting.
    mutating func readerLooks(isCancelled: Bool) -> ReaderAction? {
        if self.phase != .open || isCancelled {
            self.readerIsInside = false
            return .end
        }
        if !self.failures.isEmpty {
            self.readerIsInside = false
            return .fail(self.failures.removeFirst())
        }
        return nil
    }

    /// The reader found records.
    ///
    /// - Returns: what to hand out; `nil` when all of it belongs to partitions that were given up meanwhile.
    mutating func readerFound(
        _ batch: Batch,
        mode: ReaderMode,
        readerID: Int,
        now: ContinuousClock.Instant
    ) -> Batch? {
        // Closing does not wait for a reader that has nothing in hand.
        guard self.phase == .open else { return nil }
        var found = batch
        if !batch.partitions.allSatisfy(self.assignment.contains) {
            guard let rest = batch.splitRemaining(keeping: self.assignment.contains) else { return nil }
            found = rest
        }
        self.readerIsInside = false
        self.handedOut = HandedOut(batch: found, mode: mode, readerID: readerID, progressTime: now)
        return found
    }

    /// What is processed of what was handed out. Asking for more processes all that was taken.
    private mutating func settle(isAsking: Bool) -> ReaderStep {
        var step = ReaderStep(action: .end)
        if let handedOut {
            let processed: Int
            if isAsking {
                processed = handedOut.mode == .batches ? handedOut.batch.count : handedOut.batch.takenCount
            } else {
                processed = handedOut.processedCount
            }
            step.store = self.positionsToStore(after: processed)
        }
        step.answer = self.takeRevocation()
        return step
    }

    private mutating func positionsToStore(after processed: Int) -> [Position] {
        guard let handedOut, processed > handedOut.storedCount else { return [] }
        self.handedOut?.storedCount = processed
        return handedOut.batch.positions(after: processed).filter { position in
            self.isOwned(position.partition, since: handedOut)
                && position.offset > self.explicitPositions[position.partition] ?? -1
        }
    }

    /// The caller commits positions by itself.
    ///
    /// - Returns: what to store, so that automatic commits do not take it back.
    mutating func committing(_ offsets: [KafkaTopicPartition: Int64]) -> [Position] {
        let owned = offsets.filter { self.assignment.contains($0.key) }
        self.explicitPositions.merge(owned) { _, new in new }
        return owned.map { ($0.key, $0.value) }
    }

    /// What a sequence of records left behind of its batch, without partitions that were given up.
    private mutating func takeLeftover(mode: ReaderMode, readerID: Int, now: ContinuousClock.Instant) -> Batch? {
        guard let handedOut = self.handedOut else { return nil }
        self.handedOut = nil
        guard handedOut.mode == .records else { return nil }
        let batch = handedOut.batch
        if mode == .records, !batch.isInterrupted {
            guard batch.takenCount < batch.count else { return nil }
            self.handedOut = handedOut
            self.handedOut?.readerID = readerID
            self.handedOut?.progressTime = now
            return batch
        }
        guard let rest = batch.splitRemaining(keeping: { self.isOwned($0, since: handedOut) }) else { return nil }
        self.handedOut = HandedOut(batch: rest, mode: mode, readerID: readerID, progressTime: now)
        return rest
    }

    /// Whether somebody may be processing records right now.
    private var isProcessing: Bool {
        guard let handedOut, !self.readerIsInside else { return false }
        return self.readers.contains(handedOut.readerID)
    }

    /// Whether a partition was owned all the time since its records were handed out.
    private func isOwned(_ partition: KafkaTopicPartition, since handedOut: HandedOut) -> Bool {
        self.assignment.contains(partition) && !handedOut.givenUp.contains(partition)
    }

    private mutating func giveUp(_ partitions: [KafkaTopicPartition]) {
        self.assignment.subtract(partitions)
        self.handedOut?.givenUp.formUnion(partitions)
        for partition in partitions {
            self.explicitPositions[partition] = nil
        }
    }

    // MARK: Rebalances

    enum RevocationAction {
        /// Store positions, then answer.
        case answer(Revocation, store: [Position])
        /// The reader is told; the answer follows when it asks for more, or at the deadline.
        case wait(Revocation)
    }

    /// The group takes partitions away.
    ///
    /// - Parameter isLost: whether others may own them already: then there is nothing to wait for, nor to commit.
    mutating func revoke(_ partitions: [KafkaTopicPartition], isLost: Bool) -> RevocationAction {
        defer { self.nextRevocationID += 1 }
        let revocation = Revocation(id: self.nextRevocationID, partitions: partitions)
        self.hasAssignment = false
        self.handedOut?.batch.interrupt()
        if isLost || self.phase != .open || self.isOutOfGroup || !self.isProcessing {
            let store = isLost || self.isOutOfGroup ? [] : self.takeProcessed()
            self.giveUp(partitions)
            return .answer(revocation, store: store)
        }
        self.revocation = revocation
        return .wait(revocation)
    }

    /// The deadline of a revocation is over.
    ///
    /// - Returns: the revocation, unless it was answered before, and what to store before it is answered now.
    mutating func revocationExpired(id: Int) -> (revocation: Revocation, store: [Position])? {
        guard self.revocation?.id == id else { return nil }
        let store = self.takeProcessed()
        return self.takeRevocation().map { ($0, store) }
    }

    private mutating func takeRevocation() -> Revocation? {
        guard let revocation else { return nil }
        self.revocation = nil
        self.giveUp(revocation.partitions)
        return revocation
    }

    // MARK: Time

    enum TickAction {
        case none
        /// Positions that were processed since the last time.
        case store([Position])
        /// The reader exceeded its limit: leave the group.
        case leaveGroup
    }

    /// Called now and then while the consumer is open.
    mutating func tick(now: ContinuousClock.Instant, maxPollInterval: Duration) -> TickAction {
        guard self.phase == .open, self.isProcessing, let handedOut else { return .none }
        let taken = handedOut.batch.takenCount
        if taken != handedOut.takenCount {
            self.handedOut?.takenCount = taken
            self.handedOut?.progressTime = now
        } else if now - handedOut.progressTime > maxPollInterval, case .topics = self.subscription, !self.isOutOfGroup {
            self.isOutOfGroup = true
            self.failures.append(
                KafkaError(
                    .maxPollIntervalExceeded,
                    operation: "read",
                    message: "processing took longer than maxPollInterval (\(maxPollInterval)): the consumer left its "
                        + "group, and what it had in hand will be read again; read on to rejoin",
                    disposition: KafkaError.Disposition(isRetriable: true)
                )
            )
            return .leaveGroup
        }
        let positions = self.positionsToStore(after: handedOut.processedCount)
        return positions.isEmpty ? .none : .store(positions)
    }

    /// Positions that are processed but not stored yet.
    mutating func takeProcessed() -> [Position] {
        self.handedOut.map { self.positionsToStore(after: $0.processedCount) } ?? []
    }

    // MARK: Errors and the end

    /// The reader gets an error when it asks next.
    mutating func fail(_ error: KafkaError) {
        guard self.phase == .open else { return }
        self.failures.append(error)
    }

    /// The first of the partitions that may not be committed; none, without a subscription by group.
    ///
    /// - Parameter batch: what is to be committed, if it is records. Where it is what the reader has in hand, a partition
    ///   that was given up and came back does not count: another member may have come further, and be taken back.
    func partitionNotOwned(
        of partitions: some Sequence<KafkaTopicPartition>,
        in batch: Batch? = nil
    ) -> KafkaTopicPartition? {
        guard case .topics = self.subscription else { return nil }
        if let batch, let handedOut, handedOut.batch === batch {
            return partitions.first { !self.isOwned($0, since: handedOut) }
        }
        return partitions.first { !self.assignment.contains($0) }
    }

    enum CloseAction {
        /// Somebody else closes it already.
        case none
        /// Wait until the reader is done, within a deadline, if it is processing something.
        case begin(waitForReader: Bool)
    }

    mutating func beginClose() -> CloseAction {
        guard self.phase == .open else { return .none }
        let isProcessing = self.isProcessing
        self.phase = .closing
        self.handedOut?.batch.interrupt()
        return .begin(waitForReader: isProcessing)
    }

    /// Whether closing need not wait for the reader any more.
    var isReaderDone: Bool { !self.isProcessing || self.phase == .closed }

    /// The last positions to be committed.
    mutating func finishReading() -> [Position] {
        let positions = self.takeProcessed()
        self.handedOut = nil
        self.revocation = nil
        return positions
    }

    mutating func finishClose() {
        self.phase = .closed
        self.assignment = []
        self.hasAssignment = false
        self.handedOut = nil
    }
}

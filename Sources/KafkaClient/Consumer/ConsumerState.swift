/// What ``ConsumerState`` needs to know of a batch.
protocol ConsumerStateBatch: AnyObject, Sendable {
    /// How many records the batch has.
    var count: Int { get }
    /// How many records the reader took, in a sequence of records.
    var takenCount: Int { get }
    /// The number of assignments until the records were handed out (see ``ConsumerState/isOwned(_:since:)``). Set once,
    /// before they are.
    var ownership: Int { get set }
    /// Makes the reader look up before it takes another record.
    func interrupt()
    var isInterrupted: Bool { get }
    var partitions: [KafkaTopicPartition] { get }
    /// The offsets behind the last of the first `count` records, per partition.
    func positions(after count: Int) -> [(partition: KafkaTopicPartition, offset: Int64)]
    /// Another batch with the records of some partitions that were not taken, if there are any. Both keep the records.
    func remaining(_ isKept: (KafkaTopicPartition) -> Bool) -> Self?
    /// Another batch with the same records of some partitions, none of them taken, if there are any.
    func selecting(_ isKept: (KafkaTopicPartition) -> Bool) -> Self?
    /// The first record of a partition that was not taken.
    func nextRecord(of partition: KafkaTopicPartition) -> (offset: Int64, timestamp: KafkaTimestamp?)?
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

    /// Partitions that the group takes away, which nothing new is handed out of.
    struct Revocation: Equatable {
        var id: Int
        var partitions: Set<KafkaTopicPartition>
    }

    /// How the consumer is read; that is decided by the first who reads.
    enum Reading {
        /// By one reader of all partitions.
        case together
        /// By streams, one for each partition.
        case partitions
        /// By a pool of workers.
        case processing
    }

    /// What the reader has in hand.
    struct HandedOut {
        var batch: Batch
        var mode: ReaderMode
        var readerID: Int
        /// When the reader was last seen to get on.
        var progressTime: ContinuousClock.Instant
        var takenCount = 0
        /// Up to where the positions were stored already.
        var storedCount = 0
        /// Whether the reader gave it back unprocessed, for the next one.
        var isGivenBack = false

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
    var assignment: Set<KafkaTopicPartition> = []
    /// Whether the assignment is what the group gave last, be it empty, and not what a rebalance has left of it.
    var hasAssignment = false
    /// How often partitions were assigned, and for each partition which assignment brought it.
    var ownership = 0
    var ownedSince: [KafkaTopicPartition: Int] = [:]
    private var reading: Reading?
    var handedOut: HandedOut?
    /// What others than the reader have in hand.
    var holds: [Int: Hold] = [:]
    var nextHoldID = 0
    /// Where partitions were to be read from, of those that the caller said it of.
    var places: [KafkaTopicPartition: KafkaOffset] = [:]
    /// Whether the reader waits for records in the consumer, so that nothing is being processed.
    private var readerIsInside = false
    /// The sequences that are being read; one at most, unless the consumer is misused.
    private var readers: Set<Int> = []
    private var nextReaderID = 0
    /// Behind the last record that was handed out, or where to go on instead.
    var nextOffsets: [KafkaTopicPartition: Int64] = [:]
    /// How often places were found for partitions that had none.
    var resetCounts: [KafkaTopicPartition: Int] = [:]
    /// Positions that were committed explicitly, which what is processed by the count of records must not take back.
    var explicitPositions: [KafkaTopicPartition: Int64] = [:]
    /// The partitions that are being given up, until they are.
    var revocation: Revocation?
    /// Whether the revocation waits for what is in hand.
    var awaitsDrain = false
    /// Partitions that the application has paused, whether they are owned or not.
    var paused: Set<KafkaTopicPartition> = []
    /// Records of paused partitions that were on their way to the reader, in their order.
    var stashed: [KafkaTopicPartition: [Batch]] = [:]
    /// How many records were processed since the last automatic commit.
    var uncommittedCount = 0
    private var failures: [KafkaError] = []
    /// Whether the consumer left the group because processing took too long.
    private(set) var isOutOfGroup = false

    // MARK: Subscription

    mutating func subscribe(to subscription: Subscription, operation: String) throws(KafkaError) {
        guard self.phase == .open else { throw KafkaError.closed(operation: operation) }
        switch (self.subscription, subscription) {
        case (.none, _), (.topics, .topics), (.partitions, .partitions):
            self.subscription = subscription
        default:
            throw KafkaError(
                .invalidState,
                operation: operation,
                message: "the consumer already reads \(self.subscription): make another one for other partitions"
            )
        }
    }

    mutating func assigned(_ partitions: some Sequence<KafkaTopicPartition>) {
        self.ownership += 1
        self.assignment.formUnion(partitions)
        for partition in partitions {
            self.ownedSince[partition] = self.ownership
        }
        self.hasAssignment = true
    }

    /// Partitions are read from these places.
    mutating func place(_ places: [KafkaTopicPartition: KafkaOffset]) {
        self.places.merge(places) { _, new in new }
    }

    // MARK: The reader

    /// Decides how the consumer is read, unless that was decided before.
    ///
    /// - Throws: when it is read in another way.
    mutating func begin(_ reading: Reading) throws(KafkaError) {
        if self.reading == reading { return }
        guard let other = self.reading else {
            self.reading = reading
            return
        }
        let names = [Reading.together: "records or batches", .partitions: "partitions", .processing: "process"]
        throw KafkaError(
            .invalidState,
            operation: "read",
            message: "the consumer is read by \(names[other] ?? ""), and can't be by \(names[reading] ?? "") too: "
                + "make another one"
        )
    }

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
        /// The revocation that need not wait any longer, once that is stored.
        var drained: Int?
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
        return self.awaitsDrain ? self.settle(isAsking: false) : ReaderStep(action: .end)
    }

    /// The reader could not process the batch that it has in hand: the next reader gets it again.
    mutating func readerGivesBack(_ readerID: Int) {
        guard let handedOut, handedOut.readerID == readerID, handedOut.mode == .batches else { return }
        self.handedOut?.isGivenBack = true
    }

    /// The reader has processed what it had, and takes its time before it asks for more: nobody waits for it.
    mutating func readerIsDone(_ readerID: Int) -> ReaderStep {
        guard self.handedOut?.readerID == readerID, !self.readerIsInside else { return ReaderStep(action: .end) }
        let step = self.settle(isAsking: true)
        self.handedOut = nil
        return step
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

    /// The reader, waiting in the consumer, got what it waited for, which is not records.
    mutating func readerEndsWaiting() {
        self.readerIsInside = false
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
        if !batch.partitions.allSatisfy(self.isDeliverable) {
            self.stash(batch)
            guard let rest = batch.remaining(self.isDeliverable) else { return nil }
            found = rest
        }
        found.ownership = self.ownership
        self.readerIsInside = false
        self.handedOut = HandedOut(batch: found, mode: mode, readerID: readerID, progressTime: now)
        for position in found.positions(after: found.count) {
            self.nextOffsets[position.partition] = position.offset
        }
        return found
    }

    /// What is processed of what was handed out. Asking for more processes all that was taken.
    private mutating func settle(isAsking: Bool) -> ReaderStep {
        var step = ReaderStep(action: .end)
        if let handedOut {
            let processed: Int
            if handedOut.isGivenBack {
                processed = 0
            } else if isAsking {
                processed = handedOut.mode == .batches ? handedOut.batch.count : handedOut.batch.takenCount
            } else {
                processed = handedOut.processedCount
            }
            step.store = self.positionsToStore(after: processed)
        }
        step.drained = self.takeDrained(readerAsks: isAsking)
        return step
    }

    mutating func positionsToStore(after processed: Int) -> [Position] {
        guard let handedOut, processed > handedOut.storedCount else { return [] }
        self.handedOut?.storedCount = processed
        self.uncommittedCount += processed - handedOut.storedCount
        return handedOut.batch.positions(after: processed).filter { position in
            self.isOwned(position.partition, since: handedOut.batch.ownership)
                && position.offset > self.explicitPositions[position.partition] ?? -1
        }
    }

    /// The caller commits positions by itself.
    ///
    /// - Parameter rewinds: whether they may be lower than what was committed.
    /// - Returns: what to store, so that automatic commits do not take it back.
    mutating func committing(_ offsets: [KafkaTopicPartition: Int64], rewinds: Bool = true) -> [Position] {
        let owned = offsets.filter { self.assignment.contains($0.key) }
        self.explicitPositions.merge(owned) { known, new in rewinds ? new : max(known, new) }
        return owned.map { ($0.key, $0.value) }
    }

    /// Whether at least so many records were processed since the last automatic commit, which is made now.
    mutating func takeCommitDue(_ limit: Int) -> Bool {
        guard self.uncommittedCount >= limit else { return false }
        self.uncommittedCount = 0
        return true
    }

    /// What a sequence of records left behind of its batch, without partitions that were given up.
    private mutating func takeLeftover(mode: ReaderMode, readerID: Int, now: ContinuousClock.Instant) -> Batch? {
        guard let handedOut = self.handedOut else { return nil }
        self.handedOut = nil
        let batch = handedOut.batch
        let isKept = { self.isDeliverable($0) && self.isOwned($0, since: batch.ownership) }
        if handedOut.isGivenBack {
            let all = batch.selecting { _ in true }
            all.map { self.putBack($0) }
            guard let rest = batch.selecting(isKept) else { return nil }
            rest.ownership = batch.ownership
            self.handedOut = HandedOut(batch: rest, mode: mode, readerID: readerID, progressTime: now)
            return rest
        }
        guard handedOut.mode == .records else { return nil }
        if mode == .records, !batch.isInterrupted {
            guard batch.takenCount < batch.count else { return nil }
            self.handedOut = handedOut
            self.handedOut?.readerID = readerID
            self.handedOut?.progressTime = now
            return batch
        }
        self.putBack(batch)
        guard let rest = batch.remaining(isKept) else { return nil }
        rest.ownership = batch.ownership
        self.handedOut = HandedOut(batch: rest, mode: mode, readerID: readerID, progressTime: now)
        return rest
    }

    /// The next record of a partition that was fetched and will be handed over: of the batch that is in hand, or of what is
    /// kept while the partition is paused.
    func nextInHand(of partition: KafkaTopicPartition) -> (offset: Int64, timestamp: KafkaTimestamp?)? {
        if let handedOut, handedOut.mode == .records, self.isOwned(partition, since: handedOut.batch.ownership),
            let next = handedOut.batch.nextRecord(of: partition)
        {
            return next
        }
        return self.stashed[partition]?.first?.nextRecord(of: partition)
    }

    /// Whether somebody may be processing records right now.
    var isProcessing: Bool {
        guard let handedOut, !self.readerIsInside else { return false }
        return self.readers.contains(handedOut.readerID)
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
        guard self.phase == .open else { return .none }
        let isSlow = self.holds.values.contains { now - $0.progressTime > maxPollInterval }
        let isReaderSlow = self.isReaderSlow(now: now, maxPollInterval: maxPollInterval)
        if isSlow || isReaderSlow, case .topics = self.subscription, !self.isOutOfGroup {
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
        let positions = self.isProcessing ? self.takeProcessed() : []
        return positions.isEmpty ? .none : .store(positions)
    }

    private mutating func isReaderSlow(now: ContinuousClock.Instant, maxPollInterval: Duration) -> Bool {
        guard self.isProcessing, let handedOut else { return false }
        let taken = handedOut.batch.takenCount
        guard taken == handedOut.takenCount else {
            self.handedOut?.takenCount = taken
            self.handedOut?.progressTime = now
            return false
        }
        return now - handedOut.progressTime > maxPollInterval
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

    /// Whether an error waits for the reader.
    var hasFailure: Bool { !self.failures.isEmpty }

    enum CloseAction {
        /// Somebody else closes it already.
        case none
        /// Wait until the reader is done, within a deadline, if it is processing something.
        case begin(waitForReader: Bool)
    }

    mutating func beginClose() -> CloseAction {
        guard self.phase == .open else { return .none }
        let isProcessing = self.isProcessing || !self.holds.isEmpty
        self.phase = .closing
        self.handedOut?.batch.interrupt()
        return .begin(waitForReader: isProcessing)
    }

    /// Whether closing need not wait for the reader any more.
    var isReaderDone: Bool { !self.isProcessing && self.holds.isEmpty || self.phase == .closed }

    /// The last positions to be committed.
    mutating func finishReading() -> [Position] {
        let positions = self.takeProcessed()
        self.handedOut = nil
        return positions
    }

    mutating func finishClose() {
        self.phase = .closed
        self.assignment = []
        self.ownedSince = [:]
        self.holds = [:]
        self.revocation = nil
        self.awaitsDrain = false
        self.hasAssignment = false
        self.handedOut = nil
    }
}

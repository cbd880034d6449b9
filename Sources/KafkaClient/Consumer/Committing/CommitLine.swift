/// Which offsets are committed next: one commit is on its way at a time, and what is asked for meanwhile goes together in
/// the next one.
///
/// The highest offset of a partition wins, so that a commit that was asked for earlier, or a worker that was overtaken,
/// never takes back a newer one. Only offsets that the application names itself may go back.
struct CommitLine {
    typealias Offsets = [KafkaTopicPartition: Int64]

    /// A commit to be handed to librdkafka.
    struct Sending: Equatable {
        var id: Int
        var offsets: Offsets
    }

    /// Somebody who waits for a commit.
    struct Waiter: Hashable {
        var id: Int
        var partitions: Set<KafkaTopicPartition>
    }

    /// Who is told what.
    struct Answer {
        var waiter: Int
        var error: KafkaError?
    }

    enum Result {
        case answers([Answer])
        /// Ask for ``next()`` after this time. Those are told now whose partitions were given up meanwhile.
        case retry(after: Duration, [Answer])
        /// The answer belongs to no commit on its way.
        case unknown
    }

    private struct Batch {
        var offsets: Offsets = [:]
        var waiters: Set<Waiter> = []
    }

    /// How often a commit is sent at most, while it fails for reasons that pass.
    static let attemptLimit = 6

    /// What the broker has acknowledged since the consumer was made.
    private(set) var acknowledged: Offsets = [:]
    /// Up to where records are processed, of partitions that are owned.
    private var processed: Offsets = [:]
    /// What was acknowledged since a partition was given.
    private var committed: Offsets = [:]
    private var pending = Batch()
    private var inFlight: (id: Int, batch: Batch)?
    private var nextID = 0
    private var attempts = 0
    private var isPausing = false
    private(set) var isEnded = false

    // MARK: Asking

    /// Records are processed up to these positions.
    mutating func process(_ positions: [(partition: KafkaTopicPartition, offset: Int64)]) {
        for position in positions {
            let known = self.processed[position.partition] ?? -1
            self.processed[position.partition] = max(known, position.offset)
        }
    }

    /// The application goes back to these positions.
    mutating func rewind(_ offsets: Offsets) {
        for (partition, offset) in offsets where self.processed[partition] != nil {
            self.processed[partition] = offset
        }
    }

    /// Partitions are read from elsewhere on: what was processed and committed before does not count any more.
    mutating func restart(_ partitions: some Sequence<KafkaTopicPartition>) {
        for partition in partitions {
            self.processed[partition] = nil
            self.committed[partition] = nil
        }
    }

    /// Asks for a commit.
    ///
    /// - Parameter rewinds: whether offsets may be lower than what was committed.
    /// - Returns: whether there is nothing to wait for, since all of it was committed before.
    mutating func request(_ offsets: Offsets, rewinds: Bool, waiter: Waiter? = nil) -> Bool {
        var isPending = false
        var isInFlight = false
        for (partition, offset) in offsets {
            if let known = self.pending.offsets[partition] {
                isPending = true
                self.pending.offsets[partition] = rewinds ? offset : max(known, offset)
            } else if let known = self.inFlight?.batch.offsets[partition], !rewinds, offset <= known {
                isInFlight = true
            } else if self.inFlight?.batch.offsets[partition] != nil || rewinds
                || offset > self.committed[partition] ?? -1
            {
                isPending = true
                self.pending.offsets[partition] = offset
            }
        }
        guard isPending || isInFlight else { return true }
        if let waiter {
            if isPending {
                self.pending.waiters.insert(waiter)
            } else {
                self.inFlight?.batch.waiters.insert(waiter)
            }
        }
        return false
    }

    /// Asks for a commit of what is processed.
    mutating func requestProcessed(waiter id: Int? = nil) -> Bool {
        let due = self.processed.filter { $0.value > self.committed[$0.key] ?? -1 }
        let waiter = id.map { Waiter(id: $0, partitions: Set(due.keys)) }
        return self.request(due, rewinds: false, waiter: waiter)
    }

    /// The commit to send now, unless one is on its way.
    mutating func next() -> Sending? {
        guard self.inFlight == nil, !self.isPausing, !self.pending.offsets.isEmpty, !self.isEnded else { return nil }
        self.nextID += 1
        self.attempts += 1
        self.inFlight = (self.nextID, self.pending)
        self.pending = Batch()
        return self.inFlight.map { Sending(id: $0.id, offsets: $0.batch.offsets) }
    }

    /// Whether nothing of these partitions is to be committed or on its way.
    func isIdle(for partitions: Set<KafkaTopicPartition>) -> Bool {
        self.pending.offsets.keys.allSatisfy { !partitions.contains($0) }
            && self.inFlight?.batch.offsets.keys.contains(where: partitions.contains) != true
    }

    /// Whether somebody waits for an answer.
    var isAwaited: Bool { !self.pending.waiters.isEmpty || self.inFlight?.batch.waiters.isEmpty == false }

    // MARK: Answers

    /// Brokers have committed these offsets.
    mutating func acknowledge(_ offsets: Offsets) {
        self.acknowledged.merge(offsets) { _, new in new }
    }

    /// The broker has answered, or librdkafka has refused.
    ///
    /// - Parameters:
    ///   - accepted: the offsets that were taken.
    ///   - error: why all of it failed.
    ///   - refused: why single partitions failed.
    ///   - isPassing: whether the reason of an error passes, so that it is worth sending the commit again.
    mutating func answered(
        _ id: Int,
        accepted: Offsets,
        error: KafkaError?,
        refused: [KafkaTopicPartition: KafkaError],
        isPassing: Bool
    ) -> Result {
        self.acknowledge(accepted)
        guard let (_, batch) = self.inFlight, self.inFlight?.id == id else { return .unknown }
        for (partition, offset) in accepted where batch.offsets[partition] != nil {
            self.committed[partition] = offset
        }
        self.inFlight = nil
        if error != nil || !refused.isEmpty, isPassing, !self.isEnded, self.attempts < Self.attemptLimit {
            let answers = self.takeBack(batch, accepted: accepted)
            self.isPausing = true
            return .retry(after: .milliseconds(50 << self.attempts), answers)
        }
        self.attempts = 0
        return .answers(
            batch.waiters.map { waiter in
                let cause = error ?? refused.first { waiter.partitions.contains($0.key) }?.value
                return Answer(waiter: waiter.id, error: cause)
            }
        )
    }

    /// What failed is sent again, together with what was asked for since.
    ///
    /// - Returns: what those are told for whom it is not, since their partitions were given up.
    private mutating func takeBack(_ batch: Batch, accepted: Offsets) -> [Answer] {
        let failed = batch.offsets.filter { accepted[$0.key] == nil }
        self.pending.offsets.merge(failed) { newer, _ in newer }
        var answers: [Answer] = []
        for waiter in batch.waiters {
            if let lost = waiter.partitions.first(where: { failed[$0] == nil && accepted[$0] == nil }) {
                answers.append(Answer(waiter: waiter.id, error: .notOwned(lost, operation: "commit")))
            } else {
                self.pending.waiters.insert(waiter)
            }
        }
        return answers
    }

    /// The pause before a commit is sent again is over.
    mutating func endPause() {
        self.isPausing = false
    }

    // MARK: The end

    /// Partitions were given up: nothing of them is sent any more.
    ///
    /// - Returns: those who wait for a commit that so is not sent, each with a partition of it.
    mutating func drop(_ partitions: Set<KafkaTopicPartition>) -> [(waiter: Int, partition: KafkaTopicPartition)] {
        for partition in partitions {
            self.processed[partition] = nil
            self.committed[partition] = nil
            self.pending.offsets[partition] = nil
            self.inFlight?.batch.offsets[partition] = nil
        }
        var dropped: [(waiter: Int, partition: KafkaTopicPartition)] = []
        for waiter in self.pending.waiters {
            guard let partition = waiter.partitions.first(where: partitions.contains) else { continue }
            self.pending.waiters.remove(waiter)
            dropped.append((waiter.id, partition))
        }
        return dropped
    }

    /// Nobody waits for this any more.
    mutating func forget(_ waiter: Int) {
        self.pending.waiters = self.pending.waiters.filter { $0.id != waiter }
        if let waiters = self.inFlight?.batch.waiters {
            self.inFlight?.batch.waiters = waiters.filter { $0.id != waiter }
        }
    }

    /// Refuses commits from now on.
    ///
    /// - Returns: those whose commits are not sent any more.
    mutating func end() -> [Int] {
        self.isEnded = true
        defer { self.pending = Batch() }
        return self.pending.waiters.map(\.id)
    }

    /// The client goes.
    ///
    /// - Returns: those whose commit is on its way.
    mutating func abandon() -> [Int] {
        defer { self.inFlight = nil }
        return self.inFlight?.batch.waiters.map(\.id) ?? []
    }
}

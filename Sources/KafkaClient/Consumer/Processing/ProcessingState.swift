/// What is processed, of all partitions, and what comes next: partitions take turns.
///
/// Decides only; ``RecordProcessor`` carries it out.
struct ProcessingState<Batch: RandomAccessCollection & Sendable>: Sendable
where Batch.Index == Int, Batch.Element: ProcessableRecord {
    /// A record that begins.
    struct Work: Sendable {
        var slot: Int
        var number: Int
        var record: Batch.Element
    }

    /// What the end of a record means for its partition.
    struct Outcome: Equatable {
        /// Another batch may come.
        var wantsMore = false
        /// Everything that came is done.
        var isIdle = false
        /// The partition was stopped.
        var isStopped = false
        /// The partition was stopped, and this was the last of its records.
        var isDrained = false
    }

    private struct Slot {
        var work: PartitionWork<Batch>
        /// Whether the partition stands in the row.
        var isQueued = false
        var isPaused = false
    }

    private var ordering: KafkaConsumer.ProcessingOrder
    private var window: Int
    private var slots: [Slot?] = []
    private var freeSlots: [Int] = []
    /// The partitions that have something ready, each once.
    private var row = SlidingWindow<Int>()
    /// Nothing is begun any more, in no partition.
    private(set) var isStopping = false

    init(ordering: KafkaConsumer.ProcessingOrder, window: Int) {
        self.ordering = ordering
        self.window = window
    }

    /// A partition comes.
    mutating func add() -> Int {
        let slot = Slot(work: PartitionWork(ordering: self.ordering, window: self.window))
        if let index = self.freeSlots.popLast() {
            self.slots[index] = slot
            return index
        }
        self.slots.append(slot)
        return self.slots.count - 1
    }

    /// A partition that is drained goes.
    mutating func remove(_ index: Int) {
        guard self.slots[index]?.work.isDrained == true else { return }
        // One that still stands in the row must not be taken for another that comes in its place.
        if self.slots[index]?.isQueued == true {
            var row = SlidingWindow<Int>()
            while let other = self.row.removeOldest() {
                if other != index { row.append(other) }
            }
            self.row = row
        }
        self.slots[index] = nil
        self.freeSlots.append(index)
    }

    /// Records of a partition come; those before them were used up.
    ///
    /// - Returns: whether more may come at once.
    mutating func feed(_ batch: Batch, slot index: Int) -> Bool {
        self.slots[index]?.work.feed(batch)
        self.queue(index)
        return self.wantsMore(index)
    }

    func wantsMore(_ index: Int) -> Bool {
        !self.isStopping && self.slots[index]?.work.wantsMore == true
    }

    /// The next record to begin; `nil` when there is none now.
    mutating func next() -> Work? {
        guard !self.isStopping else { return nil }
        while let index = self.row.removeOldest() {
            self.slots[index]?.isQueued = false
            if self.slots[index]?.isPaused != true, let (number, record) = self.slots[index]?.work.begin() {
                self.queue(index)
                return Work(slot: index, number: number, record: record)
            }
        }
        return nil
    }

    /// A record is not done, but those that wait for it may begin.
    mutating func release(_ work: Work) {
        self.slots[work.slot]?.work.release(work.number)
        self.queue(work.slot)
    }

    /// A record is done.
    mutating func complete(_ work: Work) -> Outcome {
        self.slots[work.slot]?.work.complete(work.number)
        self.queue(work.slot)
        return self.outcome(of: work.slot)
    }

    /// A record ended without being done.
    mutating func fail(_ work: Work) -> Outcome {
        self.slots[work.slot]?.work.fail(work.number)
        return self.outcome(of: work.slot)
    }

    private func outcome(of index: Int) -> Outcome {
        Outcome(
            wantsMore: self.wantsMore(index),
            isIdle: self.isIdle(index),
            isStopped: self.slots[index]?.work.isStopped ?? true,
            isDrained: self.slots[index]?.work.isDrained ?? true
        )
    }

    /// Whether everything that came of a partition is done.
    func isIdle(_ index: Int) -> Bool {
        self.slots[index]?.work.isIdle ?? true
    }

    /// Begins no records of a partition while it is paused.
    mutating func setPaused(_ index: Int, _ isPaused: Bool) {
        self.slots[index]?.isPaused = isPaused
        self.queue(index)
    }

    /// Begins no more records of a partition.
    ///
    /// - Returns: whether none is being processed.
    mutating func stop(_ index: Int) -> Bool {
        self.slots[index]?.work.stop()
        return self.slots[index]?.work.isDrained ?? true
    }

    /// Begins no more records.
    mutating func stopAll() {
        self.isStopping = true
    }

    /// Begins again after ``stopAll()``, with what was not done. Nothing may be running.
    mutating func restart(ordering: KafkaConsumer.ProcessingOrder, window: Int) {
        self.isStopping = false
        self.ordering = ordering
        self.window = window
        for index in self.slots.indices {
            self.slots[index]?.work.restart(ordering: ordering, window: window)
            self.queue(index)
        }
    }

    private mutating func queue(_ index: Int) {
        guard self.slots[index]?.isQueued == false, self.slots[index]?.isPaused == false,
            self.slots[index]?.work.readyCount ?? 0 > 0
        else { return }
        self.slots[index]?.isQueued = true
        self.row.append(index)
    }

    /// The offset below which everything of a partition is done; `nil` before there is something to commit.
    func position(_ index: Int) -> Int64? {
        self.slots[index]?.work.position
    }
}

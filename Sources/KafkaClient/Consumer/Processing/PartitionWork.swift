/// What has to be known of a record to process it in an order.
protocol ProcessableRecord: Sendable {
    var offset: Int64 { get }
    /// The same for equal keys; `nil` without a key.
    var keyHash: Int? { get }
}

/// The records of one partition that are being processed, wait for it, or are done ahead of others.
struct PartitionWork<Batch: RandomAccessCollection & Sendable>: Sendable
where Batch.Index == Int, Batch.Element: ProcessableRecord {
    private var ordering: KafkaConsumer.ProcessingOrder
    private var window: Int
    private var frontier = CommitFrontier()
    private var lanes = KeyLanes()
    /// What is not done.
    private var records = SlidingWindow<Batch.Element>()
    /// The numbers of the records that may begin now.
    private var ready = SlidingWindow<Int>()
    /// What does not fit into the window yet.
    private var backlog: (batch: Batch, index: Int)?
    private(set) var runningCount = 0
    private(set) var isStopped = false

    /// - Parameter window: how many records there may be from the first one that is not done to the last one begun.
    init(ordering: KafkaConsumer.ProcessingOrder, window: Int) {
        self.ordering = ordering
        self.window = window
    }

    /// The offset below which everything is done; `nil` before there is something to commit.
    var position: Int64? { self.frontier.position }

    /// The number of the first record that is not done, which shows whether the partition gets on.
    var firstNumber: Int { self.frontier.numbers.lowerBound }

    var readyCount: Int { self.ready.span }

    /// Whether another batch may come.
    var wantsMore: Bool { !self.isStopped && self.backlog == nil && self.frontier.span < self.window }

    /// Whether everything that came is done.
    var isIdle: Bool { self.frontier.span == 0 && self.backlog == nil }

    /// Whether nothing of a stopped partition is being processed any more.
    var isDrained: Bool { self.isStopped && self.runningCount == 0 }

    /// A batch comes; the one before it was used up.
    mutating func feed(_ batch: Batch) {
        guard !self.isStopped, !batch.isEmpty else { return }
        self.backlog = (batch, batch.startIndex)
        self.fill()
    }

    /// The next record that may begin.
    mutating func begin() -> (number: Int, record: Batch.Element)? {
        guard let number = self.ready.removeOldest(), let record = self.records[number] else { return nil }
        self.runningCount += 1
        return (number, record)
    }

    /// A record's successor may begin, though it is not done: what it sent has to be acknowledged.
    mutating func release(_ number: Int) {
        guard !self.isStopped, let next = self.lanes.remove(number) else { return }
        self.ready.append(next)
    }

    /// A record is done.
    mutating func complete(_ number: Int) {
        self.runningCount -= 1
        self.records.remove(number)
        _ = self.frontier.remove(number)
        guard !self.isStopped else { return }
        if let next = self.lanes.remove(number) {
            self.ready.append(next)
        }
        self.fill()
    }

    /// A record ended without being done: it stays the first of its lane, and holds the frontier, until ``restart``.
    mutating func fail(_ number: Int) {
        self.runningCount -= 1
    }

    /// Begins no more records, and forgets those that were not begun.
    mutating func stop() {
        self.isStopped = true
        self.backlog = nil
        self.ready = SlidingWindow()
        self.records = SlidingWindow()
        self.lanes = KeyLanes()
    }

    /// Makes records ready again that failed, and orders those that are not done anew. Nothing may be running.
    mutating func restart(ordering: KafkaConsumer.ProcessingOrder, window: Int) {
        guard !self.isStopped else { return }
        self.ordering = ordering
        self.window = window
        self.ready = SlidingWindow()
        self.lanes = KeyLanes(first: self.frontier.numbers.lowerBound)
        for number in self.frontier.numbers {
            if let record = self.records[number] {
                self.line(up: record, number: number)
            } else {
                self.lanes.skip()
            }
        }
        self.fill()
    }

    private mutating func fill() {
        guard let backlog = self.backlog else { return }
        var index = backlog.index
        let end = backlog.batch.endIndex
        while index < end, self.frontier.span < self.window {
            let record = backlog.batch[index]
            let number = self.frontier.append(offset: record.offset)
            self.records.append(record)
            self.line(up: record, number: number)
            index += 1
        }
        if index == end {
            self.backlog = nil
        } else {
            self.backlog?.index = index
        }
    }

    private mutating func line(up record: Batch.Element, number: Int) {
        let lane: Int? =
            switch self.ordering {
            case .key: record.keyHash
            case .partition: 0
            case .unordered: nil
            }
        if self.lanes.append(lane: lane) {
            self.ready.append(number)
        }
    }
}

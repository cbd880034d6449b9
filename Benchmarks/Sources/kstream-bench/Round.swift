/// One round of work that the harness asks a worker for.
struct Round: Codable, Sendable {
    /// What there is to do. Only the reference knows `produce`, only the Swift side `tasks`, `receipts`,
    /// `brokerStart` and `brokerReset`, and what has to do with events.
    enum Work: String, Codable, Sendable {
        case consumeBatches
        case consumeRecords
        case produce
        case produceBatches
        case tasks
        case receipts
        case latency
        case transactions
        case idle
        case brokerStart
        case brokerReset
        case fillWithEvents
        case decodeMessages
        case decodePlainly
        case processExactlyOnce
        case processAtLeastOnce
        case fillWithDeposits
        case project
        case insertPlainly
        case appendOne
        case appendMany
        case appendPlainly
        case replayEntity
        case replayPlainly
        case handleCommands
        case restoreEntities
    }

    var work: Work
    var topic: String
    var partitions: Int32
    var records = 0
    /// Whether a consumer's records are fetched before the clock starts.
    var isFetchedFirst = false
    /// Whether allocations are counted while the clock runs.
    var countsAllocations = false
    /// How long an idle round takes.
    var seconds = 0.0

    /// Bytes of a value.
    static let valueSize = 100
    /// Records of a batch, consumed or produced.
    static let batchSize = 1_000
    /// Records without an acknowledgement, at most.
    static let window = 50_000
    /// Records of a transaction.
    static let transactionSize = 100
    /// Tasks that await sends at the same time.
    static let tasks = 10_000
}

/// What a worker answers.
struct Measurement: Codable, Sendable {
    /// Seconds on the monotonic clock.
    var seconds = 0.0
    /// Seconds of processor time of the whole process.
    var cpuSeconds = 0.0
    var records = 0
    /// Allocations of the whole process, when they were counted.
    var allocations = 0
    /// Consumed batches that were not full.
    var shortBatches = 0
    /// Sum over the consumed records of length, first and last byte.
    var checksum: UInt64 = 0
    /// Of awaited sends, in microseconds.
    var median = 0.0
    /// Of awaited sends, in microseconds.
    var percentile99 = 0.0
    /// Why there is no measurement.
    var failure: String?

    /// Takes the percentiles of the durations of awaited sends.
    mutating func setPercentiles(of microseconds: [Double]) {
        let sorted = microseconds.sorted()
        guard !sorted.isEmpty else { return }
        self.median = sorted[sorted.count / 2]
        self.percentile99 = sorted[min(sorted.count - 1, sorted.count * 99 / 100)]
    }
}

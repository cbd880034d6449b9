/// What a partition remembers of an idempotent or transactional producer (KIP-98).
struct ProducerState: Hashable {
    /// A batch that the producer wrote.
    struct Batch: Hashable {
        var firstSequence: Int32
        var lastSequence: Int32
        var baseOffset: Int64
        /// The largest time in it, in milliseconds since 1970.
        var timestamp: Int64
    }

    /// How many batches are remembered, which is as many as a client may have under way.
    static let rememberedBatches = 5

    let id: Int64
    var epoch: Int16
    /// Of this epoch, oldest first.
    var batches: [Batch] = []
    /// The epoch of the coordinator that wrote the last marker, or -1.
    var coordinatorEpoch: Int32 = -1
    /// The time in the last batch, in milliseconds since 1970.
    var lastTimestamp: Int64 = -1
    /// Where the open transaction begins in this partition.
    var transactionStartOffset: Int64?
    /// Whether all that the log told when it was opened is a marker: the batches before it are deleted, and the producer may
    /// go on with any sequence.
    fileprivate var takesAnySequence = false
    /// When the producer last wrote by the broker's time.
    fileprivate var lastUsed: Int64 = 0

    /// -1: none.
    var lastSequence: Int32 { self.batches.last?.lastSequence ?? -1 }
}

/// The producers of a partition, and what their sequence numbers allow.
struct ProducerStates {
    enum Verdict: Hashable {
        case next
        case duplicate(ProducerState.Batch)
        case refused(ErrorCode)
    }

    private(set) var all: [Int64: ProducerState] = [:]

    subscript(id: Int64) -> ProducerState? { self.all[id] }

    /// Whether a batch may be appended. Its sequence numbers have been looked at: they are not negative.
    func verdict(on header: RecordBatchHeader) -> Verdict {
        guard let state = self.all[header.producerID] else { return .next }
        if header.producerEpoch < state.epoch { return .refused(.invalidProducerEpoch) }
        if header.producerEpoch > state.epoch {
            // A new epoch begins to count anew.
            guard header.baseSequence == 0 else { return .refused(.outOfOrderSequenceNumber) }
        } else {
            let duplicate = state.batches.first {
                $0.firstSequence == header.baseSequence && $0.lastSequence == header.lastSequence
            }
            if let duplicate { return .duplicate(duplicate) }
            let last = state.lastSequence
            guard state.takesAnySequence || header.baseSequence == (last == .max ? 0 : last + 1) else {
                return .refused(.outOfOrderSequenceNumber)
            }
        }
        guard header.isTransactional || state.transactionStartOffset == nil else {
            return .refused(.invalidTransactionState)
        }
        return .next
    }

    /// Notes a batch with data that is in the log.
    mutating func note(_ header: RecordBatchHeader, now: Int64) {
        guard header.hasProducer else { return }
        let state = ProducerState(id: header.producerID, epoch: header.producerEpoch)
        let batch = ProducerState.Batch(
            firstSequence: header.baseSequence,
            lastSequence: header.lastSequence,
            baseOffset: header.baseOffset,
            timestamp: header.maxTimestamp
        )
        // Compaction leaves an empty batch for the sequence numbers alone; it begins no transaction.
        let begins = header.isTransactional && header.recordCount > 0
        Self.update(&self.all[header.producerID, default: state]) { state in
            state.advance(to: header.producerEpoch)
            state.takesAnySequence = false
            if state.batches.count >= ProducerState.rememberedBatches { state.batches.removeFirst() }
            state.batches.append(batch)
            state.lastTimestamp = header.maxTimestamp
            state.lastUsed = now
            if begins, state.transactionStartOffset == nil { state.transactionStartOffset = header.baseOffset }
        }
    }

    /// Notes a marker that is in the log.
    ///
    /// - Parameter isRecovering: Whether the log is being opened.
    /// - Returns: Where the transaction began that it ends, if the producer has written in it here.
    mutating func noteMarker(
        _ header: RecordBatchHeader,
        coordinatorEpoch: Int32,
        isRecovering: Bool,
        now: Int64
    ) -> Int64? {
        var start: Int64?
        var state = ProducerState(id: header.producerID, epoch: header.producerEpoch)
        state.takesAnySequence = isRecovering
        Self.update(&self.all[header.producerID, default: state]) { state in
            state.advance(to: header.producerEpoch)
            state.coordinatorEpoch = coordinatorEpoch
            state.lastTimestamp = header.maxTimestamp
            state.lastUsed = now
            start = state.transactionStartOffset
            state.transactionStartOffset = nil
        }
        return start
    }

    /// Forgets producers that have not written for a while and have no open transaction.
    mutating func expire(olderThan age: Int64, now: Int64) {
        let isOld = { (state: ProducerState) in
            state.transactionStartOffset == nil && elapsedMilliseconds(from: state.lastUsed, to: now) >= age
        }
        guard self.all.values.contains(where: isOld) else { return }
        self.all = self.all.filter { !isOld($0.value) }
    }

    /// Changes in place, so that the array inside is not copied.
    private static func update(_ state: inout ProducerState, _ change: (inout ProducerState) -> Void) {
        change(&state)
    }
}

extension ProducerState {
    fileprivate mutating func advance(to epoch: Int16) {
        guard epoch != self.epoch else { return }
        self.epoch = epoch
        self.batches.removeAll(keepingCapacity: true)
    }
}

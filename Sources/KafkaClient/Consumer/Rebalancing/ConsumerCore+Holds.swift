internal import Dispatch
internal import Synchronization

/// What others than the reader of `records` and `batches` have in hand.
extension ConsumerCore {
    /// Takes partitions in hand: a revocation of one of them, and closing, wait until they are released.
    ///
    /// - Returns: `nil` when one of them may not be read (any more).
    func hold(_ partitions: Set<KafkaTopicPartition>) -> State.Hold? {
        let now = ContinuousClock.now
        return self.state.withLock { $0.hold(partitions, now: now) }
    }

    /// Stores positions behind records of a hold that were processed.
    func processed(_ positions: [State.Position], of hold: State.Hold) {
        let now = ContinuousClock.now
        self.store(self.state.withLock { $0.processed(positions, of: hold, now: now) })
    }

    /// Stores the last positions behind records of a hold that were processed; nothing of it is in hand any more.
    func release(_ hold: State.Hold, storing positions: [State.Position] = []) {
        let now = ContinuousClock.now
        self.carryOut(self.state.withLock { $0.release(hold, storing: positions, now: now) })
    }
}

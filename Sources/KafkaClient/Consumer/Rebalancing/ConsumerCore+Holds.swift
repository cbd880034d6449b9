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
    ///
    /// - Parameter count: how many records, for commits by count.
    func processed(_ positions: [State.Position], count: Int = 0, of hold: State.Hold) {
        let now = ContinuousClock.now
        self.storing { ((), $0.processed(positions, count: count, of: hold, now: now)) }
        self.commitByCount()
    }

    /// Stores the last positions behind records of a hold that were processed; nothing of it is in hand any more.
    func release(_ hold: State.Hold, storing positions: [State.Position] = [], count: Int = 0) {
        let now = ContinuousClock.now
        let step = self.storing { state in
            let step = state.release(hold, storing: positions, count: count, now: now)
            return (step, step.store)
        }
        self.carryOut(step)
    }
}

import Testing

@testable import KafkaClient

/// What a consumer decides while partitions are given up, without a consumer.
extension ConsumerStateTests {
    private func revocation(_ partitions: Set<KafkaTopicPartition>) -> State.Revocation {
        State.Revocation(id: 7, partitions: partitions)
    }

    private func beginRevoking(_ state: inout State, isDrained: Bool) throws {
        let isNothingInHand = state.beginRevoking(self.revocation([self.p0]))
        try #require(isNothingInHand == isDrained)
    }

    @Test func aRevocationNeedNotWaitWhenNothingIsProcessed() throws {
        var state = try self.makeState()
        _ = state.readerAsks(.records, readerID: 0, isCancelled: false, now: self.now)
        try self.beginRevoking(&state, isDrained: true)
        #expect(state.assignment == [self.p0, self.p1], "its hook may still commit")
        #expect(state.partitionNotOwned(of: [self.p0]) == nil)
        state.giveUp([self.p0])
        #expect(state.assignment == [self.p1])
        #expect(state.partitionNotOwned(of: [self.p0]) == self.p0)
    }

    @Test(arguments: [State.ReaderMode.records, .batches])
    func aRevocationWaitsForTheReader(mode: State.ReaderMode) throws {
        let batch = FakeBatch([(self.p0, 5), (self.p1, 70), (self.p0, 6), (self.p1, 71)])
        var state = try self.makeState(handingOut: batch, mode)
        if mode == .records { _ = batch.take() }
        try self.beginRevoking(&state, isDrained: false)
        #expect(batch.take() == nil, "the reader must look up after its record")

        let step = state.readerAsks(mode, readerID: 0, isCancelled: false, now: self.now)
        #expect(step.drained == 7)
        #expect(state.assignment == [self.p0, self.p1], "the hook comes next")
        switch mode {
        case .batches:
            #expect(step.store.offsets == [self.p0: 7, self.p1: 72])
            #expect(step.action.isPoll)
        case .records:
            #expect(step.store.offsets == [self.p0: 6])
            #expect(step.action.batch?.records.map(\.offset) == [70, 71], "what is left of the kept partition")
        }
        let next = state.readerAsks(mode, readerID: 0, isCancelled: false, now: self.now)
        #expect(next.drained == nil, "it is said once")
    }

    @Test func aRevocationDoesNotWaitForOtherPartitions() throws {
        let batch = FakeBatch(self.p1, 70..<73)
        var state = try self.makeState(handingOut: batch, .records)
        _ = batch.take()
        try self.beginRevoking(&state, isDrained: true)
        #expect(batch.take()?.offset == 71, "the reader is not disturbed")
    }

    @Test func nothingIsHandedOutOfAPartitionThatIsBeingGivenUp() throws {
        var state = try self.makeState()
        _ = state.readerAsks(.batches, readerID: 0, isCancelled: false, now: self.now)
        try self.beginRevoking(&state, isDrained: true)
        #expect(state.readerFound(FakeBatch(self.p0, 5..<8), mode: .batches, readerID: 0, now: self.now) == nil)
        #expect(state.hold([self.p0], now: self.now) == nil)
    }

    @Test func aRevocationGoesOnWhenTheReaderLeaves() throws {
        let batch = FakeBatch(self.p0, 5..<8)
        var state = try self.makeState(handingOut: batch, .records)
        _ = batch.take()
        _ = batch.take()
        _ = state.beginRevoking(self.revocation([self.p0]))
        let step = state.readerLeft(0)
        #expect(step.store.offsets == [self.p0: 6], "the record in hand is not processed")
        #expect(step.drained == 7)
    }

    @Test func onlyWhatIsProcessedIsStoredAtTheDeadline() throws {
        let batch = FakeBatch(self.p0, 5..<8)
        var state = try self.makeState(handingOut: batch, .records)
        _ = batch.take()
        _ = batch.take()
        try self.beginRevoking(&state, isDrained: false)
        #expect(state.takeProcessed().offsets == [self.p0: 6])
        state.giveUp([self.p0])
        #expect(state.partitionNotOwned(of: [self.p0]) == self.p0)
        let step = state.readerAsks(.records, readerID: 0, isCancelled: false, now: self.now)
        #expect(step.store.isEmpty, "what was in hand is not committed")
        #expect(step.drained == nil, "nobody waits any more")
        #expect(step.action.isPoll, "nor are records delivered that another member reads")
    }

    /// Else a commit could take back what another member has committed meanwhile.
    @Test func whatWasInHandIsNotCommittedWhenItsPartitionComesBack() throws {
        let batch = FakeBatch([(self.p0, 5), (self.p1, 70)])
        var state = try self.makeState(handingOut: batch, .batches)
        try self.beginRevoking(&state, isDrained: false)
        state.giveUp([self.p0])
        state.assigned([self.p0])
        #expect(state.partitionNotOwned(of: [self.p0], in: batch) == self.p0)
        #expect(state.partitionNotOwned(of: [self.p1], in: batch) == nil)
        #expect(state.partitionNotOwned(of: [self.p0]) == nil)
        let step = state.readerAsks(.batches, readerID: 0, isCancelled: false, now: self.now)
        #expect(step.store.offsets == [self.p1: 71])
        let next = FakeBatch(self.p0, 3..<5)
        #expect(state.readerFound(next, mode: .batches, readerID: 0, now: self.now) === next)
        #expect(state.partitionNotOwned(of: [self.p0], in: next) == nil, "read since")
        #expect(state.partitionNotOwned(of: [self.p0], in: batch) == self.p0, "also when it is no longer in hand")
    }

    @Test func lostPartitionsAreNeverStored() throws {
        let batch = FakeBatch(self.p0, 5..<8)
        var state = try self.makeState(handingOut: batch, .records)
        _ = batch.take()
        _ = batch.take()
        state.giveUp([self.p0])
        #expect(state.takeProcessed().isEmpty)
        let step = state.readerAsks(.records, readerID: 0, isCancelled: false, now: self.now)
        #expect(step.store.isEmpty)
        #expect(step.action.isPoll)
    }

    @Test func aLossEndsARevocation() throws {
        let batch = FakeBatch(self.p0, 5..<8)
        var state = try self.makeState(handingOut: batch, .records)
        _ = batch.take()
        try self.beginRevoking(&state, isDrained: false)
        state.giveUp([self.p0, self.p1])
        let step = state.readerAsks(.records, readerID: 0, isCancelled: false, now: self.now)
        #expect(step.store.isEmpty)
        #expect(step.drained == nil)
    }

    // MARK: Holds

    private func hold(_ partitions: Set<KafkaTopicPartition>, _ state: inout State) throws -> State.Hold {
        let hold = state.hold(partitions, now: self.now)
        return try #require(hold)
    }

    @Test func aRevocationWaitsForEveryHold() throws {
        var state = try self.makeState()
        let first = try self.hold([self.p0], &state)
        let second = try self.hold([self.p0, self.p1], &state)
        let other = try self.hold([self.p1], &state)
        try self.beginRevoking(&state, isDrained: false)
        let step = state.release(first, storing: [(self.p0, 6)], now: self.now)
        #expect(step.store.offsets == [self.p0: 6])
        #expect(step.drained == nil)
        #expect(state.release(second, storing: [], now: self.now).drained == 7)
        #expect(state.release(other, storing: [(self.p1, 9)], now: self.now).store.offsets == [self.p1: 9])
        #expect(state.isReaderDone)
    }

    @Test func aHoldStoresNothingOfWhatWasGivenUp() throws {
        var state = try self.makeState()
        let hold = try self.hold([self.p0], &state)
        state.giveUp([self.p0])
        state.assigned([self.p0])
        #expect(state.processed([(self.p0, 6)], of: hold, now: self.now).isEmpty)
        let fresh = try self.hold([self.p0], &state)
        _ = state.committing([self.p0: 6])
        #expect(state.processed([(self.p0, 6), (self.p0, 7)], of: fresh, now: self.now).offsets == [self.p0: 7])
    }

    @Test func closingWaitsForHolds() throws {
        var state = try self.makeState()
        let hold = try self.hold([self.p0], &state)
        #expect(state.beginClose().waitsForReader == true)
        #expect(!state.isReaderDone)
        #expect(state.release(hold, storing: [(self.p0, 6)], now: self.now).store.offsets == [self.p0: 6])
        #expect(state.isReaderDone)
        #expect(state.hold([self.p0], now: self.now) == nil)
        let isTaken = state.assignedUnlessClosing([self.p0])
        #expect(!isTaken)
    }

    @Test func aSlowHoldLeavesTheGroup() throws {
        var state = try self.makeState()
        let hold = try self.hold([self.p0], &state)
        let limit = Duration.seconds(10)
        _ = state.processed([(self.p0, 6)], of: hold, now: self.now + .seconds(9))
        #expect(state.tick(now: self.now + .seconds(18), maxPollInterval: limit).isNothing)
        #expect(state.tick(now: self.now + .seconds(20), maxPollInterval: limit).isLeaving)
    }
}

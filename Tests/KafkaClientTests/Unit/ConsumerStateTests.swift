import Testing

@testable import KafkaClient

/// The decisions of a consumer, without a consumer.
@Suite struct ConsumerStateTests {
    typealias State = ConsumerState<FakeBatch>

    let p0 = KafkaTopicPartition(topic: "t", partition: 0)
    let p1 = KafkaTopicPartition(topic: "t", partition: 1)
    let now = ContinuousClock.now

    /// A subscribed state with both partitions and a reader.
    func makeState() throws -> State {
        var state = State()
        try state.subscribe(to: .topics(["t"]), operation: "subscribe")
        state.assigned([self.p0, self.p1])
        _ = state.readerCame()
        return state
    }

    /// A state whose reader got `batch` in `mode`.
    func makeState(handingOut batch: FakeBatch, _ mode: State.ReaderMode) throws -> State {
        var state = try self.makeState()
        _ = state.readerAsks(mode, readerID: 0, isCancelled: false, now: self.now)
        let found = state.readerFound(batch, mode: mode, readerID: 0, now: self.now)
        try #require(found === batch)
        return state
    }

    // MARK: What is processed

    @Test func asksForRecordsWhenThereIsNothing() throws {
        var state = try self.makeState()
        let step = state.readerAsks(.records, readerID: 0, isCancelled: false, now: self.now)
        #expect(step.store.isEmpty)
        #expect(step.drained == nil)
        #expect(step.action.isPoll)
    }

    @Test func aBatchIsProcessedWhenTheNextIsAskedFor() throws {
        let batch = FakeBatch(self.p0, 5..<8)
        var state = try self.makeState(handingOut: batch, .batches)
        #expect(state.takeProcessed().isEmpty, "what is in hand is not processed")
        let step = state.readerAsks(.batches, readerID: 0, isCancelled: false, now: self.now)
        #expect(step.store.offsets == [self.p0: 8])
        #expect(step.action.isPoll)
        #expect(state.takeProcessed().isEmpty, "stored once")
    }

    @Test func aRecordIsProcessedWhenTheNextIsAskedFor() throws {
        let batch = FakeBatch(self.p0, 5..<8)
        var state = try self.makeState(handingOut: batch, .records)
        _ = batch.take()
        #expect(state.takeProcessed().isEmpty, "the record in hand is not processed")
        _ = batch.take()
        #expect(state.takeProcessed().offsets == [self.p0: 6])
        #expect(state.takeProcessed().isEmpty, "stored once")
        _ = batch.take()
        #expect(batch.take() == nil)
        let step = state.readerAsks(.records, readerID: 0, isCancelled: false, now: self.now)
        #expect(step.store.offsets == [self.p0: 8])
    }

    @Test func positionsAreThoseOfEachPartition() throws {
        let batch = FakeBatch([(self.p0, 5), (self.p1, 70), (self.p0, 6), (self.p1, 71)])
        var state = try self.makeState(handingOut: batch, .records)
        for _ in 0..<4 { _ = batch.take() }
        #expect(state.takeProcessed().offsets == [self.p0: 7, self.p1: 71])
        let step = state.readerAsks(.records, readerID: 0, isCancelled: false, now: self.now)
        #expect(step.store.offsets[self.p1] == 72)
    }

    @Test func aCancelledReaderThatAsksHasProcessedWhatItHad() throws {
        let batch = FakeBatch(self.p0, 5..<8)
        var state = try self.makeState(handingOut: batch, .records)
        _ = batch.take()
        let step = state.readerAsks(.records, readerID: 0, isCancelled: true, now: self.now)
        #expect(step.store.offsets == [self.p0: 6])
        #expect(step.action.isEnd)
        // The consumer goes on where the cancelled reader left.
        #expect(state.readerAsks(.records, readerID: 0, isCancelled: false, now: self.now).action.batch === batch)
    }

    // MARK: Breaking and going on

    @Test func anotherLoopGoesOnWithTheNextRecord() throws {
        let batch = FakeBatch(self.p0, 5..<8)
        var state = try self.makeState(handingOut: batch, .records)
        _ = batch.take()
        #expect(state.readerLeft(0).store.isEmpty)
        let second = state.readerCame()
        let step = state.readerAsks(.records, readerID: second, isCancelled: false, now: self.now)
        #expect(step.store.offsets == [self.p0: 6])
        #expect(step.action.batch === batch)
        #expect(batch.take()?.offset == 6)
    }

    @Test func batchesGoOnInTheMiddleOfABatchOfRecords() throws {
        let batch = FakeBatch(self.p0, 5..<9)
        var state = try self.makeState(handingOut: batch, .records)
        _ = batch.take()
        _ = batch.take()
        _ = state.readerLeft(0)
        let second = state.readerCame()
        let step = state.readerAsks(.batches, readerID: second, isCancelled: false, now: self.now)
        #expect(step.store.offsets == [self.p0: 7])
        let rest = try #require(step.action.batch)
        #expect(rest.records.map(\.offset) == [7, 8])
        #expect(
            state.readerAsks(.batches, readerID: second, isCancelled: false, now: self.now).store.offsets == [
                self.p0: 9
            ]
        )
    }

    @Test func recordsAfterABatchDoNotRepeatIt() throws {
        let batch = FakeBatch(self.p0, 5..<9)
        var state = try self.makeState(handingOut: batch, .batches)
        let step = state.readerAsks(.records, readerID: 0, isCancelled: false, now: self.now)
        #expect(step.store.offsets == [self.p0: 9])
        #expect(step.action.isPoll)
    }

    @Test func aSecondReaderIsRefusedWhileTheFirstWaits() throws {
        var state = try self.makeState()
        _ = state.readerAsks(.records, readerID: 0, isCancelled: false, now: self.now)
        let second = state.readerCame()
        let error = try #require(
            state.readerAsks(.records, readerID: second, isCancelled: false, now: self.now).action.error
        )
        #expect(error.code == .invalidState)
    }

    @Test func aSecondReaderIsRefusedWhileTheFirstProcesses() throws {
        let batch = FakeBatch(self.p0, 5..<9)
        var state = try self.makeState(handingOut: batch, .records)
        _ = batch.take()
        let second = state.readerCame()
        let step = state.readerAsks(.batches, readerID: second, isCancelled: false, now: self.now)
        #expect(step.action.error?.code == .invalidState)
        #expect(step.store.isEmpty, "the first has not finished")
        _ = state.readerLeft(second)
        #expect(batch.take()?.offset == 6, "the first gets on")
        _ = state.readerLeft(0)
        let third = state.readerCame()
        let rest = state.readerAsks(.batches, readerID: third, isCancelled: false, now: self.now)
        #expect(rest.action.batch?.records.map(\.offset) == [7, 8])
    }

    // MARK: Revocation

    @Test func aShareIsKnownFromWhenItIsGivenUntilSomethingOfItIsTaken() throws {
        var state = State()
        try state.subscribe(to: .topics(["t"]), operation: "subscribe")
        #expect(!state.hasAssignment)
        state.assigned([])
        #expect(state.hasAssignment, "an empty share is one")
        state.assigned([self.p0, self.p1])
        _ = state.beginRevoking(.init(id: 0, partitions: [self.p0]))
        state.giveUp([self.p0])
        #expect(!state.hasAssignment, "the group shares out anew")
        state.assigned([])
        #expect(state.hasAssignment)
        #expect(state.assignment == [self.p1])
        state.finishClose()
        #expect(!state.hasAssignment)
    }

    @Test func recordsFoundOfAPartitionThatIsGoneAreDropped() throws {
        var state = try self.makeState()
        _ = state.readerAsks(.batches, readerID: 0, isCancelled: false, now: self.now)
        _ = state.beginRevoking(.init(id: 0, partitions: [self.p0]))
        #expect(state.readerFound(FakeBatch(self.p0, 5..<8), mode: .batches, readerID: 0, now: self.now) == nil)
        let mixed = FakeBatch([(self.p0, 5), (self.p1, 70)])
        #expect(state.readerFound(mixed, mode: .batches, readerID: 0, now: self.now)?.records.map(\.offset) == [70])
    }

    @Test func whatWasInHandBeforeAPartitionCameBackIsNotStored() throws {
        let batch = FakeBatch(self.p0, 5..<8)
        var state = try self.makeState(handingOut: batch, .records)
        _ = batch.take()
        _ = state.beginRevoking(.init(id: 0, partitions: [self.p0]))
        state.giveUp([self.p0])
        // Others have read on meanwhile, and committed.
        state.assigned([self.p0])
        let step = state.readerAsks(.records, readerID: 0, isCancelled: false, now: self.now)
        #expect(step.store.isEmpty, "it would take the group back")
        #expect(step.action.isPoll, "the partition is read anew from its committed offset")
    }

    @Test func recordsLeftOverBeforeAPartitionCameBackAreNotDelivered() throws {
        let batch = FakeBatch(self.p0, 5..<8)
        var state = try self.makeState(handingOut: batch, .records)
        _ = batch.take()
        _ = state.readerLeft(0)
        state.giveUp([self.p0, self.p1])
        state.assigned([self.p0, self.p1])
        let second = state.readerCame()
        let step = state.readerAsks(.records, readerID: second, isCancelled: false, now: self.now)
        #expect(step.store.isEmpty)
        #expect(step.action.isPoll, "the partition is read anew from its committed offset")
    }

    // MARK: Time

    @Test func aSlowReaderLeavesTheGroupOnce() throws {
        let batch = FakeBatch(self.p0, 5..<8)
        var state = try self.makeState(handingOut: batch, .records)
        _ = batch.take()
        let limit = Duration.seconds(10)
        #expect(state.tick(now: self.now + .seconds(1), maxPollInterval: limit).isNothing, "progress is seen")
        #expect(state.tick(now: self.now + .seconds(10), maxPollInterval: limit).isNothing)
        #expect(state.tick(now: self.now + .seconds(12), maxPollInterval: limit).isLeaving)
        #expect(state.tick(now: self.now + .seconds(30), maxPollInterval: limit).isNothing, "once is enough")
        state.giveUp([self.p0, self.p1])

        let error = try #require(
            state.readerAsks(.records, readerID: 0, isCancelled: false, now: self.now).action.error
        )
        #expect(error.code == .maxPollIntervalExceeded)
        let step = state.readerAsks(.records, readerID: 0, isCancelled: false, now: self.now)
        #expect(step.store.isEmpty)
        guard case .poll(let rejoin) = step.action else {
            Issue.record("the reader gets on")
            return
        }
        #expect(rejoin == ["t"])
    }

    @Test func progressStartsTheLimitAnew() throws {
        let batch = FakeBatch(self.p0, 0..<8)
        var state = try self.makeState(handingOut: batch, .records)
        for second in 1...6 {
            _ = batch.take()
            let action = state.tick(now: self.now + .seconds(second * 8), maxPollInterval: .seconds(10))
            #expect(!action.isLeaving)
        }
    }

    @Test func anIdleReaderHasNoLimit() throws {
        var state = try self.makeState()
        _ = state.readerAsks(.records, readerID: 0, isCancelled: false, now: self.now)
        #expect(state.tick(now: self.now + .seconds(1000), maxPollInterval: .seconds(10)).isNothing)
    }

    @Test func aLoopThatWasLeftHasNoLimit() throws {
        let batch = FakeBatch(self.p0, 5..<8)
        var state = try self.makeState(handingOut: batch, .records)
        _ = batch.take()
        _ = state.readerLeft(0)
        #expect(state.tick(now: self.now + .seconds(1000), maxPollInterval: .seconds(10)).isNothing)
    }

    @Test func assignedPartitionsHaveNoLimit() throws {
        var state = State()
        try state.subscribe(to: .partitions, operation: "assign")
        state.assigned([self.p0])
        let reader = state.readerCame()
        _ = state.readerAsks(.batches, readerID: reader, isCancelled: false, now: self.now)
        _ = state.readerFound(FakeBatch(self.p0, 5..<8), mode: .batches, readerID: reader, now: self.now)
        #expect(state.tick(now: self.now + .seconds(1000), maxPollInterval: .seconds(10)).isNothing)
    }

    @Test func aTickStoresWhatIsProcessed() throws {
        let batch = FakeBatch(self.p0, 5..<8)
        var state = try self.makeState(handingOut: batch, .records)
        _ = batch.take()
        _ = batch.take()
        guard case .store(let positions) = state.tick(now: self.now, maxPollInterval: .seconds(10)) else {
            Issue.record("a record is processed")
            return
        }
        #expect(positions.offsets == [self.p0: 6])
        #expect(state.tick(now: self.now, maxPollInterval: .seconds(10)).isNothing, "stored once")
    }

    // MARK: Errors

    @Test func anErrorComesBeforeTheRestOfTheBatchAndLosesNothing() throws {
        let batch = FakeBatch(self.p0, 5..<8)
        var state = try self.makeState(handingOut: batch, .records)
        _ = batch.take()
        state.fail(KafkaError(.topicAuthorization, operation: "read", message: "no"))
        let failed = state.readerAsks(.records, readerID: 0, isCancelled: false, now: self.now)
        #expect(failed.action.error?.code == .topicAuthorization)
        #expect(state.readerAsks(.records, readerID: 0, isCancelled: false, now: self.now).action.batch === batch)
    }

    @Test func anErrorReachesAWaitingReader() throws {
        var state = try self.makeState()
        _ = state.readerAsks(.records, readerID: 0, isCancelled: false, now: self.now)
        #expect(state.readerLooks(isCancelled: false) == nil, "nothing happened")
        state.fail(KafkaError(.topicAuthorization, operation: "read", message: "no"))
        #expect(state.readerLooks(isCancelled: false)?.error?.code == .topicAuthorization)
        #expect(
            state.readerAsks(.records, readerID: 0, isCancelled: false, now: self.now).action.isPoll,
            "it may read on"
        )
    }

    // MARK: Subscription

    @Test func topicsAndPartitionsDoNotMix() throws {
        var state = State()
        try state.subscribe(to: .topics(["t"]), operation: "subscribe")
        try state.subscribe(to: .topics(["u"]), operation: "subscribe")
        #expect(state.subscription == .topics(["u"]))
        #expect(throws: KafkaError.self) { try state.subscribe(to: .partitions, operation: "assign") }

        var assigned = State()
        try assigned.subscribe(to: .partitions, operation: "assign")
        try assigned.subscribe(to: .partitions, operation: "assign")
        #expect(throws: KafkaError.self) { try assigned.subscribe(to: .topics(["t"]), operation: "subscribe") }
    }

    @Test func onlyOwnedPartitionsMayBeCommittedByAMember() throws {
        let state = try self.makeState()
        let foreign = KafkaTopicPartition(topic: "t", partition: 2)
        #expect(state.partitionNotOwned(of: [self.p0, self.p1]) == nil)
        #expect(state.partitionNotOwned(of: [self.p0, foreign]) == foreign)
        #expect(State().partitionNotOwned(of: [foreign]) == nil, "a consumer that is no member commits from outside")
    }

    // MARK: Closing

    @Test func closingWaitsForNobodyWhenNothingIsInHand() throws {
        var state = try self.makeState()
        _ = state.readerAsks(.records, readerID: 0, isCancelled: false, now: self.now)
        #expect(state.beginClose().waitsForReader == false)
        #expect(state.readerLooks(isCancelled: false)?.isEnd == true)
        guard case .none = state.beginClose() else {
            Issue.record("it is closing already")
            return
        }
    }

    @Test func closingWaitsForTheRecordInHand() throws {
        let batch = FakeBatch(self.p0, 5..<8)
        var state = try self.makeState(handingOut: batch, .records)
        _ = batch.take()
        #expect(state.beginClose().waitsForReader == true)
        #expect(!state.isReaderDone)
        #expect(batch.take() == nil)
        let step = state.readerAsks(.records, readerID: 0, isCancelled: false, now: self.now)
        #expect(step.store.offsets == [self.p0: 6])
        #expect(step.action.isEnd)
        #expect(state.isReaderDone, "though its sequence is still held")
        #expect(state.finishReading().isEmpty)
    }

    @Test func closingDoesNotCommitWhatTheReaderHoldsOnTo() throws {
        let batch = FakeBatch(self.p0, 5..<8)
        var state = try self.makeState(handingOut: batch, .records)
        _ = batch.take()
        _ = batch.take()
        _ = state.beginClose()
        #expect(state.finishReading().offsets == [self.p0: 6])
        state.finishClose()
        let step = state.readerAsks(.records, readerID: 0, isCancelled: false, now: self.now)
        #expect(step.store.isEmpty)
        #expect(step.action.isEnd)
    }

    @Test func aClosedStateTakesNoSubscription() throws {
        var state = State()
        _ = state.beginClose()
        let error = #expect(throws: KafkaError.self) {
            try state.subscribe(to: .topics(["t"]), operation: "subscribe")
        }
        #expect(error?.code == .closed)
    }

    @Test func recordsFoundWhileClosingAreNotHandedOut() throws {
        var state = try self.makeState()
        _ = state.readerAsks(.records, readerID: 0, isCancelled: false, now: self.now)
        #expect(state.beginClose().waitsForReader == false)
        #expect(state.readerFound(FakeBatch(self.p0, 5..<8), mode: .records, readerID: 0, now: self.now) == nil)
        #expect(state.readerLooks(isCancelled: false)?.isEnd == true)
    }
}

extension ConsumerState.ReaderAction {
    var isEnd: Bool {
        if case .end = self { true } else { false }
    }

    var isPoll: Bool {
        if case .poll = self { true } else { false }
    }

    var batch: Batch? {
        if case .deliver(let batch) = self { batch } else { nil }
    }

    var error: KafkaError? {
        if case .fail(let error) = self { error } else { nil }
    }
}

extension ConsumerState.TickAction {
    var isNothing: Bool {
        if case .none = self { true } else { false }
    }

    var isLeaving: Bool {
        if case .leaveGroup = self { true } else { false }
    }
}

extension ConsumerState.CloseAction {
    var waitsForReader: Bool? {
        if case .begin(let waits) = self { waits } else { nil }
    }
}

extension [(partition: KafkaTopicPartition, offset: Int64)] {
    var offsets: [KafkaTopicPartition: Int64] {
        Dictionary(self.map { ($0.partition, $0.offset) }) { _, new in new }
    }
}

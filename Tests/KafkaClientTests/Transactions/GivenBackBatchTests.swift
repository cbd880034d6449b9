import Testing

@testable import KafkaClient

/// What becomes of a batch that its reader could not process, without a consumer.
@Suite struct GivenBackBatchTests {
    typealias State = ConsumerState<FakeBatch>

    let p0 = KafkaTopicPartition(topic: "t", partition: 0)
    let p1 = KafkaTopicPartition(topic: "t", partition: 1)
    let now = ContinuousClock.now

    /// A state whose reader has given back a batch of both partitions and gone.
    private func makeState() throws -> State {
        var state = State()
        try state.subscribe(to: .topics(["t"]), operation: "subscribe")
        state.assigned([self.p0, self.p1])
        let reader = state.readerCame()
        _ = state.readerAsks(.batches, readerID: reader, isCancelled: false, now: self.now)
        let batch = FakeBatch([(self.p0, 5), (self.p1, 70), (self.p0, 6)])
        try #require(state.readerFound(batch, mode: .batches, readerID: reader, now: self.now) === batch)
        state.readerGivesBack(reader)
        #expect(state.readerLeft(reader).store.isEmpty)
        return state
    }

    @Test(arguments: [State.ReaderMode.batches, .records])
    func theNextReaderGetsIt(mode: State.ReaderMode) throws {
        var state = try self.makeState()
        #expect(state.takeProcessed().isEmpty)
        let step = state.readerAsks(mode, readerID: state.readerCame(), isCancelled: false, now: self.now)
        #expect(step.store.isEmpty)
        guard case .deliver(let batch) = step.action else {
            Issue.record("nothing was delivered")
            return
        }
        #expect(batch.records.map(\.offset) == [5, 70, 6])
        #expect(batch.takenCount == 0)
    }

    @Test func processedBySomebodyElseItCounts() throws {
        var state = try self.makeState()
        let reader = state.readerCame()
        _ = state.readerAsks(.batches, readerID: reader, isCancelled: false, now: self.now)
        let step = state.readerAsks(.batches, readerID: reader, isCancelled: false, now: self.now)
        #expect(step.store.contains { $0.partition == self.p0 && $0.offset == 7 })
        #expect(step.store.contains { $0.partition == self.p1 && $0.offset == 71 })
    }

    @Test func withoutPartitionsThatWereGivenUp() throws {
        var state = try self.makeState()
        let isDrained = state.beginRevoking(.init(id: 0, partitions: [self.p0]))
        #expect(isDrained, "nobody processes anything")
        state.giveUp([self.p0])
        state.assigned([self.p0])
        let step = state.readerAsks(.batches, readerID: state.readerCame(), isCancelled: false, now: self.now)
        guard case .deliver(let batch) = step.action else {
            Issue.record("nothing was delivered")
            return
        }
        #expect(
            batch.records.map(\.offset) == [70],
            "the other partition came back, and is read from where it was committed"
        )
    }

    @Test func closingDoesNotCommitIt() throws {
        var state = try self.makeState()
        guard case .begin(waitForReader: false) = state.beginClose() else {
            Issue.record("nobody processes anything")
            return
        }
        #expect(state.finishReading().isEmpty)
    }

    @Test func anotherReaderCantGiveItBack() throws {
        var state = State()
        state.assigned([self.p0])
        let reader = state.readerCame()
        _ = state.readerAsks(.batches, readerID: reader, isCancelled: false, now: self.now)
        _ = state.readerFound(FakeBatch(self.p0, 5..<8), mode: .batches, readerID: reader, now: self.now)
        state.readerGivesBack(reader + 1)
        let step = state.readerAsks(.batches, readerID: reader, isCancelled: false, now: self.now)
        #expect(step.store.map(\.offset) == [8])
    }
}

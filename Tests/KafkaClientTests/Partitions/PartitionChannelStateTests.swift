import Testing

@testable import KafkaClient

/// The decisions about the stream of one partition, without a consumer.
@Suite struct PartitionChannelStateTests {
    typealias State = PartitionChannelState<FakeBatch>

    let partition = KafkaTopicPartition(topic: "t", partition: 0)

    /// A stream whose reader got `batch`.
    private func makeState(handingOut batch: FakeBatch, _ mode: State.Mode) throws -> Stream {
        let stream = Stream()
        #expect(stream.state.readerCame() == 0)
        #expect(try stream.asks(0) == nil)
        #expect(stream.look(mode).isDrain)
        #expect(stream.found(batch, mode))
        return stream
    }

    @Test func aBatchIsProcessedWhenTheNextIsAskedFor() throws {
        let stream = try self.makeState(handingOut: FakeBatch(self.partition, 5..<8), .batches)
        #expect(stream.state.takeProcessed() == nil)
        #expect(try stream.asks(0) == 8)
        #expect(stream.look(.batches).isDrain)
        #expect(stream.state.takeProcessed() == nil, "stored once")
    }

    @Test func aRecordIsProcessedWhenTheNextIsAskedFor() throws {
        let batch = FakeBatch(self.partition, 5..<8)
        let stream = try self.makeState(handingOut: batch, .records)
        _ = batch.take()
        #expect(stream.state.takeProcessed() == nil)
        _ = batch.take()
        #expect(stream.state.takeProcessed() == 6)
        #expect(stream.state.takeProcessed() == nil, "stored once")
        #expect(try stream.asks(0) == 7)
    }

    @Test func anotherLoopGoesOnWithTheNextRecord() throws {
        let batch = FakeBatch(self.partition, 5..<8)
        let stream = try self.makeState(handingOut: batch, .records)
        _ = batch.take()
        _ = batch.take()
        #expect(stream.state.readerLeft(0) == 6, "the record in hand is not processed")
        let second = stream.state.readerCame()
        #expect(try stream.asks(second) == 7)
        #expect(stream.look(reader: second).batch === batch)
        _ = batch.take()
        #expect(try stream.asks(second) == 8)
    }

    @Test func batchesGoOnInTheMiddleOfABatchOfRecords() throws {
        let batch = FakeBatch(self.partition, 5..<9)
        let stream = try self.makeState(handingOut: batch, .records)
        _ = batch.take()
        _ = stream.state.readerLeft(0)
        let second = stream.state.readerCame()
        #expect(try stream.asks(second) == 6)
        #expect(stream.look(.batches, reader: second).batch?.records.map(\.offset) == [6, 7, 8])
        #expect(try stream.asks(second) == 9)
        #expect(stream.look(.batches, reader: second).isDrain)
    }

    @Test func anotherReaderIsRefusedWhileOneProcesses() throws {
        let batch = FakeBatch(self.partition, 5..<8)
        let stream = try self.makeState(handingOut: batch, .records)
        let second = stream.state.readerCame()
        let error = #expect(throws: KafkaError.self) { try stream.asks(second) }
        #expect(error?.code == .invalidState)
        #expect(error?.description.contains("t[0]") == true)
        // So it is while one waits.
        _ = try stream.asks(0)
        #expect(throws: KafkaError.self) { try stream.asks(second) }
    }

    @Test func whatWasFetchedBeforeComesFirst() throws {
        let early = [FakeBatch(self.partition, 0..<2), FakeBatch(self.partition, 2..<4)]
        let stream = Stream(fetched: early)
        _ = stream.state.readerCame()
        for batch in early {
            _ = try stream.asks(0)
            #expect(stream.look(.batches).batch === batch)
        }
        #expect(try stream.asks(0) == 4)
        #expect(stream.look(.batches).isDrain)
    }

    @Test func nothingIsHandedOutOncePaused() throws {
        let batch = FakeBatch(self.partition, 5..<8)
        let stream = try self.makeState(handingOut: batch, .records)
        _ = batch.take()
        stream.state.setPaused(true)
        #expect(batch.take() == nil)
        #expect(try stream.asks(0) == 6, "the record in hand was finished")
        #expect(stream.look().isWait)
        // What is found meanwhile is kept.
        #expect(!stream.found(FakeBatch(self.partition, 8..<9)))
        stream.state.setPaused(false)
        #expect(stream.look().batch?.records.map(\.offset) == [6, 7])
        _ = try stream.asks(0)
    }

    @Test func anEndInterruptsAndKeepsWhatIsProcessed() throws {
        let batch = FakeBatch(self.partition, 5..<8)
        let stream = try self.makeState(handingOut: batch, .records)
        _ = batch.take()
        _ = batch.take()
        stream.state.end()
        #expect(batch.take() == nil)
        #expect(stream.state.takeProcessed() == 6)
        #expect(try stream.asks(0) == 7)
        #expect(stream.look().isEnd)
        #expect(!stream.found(FakeBatch(self.partition, 8..<9)))
        // Asking again is no error.
        #expect(try stream.asks(0) == nil)
        #expect(stream.look().isEnd)
    }

    @Test func aCancelledReaderLosesNothing() throws {
        let stream = try self.makeState(handingOut: FakeBatch(self.partition, 5..<6), .batches)
        #expect(try stream.asks(0) == 6)
        #expect(stream.state.readerLooks(.batches, readerID: 0, isCancelled: true).isEnd)
        let second = stream.state.readerCame()
        #expect(try stream.asks(second) == nil)
        #expect(stream.look(.batches, reader: second).isDrain)
    }

    @Test func aProcessorGetsWhatItFindsUnlessPausedOrOver() {
        let early = FakeBatch(self.partition, 0..<2)
        let stream = Stream(fetched: [early])
        #expect(stream.state.processorLooks(isCancelled: true).isEnd)
        #expect(stream.state.processorLooks(isCancelled: false).batch === early)
        #expect(stream.state.processorLooks(isCancelled: false).isDrain)
        let late = FakeBatch(self.partition, 2..<4)
        stream.state.setPaused(true)
        #expect(!stream.processorFound(late))
        #expect(stream.state.processorLooks(isCancelled: false).isWait)
        stream.state.setPaused(false)
        #expect(stream.state.processorLooks(isCancelled: false).batch === late)
        stream.state.end()
        #expect(!stream.processorFound(late))
        #expect(stream.state.processorLooks(isCancelled: false).isEnd)
    }
}

/// A state by reference, so that what changes it can be expected.
private final class Stream {
    var state: PartitionChannelState<FakeBatch>
    private let partition = KafkaTopicPartition(topic: "t", partition: 0)

    init(fetched: [FakeBatch] = []) {
        self.state = PartitionChannelState(fetched: fetched)
    }

    func asks(_ readerID: Int) throws(KafkaError) -> Int64? {
        try self.state.readerAsks(self.partition, readerID: readerID)
    }

    func found(_ batch: FakeBatch, _ mode: PartitionChannelState<FakeBatch>.Mode = .records) -> Bool {
        self.state.readerFound(batch, mode: mode, readerID: 0)
    }

    func processorFound(_ batch: FakeBatch) -> Bool {
        self.state.processorFound(batch)
    }

    func look(
        _ mode: PartitionChannelState<FakeBatch>.Mode = .records,
        reader: Int = 0
    ) -> PartitionChannelState<FakeBatch>.Look {
        self.state.readerLooks(mode, readerID: reader, isCancelled: false)
    }
}

extension PartitionChannelState.Look {
    var isEnd: Bool { if case .end = self { true } else { false } }
    var isDrain: Bool { if case .drain = self { true } else { false } }
    var isWait: Bool { if case .wait = self { true } else { false } }
    var batch: Batch? { if case .deliver(let batch) = self { batch } else { nil } }
}

import Testing

@testable import KafkaClient

/// What is begun when, and what may be committed.
@Suite struct ProcessingStateTests {
    typealias State = ProcessingState<[FakeRecord]>

    private func records(_ offsets: Range<Int64>, key: (Int64) -> Int? = { _ in nil }) -> [FakeRecord] {
        offsets.map { FakeRecord(offset: $0, keyHash: key($0)) }
    }

    private func begin(_ state: inout State, _ count: Int = .max) -> [State.Work] {
        var works: [State.Work] = []
        while works.count < count, let work = state.next() { works.append(work) }
        return works
    }

    @Test func differentKeysBeginTogetherAndEqualOnesWait() {
        var state = State(ordering: .key, window: 100)
        let slot = state.add()
        _ = state.feed(self.records(0..<6) { Int($0 % 2) }, slot: slot)
        let first = self.begin(&state)
        #expect(first.map(\.record.offset) == [0, 1])
        _ = state.complete(first[1])
        #expect(self.begin(&state).map(\.record.offset) == [3])
        #expect(state.position(slot) == nil)
        _ = state.complete(first[0])
        #expect(state.position(slot) == 2)
    }

    @Test func recordsWithoutKeyHaveNoOrder() {
        var state = State(ordering: .key, window: 100)
        let slot = state.add()
        _ = state.feed(self.records(0..<3), slot: slot)
        #expect(self.begin(&state).count == 3)
    }

    @Test func orderByPartitionIgnoresKeys() {
        var state = State(ordering: .partition, window: 100)
        let slots = [state.add(), state.add()]
        for slot in slots {
            _ = state.feed(self.records(0..<3) { Int($0) }, slot: slot)
        }
        let works = self.begin(&state)
        #expect(works.map(\.record.offset) == [0, 0])
        _ = state.complete(works[0])
        #expect(self.begin(&state).map { [$0.slot, Int($0.record.offset)] } == [[works[0].slot, 1]])
    }

    @Test func unorderedRecordsDoNotWait() {
        var state = State(ordering: .unordered, window: 100)
        let slot = state.add()
        _ = state.feed(self.records(0..<3) { _ in 1 }, slot: slot)
        #expect(self.begin(&state).count == 3)
    }

    @Test func partitionsTakeTurns() {
        var state = State(ordering: .unordered, window: 100)
        let slots = [state.add(), state.add()]
        for slot in slots { _ = state.feed(self.records(0..<3), slot: slot) }
        #expect(self.begin(&state).map(\.slot) == [slots[0], slots[1], slots[0], slots[1], slots[0], slots[1]])
    }

    @Test func aFullWindowStopsItsPartitionOnly() {
        var state = State(ordering: .key, window: 4)
        let slow = state.add()
        let other = state.add()
        #expect(state.feed(self.records(0..<10) { $0 == 0 ? 0 : Int($0) }, slot: slow) == false)
        let works = self.begin(&state)
        #expect(works.map(\.record.offset) == [0, 1, 2, 3])
        // All but the slow one are done, ahead of it: still nothing more begins.
        for work in works.dropFirst() { #expect(state.complete(work).wantsMore == false) }
        #expect(state.next() == nil)
        #expect(!state.wantsMore(slow))
        #expect(state.wantsMore(other))
        _ = state.feed(self.records(0..<2), slot: other)
        #expect(self.begin(&state).map(\.slot) == [other, other])

        _ = state.complete(works[0])
        #expect(state.position(slow) == 4)
        #expect(self.begin(&state).map(\.record.offset) == [4, 5, 6, 7])
    }

    @Test func moreIsWantedOnceABatchIsUsedUp() {
        var state = State(ordering: .key, window: 3)
        let slot = state.add()
        #expect(state.feed(self.records(0..<2), slot: slot) == true)
        #expect(state.feed(self.records(2..<4), slot: slot) == false)
        let works = self.begin(&state)
        #expect(works.count == 3)
        #expect(state.complete(works[1]) == .init(wantsMore: false))
        // The window reaches from 2 to 3: one more fits.
        #expect(state.complete(works[0]) == .init(wantsMore: true))
        #expect(state.complete(works[2]) == .init(wantsMore: true))
        let last = self.begin(&state)
        #expect(last.map(\.record.offset) == [3])
        #expect(state.complete(last[0]) == .init(wantsMore: true, isIdle: true))
    }

    @Test func aStoppedPartitionFinishesWhatIsBegun() {
        var state = State(ordering: .key, window: 100)
        let slot = state.add()
        _ = state.feed(self.records(0..<10) { Int($0 % 3) }, slot: slot)
        let works = self.begin(&state, 2)
        #expect(state.stop(slot) == false)
        #expect(state.next() == nil)
        #expect(state.complete(works[1]) == .init(isStopped: true))
        #expect(state.next() == nil, "the next of the key is not begun")
        #expect(state.complete(works[0]) == .init(isStopped: true, isDrained: true))
        #expect(state.position(slot) == 2)
        state.remove(slot)
        #expect(state.add() == slot)
        #expect(state.position(slot) == nil, "another partition in the same place knows nothing of the first")
        #expect(state.next() == nil)
    }

    @Test func aPartitionWithNothingBegunIsDrainedAtOnce() {
        var state = State(ordering: .key, window: 100)
        let slot = state.add()
        _ = state.feed(self.records(0..<10), slot: slot)
        #expect(state.stop(slot) == true)
        state.remove(slot)
        #expect(state.next() == nil)
    }

    @Test func aPausedPartitionBeginsNothing() {
        var state = State(ordering: .unordered, window: 100)
        let slots = [state.add(), state.add()]
        for slot in slots { _ = state.feed(self.records(0..<2), slot: slot) }
        state.setPaused(slots[0], true)
        #expect(self.begin(&state).map(\.slot) == [slots[1], slots[1]])
        state.setPaused(slots[0], false)
        #expect(self.begin(&state).map(\.slot) == [slots[0], slots[0]])
    }

    @Test func aFailedRecordHoldsTheFrontierAndIsBegunAgain() {
        var state = State(ordering: .key, window: 5)
        let slot = state.add()
        _ = state.feed(self.records(0..<8) { Int($0 % 2) }, slot: slot)
        let works = self.begin(&state)
        _ = state.complete(works[0])
        let third = self.begin(&state)
        #expect(third.map(\.record.offset) == [2])
        state.stopAll()
        _ = state.fail(works[1])
        _ = state.complete(third[0])
        #expect(state.next() == nil)
        #expect(state.position(slot) == 1)

        state.restart(ordering: .partition, window: 5)
        var offsets: [Int64] = []
        while let work = state.next() {
            offsets.append(work.record.offset)
            _ = state.complete(work)
        }
        #expect(offsets == [1, 3, 4, 5, 6, 7], "2 was done ahead, and is not done again")
        #expect(state.position(slot) == 8)
    }

    /// Random latencies, keys, batches, windows, failures and restarts.
    @Test(arguments: UInt64(0)..<40) func nothingIsLostDoubledOrOutOfOrder(seed: UInt64) {
        var generator = SeededGenerator(seed: seed)
        let window = Int.random(in: 1...40, using: &generator)
        let concurrency = Int.random(in: 1...8, using: &generator)
        let keys = Int.random(in: 1...10, using: &generator)
        let count: Int64 = 300
        var state = State(ordering: .key, window: window)
        let slot = state.add()
        var fed: Int64 = 0
        var running: [State.Work] = []
        var done: [Int64] = []
        var lastOfKey: [Int: Int64] = [:]

        while done.count < count {
            if state.isStopping {
                if running.isEmpty { state.restart(ordering: .key, window: window) }
            } else if state.wantsMore(slot), fed < count, Bool.random(using: &generator) {
                let end = min(count, fed + Int64.random(in: 1...60, using: &generator))
                let keyOf = (fed..<end).map { _ in Int.random(in: 0..<keys, using: &generator) }
                let first = fed
                _ = state.feed(self.records(fed..<end) { keyOf[Int($0 - first)] }, slot: slot)
                fed = end
            }
            while running.count < concurrency, let work = state.next() {
                #expect(!running.contains { $0.record.keyHash == work.record.keyHash })
                running.append(work)
            }
            let begun = running.map(\.record.offset) + done
            let first = (0..<count).first { !done.contains($0) } ?? count
            #expect((begun.max() ?? 0) - first < Int64(window))
            guard let index = running.indices.randomElement(using: &generator) else { continue }
            let work = running.remove(at: index)
            if Int.random(in: 0..<50, using: &generator) == 0 {
                state.stopAll()
                _ = state.fail(work)
            } else {
                _ = state.complete(work)
                done.append(work.record.offset)
                let key = work.record.keyHash ?? -1
                #expect(lastOfKey[key] ?? -1 < work.record.offset)
                lastOfKey[key] = work.record.offset
            }
            let undone = (0..<fed).first { !done.contains($0) } ?? fed
            #expect(state.position(slot) ?? 0 == undone)
        }
        #expect(done.sorted() == Array(0..<count))
        #expect(state.isIdle(slot))
    }
}

import KafkaClient
import Testing

@testable import EventStreaming

struct DeadLetterLedgerTests {
    private func position(_ offset: Int64) -> DeadLetterPosition {
        DeadLetterPosition(topic: "d", partition: 0, offset: offset)
    }

    private func letter(isOrdered: Bool = true, replaces: Int64? = nil) throws -> DeadLetter {
        let values = [
            "topic": "t", "partition": "0", "offset": "0", "processor": "p", "error": "e", "error-type": "E",
            "attempts": "1", "first-time": "2026-01-01T00:00:00Z", "last-time": "2026-01-01T00:00:00Z", "count": "1",
            "ordered": "\(isOrdered)",
        ]
        var headers = values.map { KafkaHeader(key: "kstream-dead-letter-\($0)", value: $1) }
        if let replaces {
            headers.append(KafkaHeader(key: "kstream-dead-letter-replaces", value: self.position(replaces).description))
        }
        return try #require(DeadLetter(headers: headers))
    }

    private func offsets(_ ledger: DeadLetterLedger) -> [Int64] { ledger.plan().candidates.map(\.offset) }

    @Test func eachLetterIsPlannedOnce() throws {
        var ledger = DeadLetterLedger()
        for offset in Int64(0)..<4 {
            ledger.append(
                try self.letter(isOrdered: false),
                key: [1],
                at: self.position(offset),
                verdict: offset == 2 ? .notMatching : .meant
            )
        }
        ledger.apply(DeadLetterMark(.replayed, self.position(1)))
        ledger.apply(DeadLetterMark(.replayed, self.position(1)))
        ledger.apply(DeadLetterMark(.resolved, self.position(1)))
        ledger.apply(DeadLetterMark(.resolved, self.position(1_000)))
        ledger.appendForeign()
        #expect(self.offsets(ledger) == [0, 3])
        let counts = ledger.plan().counts
        #expect(counts.replayedBefore == 1)
        #expect(counts.notMatching == 1)
        #expect(counts.foreign == 1)
        #expect(ledger.isOutstanding(0))
        #expect(!ledger.isOutstanding(1))
    }

    /// The letter of a copy that failed again stands behind others in the topic, and before them in its lane.
    @Test func lettersOfALaneGoInTheOrderOfTheirMessages() throws {
        var ledger = DeadLetterLedger()
        for offset in Int64(0)..<3 {
            ledger.append(try self.letter(), key: [1], at: self.position(offset), verdict: .meant)
        }
        ledger.append(try self.letter(), key: [2], at: self.position(3), verdict: .meant)
        ledger.apply(DeadLetterMark(.replayed, self.position(0)))
        ledger.append(try self.letter(replaces: 0), key: [1], at: self.position(5), verdict: .meant)
        let candidates = ledger.plan().candidates
        #expect(candidates.map(\.offset) == [3, 5, 1, 2])
        #expect(candidates.map(\.predecessor) == [nil, nil, 5, 1])

        var queue = ReplayQueue(candidates)
        #expect(queue.range == 1..<6)
        #expect([1, 2, 3, 4, 5].filter { queue.take($0) } == [3, 5])
        #expect([1, 2].filter { queue.take($0) } == [1, 2], "the second time")
        #expect(queue.isEmpty)
        #expect(queue.range == nil)
    }

    @Test func whatWaitsForALetterThatIsNotReplayedStays() throws {
        var ledger = DeadLetterLedger()
        ledger.append(try self.letter(), key: [1], at: self.position(0), verdict: .refused)
        ledger.append(try self.letter(), key: [1], at: self.position(1), verdict: .meant)
        ledger.append(try self.letter(), key: [2], at: self.position(2), verdict: .meant)
        #expect(self.offsets(ledger) == [2])
        #expect(ledger.plan().counts.refused == 1)
        #expect(ledger.plan().counts.waiting == 1)
        // Once the first is on its way, the second may follow.
        ledger.apply(DeadLetterMark(.replayed, self.position(0)))
        #expect(self.offsets(ledger) == [1, 2])
    }

    @Test func textOfPositions() {
        let position = DeadLetterPosition(topic: "a.b", partition: 3, offset: 17)
        #expect(position.description == "a.b/3/17")
        #expect(DeadLetterPosition("a.b/3/17") == position)
        for text in [
            "", "a", "a/1", "/1/2", "a/-1/2", "a/1/-2", "a/1/2/3", "a/x/2", "a/1/9223372036854775808", "a/2147483648/1",
        ] {
            #expect(DeadLetterPosition(text) == nil)
        }
    }

    @Test func marksAreReadBack() {
        let mark = DeadLetterMark(.replayed, self.position(4))
        let record = mark.record(key: [1])
        #expect(DeadLetterMark(headers: record.headers) == mark)
        #expect(record.value == nil)
        #expect(record.partition == 0)
        #expect(DeadLetterMark(headers: []) == nil)
        #expect(DeadLetterMark(headers: [KafkaHeader(key: "kstream-dead-letter-mark", value: [0xFF])]) == nil)
    }
}

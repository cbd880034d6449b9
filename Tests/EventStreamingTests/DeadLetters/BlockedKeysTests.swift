import KafkaClient
import Testing

@testable import EventStreaming

struct BlockedKeysTests {
    private let source = KafkaTopicPartition(topic: "orders", partition: 2)
    private let place = KafkaTopicPartition(topic: "orders.dead-letters", partition: 2)
    private let key: [UInt8] = [7]

    private func position(_ offset: Int64) -> DeadLetterPosition {
        DeadLetterPosition(topic: self.place.topic, partition: self.place.partition, offset: offset)
    }

    private func letter(
        _ offset: Int64,
        processor: String = "p",
        replaces: Int64? = nil,
        isOrdered: Bool = true,
        error: String = "e"
    ) throws -> DeadLetter {
        let values = [
            "topic": self.source.topic, "partition": "2", "offset": "\(offset)", "processor": processor, "error": error,
            "error-type": "E", "attempts": "1", "first-time": "2026-01-01T00:00:00Z",
            "last-time": "2026-01-01T00:00:00Z",
            "count": "1", "ordered": "\(isOrdered)",
        ]
        var headers = values.map { KafkaHeader(key: "kstream-dead-letter-\($0)", value: $1) }
        if let replaces {
            headers.append(KafkaHeader(key: "kstream-dead-letter-replaces", value: self.position(replaces).description))
        }
        return try #require(DeadLetter(headers: headers))
    }

    private var empty: BlockedKeys { BlockedKeys(processor: "p", source: self.source, place: self.place) }

    private func decision(_ keys: BlockedKeys, _ offset: Int64, copied: Int64? = nil) -> BlockedKeys.Decision {
        keys.decision(key: self.key, offset: offset, time: nil, copied: copied.map(self.position))
    }

    private func head(_ offset: Int64) -> BlockedKeys.Head {
        BlockedKeys.Head(offset: offset, error: "e", errorType: "E")
    }

    @Test func aKeyIsBlockedFromItsLetterToItsMark() throws {
        var keys = self.empty
        #expect(self.decision(keys, 10) == .handle(settling: nil))
        keys.append(try self.letter(10), key: self.key, offset: 0)
        #expect(self.decision(keys, 11) == .follow(self.head(0), replacing: nil))
        #expect(keys.decision(key: [8], offset: 11, time: nil, copied: nil) == .handle(settling: nil))
        #expect(keys.decision(key: nil, offset: 11, time: nil, copied: nil) == .handle(settling: nil))
        keys.append(try self.letter(11), key: self.key, offset: 1)
        #expect(self.decision(keys, 12, copied: 0) == .handle(settling: 0))
        #expect(self.decision(keys, 13, copied: 1) == .follow(self.head(0), replacing: 1), "not before the first")
        keys.settle(0)
        #expect(self.decision(keys, 13, copied: 1) == .handle(settling: 1))
        #expect(self.decision(keys, 14) == .follow(self.head(1), replacing: nil))
        keys.settle(1)
        #expect(self.decision(keys, 14) == .handle(settling: nil))
        #expect(keys.count == 0)
    }

    @Test func aCopyThatFailsTakesItsPlaceAndOthersGoBehindItAgain() throws {
        var keys = self.empty
        for offset in Int64(0)..<3 { keys.append(try self.letter(10 + offset), key: self.key, offset: offset) }
        keys.append(try self.letter(20, replaces: 0), key: self.key, offset: 3)
        #expect(self.decision(keys, 21, copied: 1) == .follow(self.head(3), replacing: 1))
        keys.append(try self.letter(21, replaces: 1), key: self.key, offset: 4)
        keys.append(try self.letter(22, replaces: 2), key: self.key, offset: 5)
        #expect(keys.count == 3)
        for offset in Int64(3)...5 {
            #expect(self.decision(keys, 30 + offset, copied: offset) == .handle(settling: offset))
            keys.settle(offset)
        }
        #expect(keys.count == 0)
    }

    /// At least once, records come again after a crash.
    @Test func whatComesAgainAfterACrashIsKnown() throws {
        var keys = self.empty
        keys.append(try self.letter(10), key: self.key, offset: 0)
        keys.append(try self.letter(11), key: self.key, offset: 1)
        #expect(self.decision(keys, 10) == .skip, "it is the letter")
        #expect(self.decision(keys, 11) == .skip)
        let later = UTCTime(millisecondsSince1970: 1)
        #expect(
            keys.decision(key: self.key, offset: 10, time: later, copied: nil) == .follow(self.head(0), replacing: nil),
            "another record, of a topic that was made anew"
        )
        keys.settle(0)
        #expect(self.decision(keys, 12, copied: 0) == .skip, "the copy was processed, and others wait")
        keys.append(try self.letter(13, replaces: 1), key: self.key, offset: 2)
        #expect(self.decision(keys, 13, copied: 1) == .skip, "the copy became a letter")
    }

    /// What was sent for it may not have arrived before the crash, though the letter behind it had.
    @Test func aMessageFromBeforeTheLetterIsHandledAgain() throws {
        var keys = self.empty
        keys.append(try self.letter(11), key: self.key, offset: 0)
        keys.append(try self.letter(12), key: self.key, offset: 1)
        #expect(self.decision(keys, 10) == .handle(settling: nil))
        // Also when copies of the letters have failed since.
        keys.append(try self.letter(50, replaces: 0), key: self.key, offset: 2)
        keys.append(try self.letter(51, replaces: 1), key: self.key, offset: 3)
        #expect(self.decision(keys, 10) == .handle(settling: nil))
        for offset in [11, 12, 50, 51] as [Int64] { #expect(self.decision(keys, offset) == .skip) }
        #expect(self.decision(keys, 13) == .follow(self.head(2), replacing: nil))
    }

    @Test func onlyItsOwnLettersCount() throws {
        var keys = self.empty
        keys.append(try self.letter(10, processor: "another"), key: self.key, offset: 0)
        keys.append(try self.letter(10, isOrdered: false), key: self.key, offset: 1)
        keys.append(try self.letter(10), key: nil, offset: 2)
        keys.apply(.foreign, key: self.key, offset: 3)
        keys.apply(.mark(DeadLetterMark(.resolved, self.position(99))), key: self.key, offset: 4)
        var other = try self.letter(10)
        other.partition = 3
        keys.append(other, key: self.key, offset: 5)
        #expect(keys.count == 0)
        // A copy that names a letter that is not known here is handled, and marked.
        #expect(self.decision(keys, 20, copied: 77) == .handle(settling: 77))
        var elsewhere = self.position(77)
        elsewhere.partition = 3
        #expect(keys.decision(key: self.key, offset: 20, time: nil, copied: elsewhere) == .handle(settling: nil))
    }

    @Test func theLogIsFolded() throws {
        var keys = self.empty
        keys.apply(.letter(try self.letter(10)), key: self.key, offset: 0)
        keys.apply(.mark(DeadLetterMark(.replayed, self.position(0))), key: self.key, offset: 1)
        #expect(keys.count == 1, "a copy that was sent is not yet processed")
        keys.apply(.mark(DeadLetterMark(.resolved, self.position(0))), key: self.key, offset: 2)
        #expect(keys.count == 0)
    }

    @Test func recentOffsetsForgetTheOldest() {
        var recent = RecentOffsets(limit: 3)
        for offset in [1, 2, 2, 3, 4, 5] as [Int64] { recent.insert(offset) }
        #expect((1...5).filter { recent.contains($0) } == [3, 4, 5])
    }
}

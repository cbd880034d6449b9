import Testing

@testable import KafkaClient

/// librdkafka's statistics are read as they are, and whatever else comes is refused.
@Suite(.timeLimit(.minutes(1)))
struct StatisticsSnapshotTests {
    @Test func readsWhatMetricsNeed() throws {
        let statistics = try StatisticsSnapshot(StatisticsDocument.bytes)
        #expect(statistics.queuedRecords == 11)
        #expect(statistics.maxQueuedRecords == 100_000)
        #expect(statistics.queuedBytes == 1_234)
        #expect(statistics.maxQueuedBytes == 67_108_864)
        #expect(statistics.brokers.map(\.name) == ["localhost:9092/bootstrap", "127.0.0.1:9092/1", "GroupCoordinator"])
        #expect(statistics.brokers.map(\.id) == [-1, 1, 1])
        #expect(statistics.brokers.map(\.isLogical) == [false, false, true])
        #expect(statistics.brokers.map(\.isUp) == [false, true, true])
        #expect(
            statistics.brokers[1]
                == StatisticsSnapshot.Broker(
                    name: "127.0.0.1:9092/1",
                    id: 1,
                    isLogical: false,
                    isUp: true,
                    requestsWaiting: 1,
                    requestsInFlight: 2,
                    requests: 6,
                    sentBytes: 1_367,
                    errors: 3,
                    retries: 4,
                    timeouts: 5,
                    receivedBytes: 563,
                    connects: 7,
                    disconnects: 8,
                    roundTrip: .init(count: 3, average: 48, median: 65, percentile99: 74),
                    throttle: .init(count: 2, average: 25, median: 20, percentile99: 30)
                )
        )
        let topic = try #require(statistics.topics.first)
        #expect(topic.name == "t")
        #expect(topic.batchBytes.average == 578)
        #expect(topic.batchRecords.average == 50)
        #expect(
            topic.partitions == [
                .init(
                    number: 0,
                    fetchedBytes: 640,
                    committedOffset: 40,
                    highWatermark: 100,
                    lastStableOffset: 90,
                    receivedRecords: 60,
                    receivedBytes: 600
                ),
                .init(number: 2, highWatermark: 7, lastStableOffset: 7, sentRecords: 100, sentBytes: 300),
                .init(number: -1),
            ]
        )
        #expect(statistics.group == .init(rebalances: 3, rebalanceAge: 1_500))
    }

    /// Nothing is read from a document that is cut off.
    @Test func cutAnywhere() {
        for count in 0..<StatisticsDocument.bytes.count {
            #expect(throws: JSONReader.Failure.self) {
                _ = try StatisticsSnapshot(Array(StatisticsDocument.bytes.prefix(count)))
            }
        }
    }

    /// Documents with wrong, missing or additional bytes are read or refused; they never trap, and never nest for ever.
    @Test func spoiltAnywhere() {
        var random = Xorshift(seed: 20_261_125)
        let alphabet = Array(#"{}[]":,\-+.eE0123456789tfnu"#.utf8) + [0x00, 0x0A, 0x20, 0x7F, 0x80, 0xC3, 0xFF]
        var refused = 0
        for _ in 0..<4_000 {
            var bytes = StatisticsDocument.bytes
            for _ in 0...random.next(below: 3) {
                let position = random.next(below: bytes.count)
                switch random.next(below: 4) {
                case 0: bytes[position] = alphabet[random.next(below: alphabet.count)]
                case 1: bytes[position] = UInt8(truncatingIfNeeded: random.next(below: 256))
                case 2: bytes.remove(at: position)
                default: bytes.insert(alphabet[random.next(below: alphabet.count)], at: position)
                }
            }
            do {
                _ = try StatisticsSnapshot(bytes)
            } catch {
                refused += 1
                #expect((0...bytes.count + 1).contains(error.position))
            }
        }
        #expect(refused > 1_000, "most of them are no JSON any more")
        #expect(refused < 4_000, "some of them are")
    }

    @Test func otherKindsOfValuesAreRefused() {
        for value in ["\"1\"", "null", "[1]", "{}", "1.5", "99999999999999999999", "true"] {
            #expect(throws: JSONReader.Failure.self) {
                _ = try StatisticsSnapshot(Array(#"{"msg_cnt":\#(value)}"#.utf8))
            }
        }
        #expect(throws: JSONReader.Failure.self) { _ = try StatisticsSnapshot(Array(#"{"topics":[]}"#.utf8)) }
        #expect(throws: JSONReader.Failure.self) { _ = try StatisticsSnapshot(Array("[]".utf8)) }
        #expect(throws: JSONReader.Failure.self) { _ = try StatisticsSnapshot(Array("{} {}".utf8)) }
    }

    @Test func whatIsMissingIsZero() throws {
        #expect(try StatisticsSnapshot(Array("{}".utf8)) == StatisticsSnapshot())
    }
}

/// Numbers that are the same in every run.
private struct Xorshift {
    private var state: UInt64

    init(seed: UInt64) {
        self.state = seed
    }

    mutating func next(below bound: Int) -> Int {
        self.state ^= self.state << 13
        self.state ^= self.state >> 7
        self.state ^= self.state << 17
        return Int(self.state % UInt64(bound))
    }
}

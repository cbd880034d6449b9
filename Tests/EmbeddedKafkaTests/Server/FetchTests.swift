import NIOCore
import Testing

@testable import EmbeddedKafka

@Suite("Fetches over a socket", .timeLimit(.minutes(1)))
struct FetchTests {
    /// A wait that no test lives to see the end of.
    private static let long: Int32 = 600_000

    /// Runs a test with a topic and two connections.
    private func withTwo(
        nodes: Int = 1,
        _ body: (EmbeddedKafkaCluster, TestClient, TestClient) async throws -> Void
    ) async throws {
        try await withClient(.init(nodes: nodes)) { cluster, first in
            try await cluster.createTopic("t", partitions: 2)
            try await body(cluster, first, try await TestClient.connect(to: cluster))
        }
    }

    private func isWaiting(_ cluster: EmbeddedKafkaCluster) async throws {
        try await eventually { try await cluster.waitingFetches == 1 }
    }

    @Test("A fetch waits until there is something, and a produce wakes it")
    func produceWakes() async throws {
        try await self.withTwo { cluster, reader, writer in
            let number = try await reader.sendFetch(.init(topic: "t", partitions: [0, 1], wait: Self.long))
            try await self.isWaiting(cluster)
            #expect(try await reader.pendingFrames == 0)
            try await writer.produce(batch("a"), to: "t", 1)
            let fetched = try TestClient.fetched(try await reader.answer(.fetch, 11, number))
            #expect(fetched.partitions.map(\.values) == [[], ["a"]])
            #expect(try await cluster.waitingFetches == 0)
        }
    }

    @Test("A fetch that asks for many bytes waits for them")
    func minBytes() async throws {
        try await self.withTwo { cluster, reader, writer in
            let size = Int32(batch("a").readableBytes)
            let number = try await reader.sendFetch(
                .init(topic: "t", partitions: [0, 1], wait: Self.long, minBytes: 3 * size)
            )
            try await self.isWaiting(cluster)
            try await writer.produce(batch("a"), to: "t", 0)
            try await writer.produce(batch("b"), to: "t", 1)
            #expect(try await cluster.waitingFetches == 1)
            #expect(try await reader.pendingFrames == 0)
            try await writer.produce(batch("c"), to: "t", 0)
            let fetched = try TestClient.fetched(try await reader.answer(.fetch, 11, number))
            #expect(fetched.partitions.map(\.values) == [["a", "c"], ["b"]])
        }
    }

    @Test("A fetch that gets nothing is answered with nothing when its time is over")
    func maxWait() async throws {
        try await self.withTwo { _, reader, _ in
            let start = ContinuousClock.now
            let fetched = try await reader.fetch(.init(topic: "t", wait: 50))
            #expect(ContinuousClock.now - start >= .milliseconds(49))
            #expect(fetched.error == 0)
            #expect(fetched.partitions.map(\.error) == [0])
            #expect(fetched.partitions[0].records.isEmpty)
        }
    }

    @Test("A fetch is answered when its partition gets another leader")
    func leaderMoves() async throws {
        try await withEmbeddedKafka(.init(nodes: 2)) { cluster in
            try await cluster.createTopic("t")
            let any = try await TestClient.connect(to: cluster)
            let leader = try await any.leader(of: "t").leader
            let reader = try await TestClient.connect(to: cluster, node: Int(leader))
            let number = try await reader.sendFetch(.init(topic: "t", wait: Self.long))
            try await self.isWaiting(cluster)
            try await cluster.moveLeader(ofTopic: "t", partition: 0, to: 3 - leader)
            let fetched = try TestClient.fetched(try await reader.answer(.fetch, 11, number))
            #expect(fetched.partitions[0].error == ErrorCode.notLeaderOrFollower.rawValue)
        }
    }

    @Test("A fetch is answered when its topic is deleted")
    func topicDeleted() async throws {
        try await self.withTwo { cluster, reader, _ in
            let number = try await reader.sendFetch(.init(topic: "t", wait: Self.long))
            try await self.isWaiting(cluster)
            try await cluster.deleteTopic("t")
            let fetched = try TestClient.fetched(try await reader.answer(.fetch, 11, number))
            #expect(fetched.partitions[0].error == ErrorCode.unknownTopicOrPartition.rawValue)
        }
    }

    @Test("Nobody's fetch waits once its connection is gone")
    func readerLeaves() async throws {
        try await self.withTwo { cluster, reader, _ in
            try await reader.sendFetch(.init(topic: "t", wait: Self.long))
            try await self.isWaiting(cluster)
            try await reader.close()
            try await eventually { try await cluster.waitingFetches == 0 }
        }
    }

    @Test("Batches come whole, from the one that has the offset; the first however large it is")
    func wholeBatches() async throws {
        try await self.withTwo { _, reader, _ in
            for values in [("a", "b", "c"), ("d", "e", "f"), ("g", "h", "i")] {
                try await reader.produce(batch(values.0, values.1, values.2), to: "t")
            }
            #expect(try await reader.fetch("t", from: 4).values == ["d", "e", "f", "g", "h", "i"])
            let size = Int32(batch("a", "b", "c").readableBytes)
            for limit in [Int32(0), 1, size - 1, size, 2 * size - 1] {
                let byPartition = try await reader.fetch(.init(topic: "t", partitionMaxBytes: limit))
                #expect(byPartition.partitions[0].values == ["a", "b", "c"], "partition limit \(limit)")
                let byRequest = try await reader.fetch(.init(topic: "t", maxBytes: limit))
                #expect(byRequest.partitions[0].values == ["a", "b", "c"], "request limit \(limit)")
            }
            let two = try await reader.fetch(.init(topic: "t", partitionMaxBytes: 2 * size))
            #expect(two.partitions[0].values == ["a", "b", "c", "d", "e", "f"])
        }
    }

    @Test("Every partition is listed, also when there is no room for its records")
    func budget() async throws {
        try await self.withTwo { _, reader, _ in
            try await reader.produce(batch("a"), to: "t", 0)
            try await reader.produce(batch("b"), to: "t", 1)
            let fetched = try await reader.fetch(.init(topic: "t", partitions: [0, 1], maxBytes: 1))
            #expect(fetched.partitions.map(\.values) == [["a"], []])
            #expect(fetched.partitions.map(\.highWatermark) == [1, 1])
            let turned = try await reader.fetch(.init(topic: "t", partitions: [1, 0], maxBytes: 1))
            #expect(turned.partitions.map(\.values) == [["b"], []])
        }
    }

    @Test("Limits are not believed without end: an answer stays in bounds whatever is asked for")
    func hugeLimits() async throws {
        try await self.withTwo { _, reader, _ in
            let value = String(repeating: "x", count: 1_000_000)
            for _ in 0..<8 { try await reader.produce(batch(value), to: "t") }
            let fetched = try await reader.fetch(
                .init(
                    topic: "t",
                    partitions: .init(repeating: 0, count: 50),
                    maxBytes: .max,
                    partitionMaxBytes: .max
                )
            )
            #expect(fetched.partitions.count == 50)
            // Apache Kafka's fetch.max.bytes.
            #expect(fetched.partitions.reduce(0) { $0 + $1.records.count } <= 55 << 20)
            let limits = try await reader.fetch(
                .init(topic: "t", minBytes: .min, maxBytes: .min, partitionMaxBytes: .min)
            )
            #expect(limits.partitions[0].values == [value])
        }
    }

    @Test(
        "Fetch sessions: a full request is served without one, an incremental one is refused",
        arguments: [
            (Int32(0), Int32(-1), Int16(0)), (0, 0, 0), (5, -1, 0), (5, 0, 0), (0, 1, 70), (5, 1, 70), (5, .max, 70),
        ]
    )
    func sessions(session: Int32, epoch: Int32, error: Int16) async throws {
        try await self.withTwo { _, reader, writer in
            try await writer.produce(batch("a"), to: "t")
            let fetched = try await reader.fetch(.init(topic: "t", session: session, sessionEpoch: epoch))
            #expect(fetched.error == error)
            #expect(fetched.session == 0)
            #expect(fetched.partitions.map(\.values) == (error == 0 ? [["a"]] : []))
        }
    }

    @Test("An offset beyond the log's ends is out of range, at once")
    func outOfRange() async throws {
        try await self.withTwo { _, reader, _ in
            try await reader.produce(batch("a"), to: "t")
            for offset in [Int64.min, -1, 2, .max] {
                let fetched = try await reader.fetch(.init(topic: "t", offset: offset, wait: Self.long))
                #expect(fetched.partitions[0].error == ErrorCode.offsetOutOfRange.rawValue)
            }
        }
    }

    @Test("A reader of committed records waits for the end of the transaction")
    func committed() async throws {
        try await self.withTwo { cluster, reader, writer in
            try await writer.produce(batch("before"), to: "t")
            let producer = try await writer.initProducer("tx")
            #expect(try await writer.addPartition("t", to: "tx", producer) == 0)
            try await writer.produce(TestClient.batch("a", by: producer), to: "t", transactionalID: "tx")
            try await writer.produce(batch("after"), to: "t")
            #expect(try await reader.fetch("t", committed: true).values == ["before"])
            #expect(try await reader.fetch("t").values == ["before", "a", "after"])
            let number = try await reader.sendFetch(
                .init(topic: "t", offset: 1, wait: Self.long, committed: true)
            )
            try await self.isWaiting(cluster)
            try await writer.produce(batch("more"), to: "t")
            #expect(try await cluster.waitingFetches == 1)
            #expect(try await writer.end("tx", producer, commit: true) == 0)
            let fetched = try TestClient.fetched(try await reader.answer(.fetch, 11, number)).partitions[0]
            #expect(fetched.values == ["a", "after", "more"])
            #expect(fetched.lastStableOffset == 5)
            #expect(fetched.aborted.isEmpty)
        }
    }

    @Test("A reader of committed records is told what was aborted")
    func aborted() async throws {
        try await self.withTwo { _, reader, writer in
            let producer = try await writer.initProducer("tx")
            _ = try await writer.addPartition("t", to: "tx", producer)
            try await writer.produce(TestClient.batch("a", by: producer), to: "t", transactionalID: "tx")
            #expect(try await writer.end("tx", producer, commit: false) == 0)
            let fetched = try await reader.fetch("t", committed: true)
            #expect(fetched.aborted.map(\.producer) == [producer.id])
            #expect(fetched.aborted.map(\.first) == [0])
            #expect(try await reader.fetch("t").aborted.isEmpty)
        }
    }

    @Test("Requests that are sent at once are answered in their order")
    func pipelined() async throws {
        try await self.withTwo { cluster, reader, writer in
            var numbers: [Int32] = []
            numbers.append(try await reader.sendFetch(.init(topic: "t", wait: Self.long)))
            numbers.append(try await reader.send(.metadata, 0) { $0.strings([]) })
            numbers.append(try await reader.sendFetch(.init(topic: "t", partitions: [1])))
            try await self.isWaiting(cluster)
            #expect(try await reader.pendingFrames == 0)
            try await writer.produce(batch("a"), to: "t")
            _ = try await reader.answer(.fetch, 11, numbers[0])
            _ = try await reader.answer(.metadata, 0, numbers[1])
            _ = try await reader.answer(.fetch, 11, numbers[2])
        }
    }
}

import NIOCore
import Testing

@testable import EmbeddedKafka

@Suite("A clock that is moved by hand", .timeLimit(.minutes(1)))
struct ClockTests {
    private func withClock(
        _ change: (inout EmbeddedKafkaCluster.Configuration) -> Void = { _ in },
        _ body: (EmbeddedKafkaCluster, TestClient, EmbeddedKafkaClock.Manual) async throws -> Void
    ) async throws {
        let clock = EmbeddedKafkaClock.Manual()
        var configuration = EmbeddedKafkaCluster.Configuration(clock: .manual(clock))
        change(&configuration)
        try await withClient(configuration) { cluster, client in
            try await cluster.createTopic("t")
            try await body(cluster, client, clock)
        }
    }

    @Test("A member whose session ends is out of the group")
    func session() async throws {
        try await self.withClock { _, client, clock in
            let joined = try await client.joinAsNew("g", session: 10_000)
            #expect(joined.error == 0)
            #expect(try await client.sync("g", joined).assignment == Array("for \(joined.member)".utf8))
            await clock.advance(by: .milliseconds(9_999))
            #expect(try await client.heartbeat("g", joined) == 0)
            await clock.advance(by: .milliseconds(9_999))
            #expect(try await client.heartbeat("g", joined) == 0)
            await clock.advance(by: .milliseconds(10_001))
            #expect(try await client.heartbeat("g", joined) == ErrorCode.unknownMemberID.rawValue)
        }
    }

    @Test("A rebalance goes on without who doesn't join in time")
    func rebalance() async throws {
        try await self.withClock { cluster, client, clock in
            let slow = try await client.joinAsNew("g", session: 60_000, rebalance: 5_000)
            _ = try await client.sync("g", slow)
            let other = try await TestClient.connect(to: cluster)
            let id = try await other.join("g", session: 60_000, rebalance: 5_000).member
            let number = try await other.sendJoin("g", member: id, session: 60_000, rebalance: 5_000)
            try await eventually {
                try await client.heartbeat("g", slow) == ErrorCode.rebalanceInProgress.rawValue
            }
            await clock.advance(by: .milliseconds(4_999))
            #expect(try await other.pendingFrames == 0)
            await clock.advance(by: .milliseconds(2))
            let joined = try TestClient.joined(try await other.answer(.joinGroup, 5, number))
            #expect(joined.error == 0)
            #expect(joined.generation == 2)
            #expect(joined.leader == id)
            #expect(joined.members == [id])
            #expect(try await client.heartbeat("g", slow) == ErrorCode.unknownMemberID.rawValue)
        }
    }

    @Test("The first rebalance of a group waits as long as the configuration says")
    func initialDelay() async throws {
        try await self.withClock({ $0.initialRebalanceDelay = .seconds(3) }) { cluster, client, clock in
            let id = try await client.join("g").member
            let number = try await client.sendJoin("g", member: id)
            try await eventually { try await cluster.onBroker { !$0.groupWaiters.isEmpty } }
            await clock.advance(by: .milliseconds(2_999))
            #expect(try await client.pendingFrames == 0)
            await clock.advance(by: .milliseconds(2))
            #expect(try TestClient.joined(try await client.answer(.joinGroup, 5, number)).error == 0)
        }
    }

    @Test("A transaction that takes too long is aborted, and its producer fenced")
    func transaction() async throws {
        try await self.withClock { cluster, client, clock in
            let producer = try await client.initProducer("x", timeout: 30_000)
            #expect(try await client.addPartition("t", to: "x", producer) == 0)
            try await client.produce(
                TestClient.batch("a", by: producer, timestamp: clock.now),
                to: "t",
                transactionalID: "x"
            )
            let reader = try await TestClient.connect(to: cluster)
            let number = try await reader.sendFetch(.init(topic: "t", wait: 600_000, committed: true))
            try await eventually { try await cluster.waitingFetches == 1 }
            await clock.advance(by: .milliseconds(29_999))
            #expect(try await cluster.waitingFetches == 1)
            await clock.advance(by: .milliseconds(2))
            let fetched = try TestClient.fetched(try await reader.answer(.fetch, 11, number)).partitions[0]
            #expect(fetched.aborted.map(\.producer) == [producer.id])
            #expect(fetched.lastStableOffset == 2)
            let late = try await client.produce(
                TestClient.batch("b", by: producer, sequence: 1),
                to: "t",
                transactionalID: "x"
            )
            #expect(late.error == ErrorCode.invalidProducerEpoch.rawValue)
            #expect(try await client.end("x", producer, commit: true) == ErrorCode.producerFenced.rawValue)
            #expect(try await client.initProducer("x").error == 0)
        }
    }

    @Test("A transaction can't ask for more time than the configuration allows")
    func transactionTimeout() async throws {
        try await self.withClock({ $0.maxTransactionTimeout = .seconds(10) }) { _, client, _ async throws in
            #expect(try await client.initProducer("x", timeout: 10_000).error == 0)
            for timeout in [Int32.min, -1, 0, 10_001, .max] {
                #expect(try await client.initProducer("x", timeout: timeout).error == 50)
            }
        }
    }

    @Test("Old segments go when their time is over")
    func retention() async throws {
        try await self.withClock({ $0.retention = .seconds(60) }) { cluster, client, clock in
            try await cluster.createTopic("r", settings: ["segment.bytes": "100"])
            for _ in 0..<3 { try await client.produce(batch("a", timestamp: clock.now), to: "r") }
            await clock.advance(by: .seconds(40))
            try await client.produce(batch("b", timestamp: clock.now), to: "r")
            #expect(try await client.offset(of: "r", at: -2).offset == 0)
            await clock.advance(by: .seconds(21))
            #expect(try await client.offset(of: "r", at: -2).offset == 3)
            #expect(try await client.fetch("r").error == ErrorCode.offsetOutOfRange.rawValue)
            #expect(try await client.fetch("r", from: 3).values == ["b"])
        }
    }

    @Test("The time of records that get the broker's is the clock's")
    func logAppendTime() async throws {
        try await self.withClock { cluster, client, clock in
            try await cluster.createTopic("a", settings: ["message.timestamp.type": "LogAppendTime"])
            await clock.advance(by: .seconds(5))
            try await client.produce(batch("x", timestamp: 1), to: "a")
            #expect(try await client.fetch("a").batches.map(\.header.maxTimestamp) == [clock.now])
            #expect(try await client.offset(of: "a", at: clock.now) == .init(error: 0, timestamp: clock.now, offset: 0))
            #expect(try await client.offset(of: "a", at: clock.now + 1).offset == -1)
        }
    }

    @Test("One clock can serve several clusters, and moves on without those that ended")
    func severalClusters() async throws {
        let clock = EmbeddedKafkaClock.Manual()
        try await withClient(.init(clock: .manual(clock))) { _, one in
            try await withClient(.init(clock: .manual(clock))) { _, two in
                let joined = (try await one.joinAsNew("g"), try await two.joinAsNew("g"))
                await clock.advance(by: .seconds(11))
                #expect(try await one.heartbeat("g", joined.0) == ErrorCode.unknownMemberID.rawValue)
                #expect(try await two.heartbeat("g", joined.1) == ErrorCode.unknownMemberID.rawValue)
            }
            await clock.advance(by: .seconds(1))
            try await one.metadata()
        }
    }

    @Test("Time neither runs backwards nor over its end")
    func limits() async throws {
        try await self.withClock { _, client, clock in
            let now = clock.now
            await clock.advance(by: .seconds(-1))
            #expect(clock.now == now)
            let joined = try await client.joinAsNew("g")
            let producer = try await client.initProducer("x")
            #expect(try await client.addPartition("t", to: "x", producer) == 0)
            try await client.produce(batch("a", timestamp: now), to: "t")
            await clock.advance(by: .seconds(Int64.max / 1000 - now / 1000 - 1))
            #expect(clock.now > now)
            #expect(try await client.heartbeat("g", joined) == ErrorCode.unknownMemberID.rawValue)
            try await client.produce(batch("a", timestamp: now), to: "t")
            _ = try await client.joinAsNew("g", session: .max, rebalance: .max)
            _ = try await client.initProducer("x", timeout: 900_000)
            await clock.advance(by: .seconds(Int64.max))
            await clock.advance(by: .milliseconds(900))
            try await client.metadata()
        }
    }
}

import NIOCore
import Testing

@testable import EmbeddedKafka

@Suite("A cluster that is reset", .timeLimit(.minutes(1)))
struct ResetTests {
    /// Fills a cluster with something of everything.
    private func fill(_ cluster: EmbeddedKafkaCluster, _ client: TestClient) async throws {
        for number in 0..<20 { try await cluster.createTopic("t\(number)", partitions: 3) }
        try await client.produce(batch("a", timestamp: SystemTime.now), to: "t0")
        _ = try await client.commit("g", "t0", offset: 1)
        _ = try await client.joinAsNew("members")
        let producer = try await client.initProducer("tx")
        _ = try await client.addPartition("t1", to: "tx", producer)
        try await client.produce(TestClient.batch("b", by: producer), to: "t1", transactionalID: "tx")
    }

    private func expectNothing(_ client: TestClient) async throws {
        #expect(try await client.metadata().topics.isEmpty)
        try await client.metadata(["t0", "t1"])
        #expect(try await client.fetch("t0").highWatermark == 0)
        #expect(try await client.fetch("t1", committed: true).lastStableOffset == 0)
        #expect(try await client.committed("g", "t0").offset == -1)
        #expect(try await client.initProducer("tx").epoch == 0)
        #expect(try await client.produce(batch("new", timestamp: SystemTime.now), to: "t0").baseOffset == 0)
        let joined = try await client.joinAsNew("members")
        #expect(joined.generation == 1)
        #expect(joined.members.count == 1)
    }

    @Test("Nothing of what was is there, and who was connected is cut off")
    func memory() async throws {
        try await withClient { cluster, client in
            try await self.fill(cluster, client)
            let waiting = try await TestClient.connect(to: cluster)
            try await waiting.sendFetch(.init(topic: "t2", wait: 600_000))
            try await eventually { try await cluster.waitingFetches == 1 }
            let fault = try await cluster.faults.add(.init(nil, .error(1), times: nil))
            try await cluster.reset()
            try await client.waitForClose()
            try await waiting.waitForClose()
            try await fault.happened()
            #expect(try await cluster.waitingFetches == 0)
            try await self.expectNothing(try await TestClient.connect(to: cluster))
        }
    }

    @Test("A directory is empty too, also after the next start")
    func directory() async throws {
        try await withDataDirectory { folder in
            try await withClient(.init(storage: .directory(folder))) { cluster, client in
                try await self.fill(cluster, client)
                try await cluster.reset()
                try await client.waitForClose()
                try await self.expectNothing(try await TestClient.connect(to: cluster))
                try await cluster.reset()
            }
            try await withClient(.init(storage: .directory(folder))) { _, client in
                try await self.expectNothing(client)
            }
        }
    }

    @Test("The same calls have the same results after each reset")
    func repeats() async throws {
        try await withEmbeddedKafka(.init(nodes: 3)) { cluster in
            var leaders: [[Int32]] = []
            for _ in 0..<3 {
                try await cluster.createTopic("a", partitions: 2)
                try await cluster.createTopic("b", partitions: 2)
                let client = try await TestClient.connect(to: cluster)
                leaders.append(
                    try await client.metadata(["a", "b"]).topics.flatMap { $0.partitions.map(\.leader) }
                )
                try await cluster.reset()
            }
            #expect(Set(leaders).count == 1)
        }
    }
}

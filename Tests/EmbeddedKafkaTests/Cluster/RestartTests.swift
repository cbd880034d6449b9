import NIOCore
import Testing

@testable import EmbeddedKafka

@Suite("A cluster on a directory, started again", .timeLimit(.minutes(1)))
struct RestartTests {
    private static let time: Int64 = 1_767_225_600_000

    /// Runs each part with a cluster of its own on the same directory.
    private func onOneDirectory(
        nodes: Int = 1,
        _ parts: [(EmbeddedKafkaCluster, TestClient) async throws -> Void]
    ) async throws {
        try await withDataDirectory { folder in
            for part in parts {
                try await withClient(
                    .init(nodes: nodes, storage: .directory(folder), clock: .manual(.init(now: Self.time))),
                    part
                )
            }
        }
    }

    @Test("Topics, settings, records and the cluster's id are there again")
    func records() async throws {
        var clusterID = ""
        try await self.onOneDirectory([
            { cluster, client async throws in
                try await cluster.createTopic("t", partitions: 3, settings: ["retention.ms": "123456"])
                for partition in Int32(0)...2 {
                    try await client.produce(batch("v\(partition)", timestamp: Self.time), to: "t", partition)
                }
                clusterID = try await client.metadata().clusterID
            },
            { cluster, client async throws in
                #expect(try await cluster.topics == ["t"])
                let info = try await client.metadata(["t"])
                #expect(info.clusterID == clusterID)
                #expect(info.topics[0].partitions.count == 3)
                for partition in Int32(0)...2 {
                    let fetched = try await client.fetch(.init(topic: "t", partitions: [partition]))
                    #expect(fetched.partitions[0].values == ["v\(partition)"])
                }
                #expect(try await client.produce(batch("w", timestamp: Self.time), to: "t").baseOffset == 1)
                let settings = try await cluster.onBroker { $0.topics.topics["t"]?.settings }
                #expect(settings == ["retention.ms": "123456"])
                try await cluster.deleteTopic("t")
            },
            { cluster, _ async throws in
                #expect(try await cluster.topics == [])
            },
        ])
    }

    @Test("Committed offsets are there again, with their metadata")
    func offsets() async throws {
        try await self.onOneDirectory([
            { _, client async throws in
                try await client.metadata(["t"])
                #expect(try await client.commit("g", "t", offset: 1) == 0)
                #expect(try await client.commit("g", "t", offset: 42, metadata: "note") == 0)
            },
            { _, client async throws in
                #expect(
                    try await client.committed("g", "t") == .init(offset: 42, metadata: "note", error: 0)
                )
                #expect(try await client.committed("h", "t").offset == -1)
            },
        ])
    }

    @Test("A transaction that was open still is: its producer commits it, with its offsets")
    func openTransaction() async throws {
        var producer = TestClient.Producer(error: 0, id: -1, epoch: -1)
        try await self.onOneDirectory([
            { _, client async throws in
                try await client.metadata(["t"])
                producer = try await client.initProducer("tx")
                #expect(try await client.addPartition("t", to: "tx", producer) == 0)
                let records = TestClient.batch("a", by: producer)
                #expect(try await client.produce(records, to: "t", transactionalID: "tx").error == 0)
                #expect(try await client.commitOffset("g", "t", offset: 7, in: "tx", producer) == [0, 0])
                #expect(try await client.fetch("t", committed: true).values == [])
            },
            { _, client async throws in
                #expect(try await client.fetch("t", committed: true).lastStableOffset == 0)
                #expect(try await client.committed("g", "t").offset == -1)
                #expect(
                    try await client.committed("g", "t", stable: true).error == ErrorCode.unstableOffsetCommit.rawValue
                )
                // The batch is remembered too: sent again it is no second one.
                let again = TestClient.batch("a", by: producer)
                #expect(try await client.produce(again, to: "t", transactionalID: "tx").baseOffset == 0)
                #expect(try await client.end("tx", producer, commit: true) == 0)
                #expect(try await client.fetch("t", committed: true).values == ["a"])
                #expect(try await client.committed("g", "t").offset == 7)
            },
            { _, client async throws in
                #expect(try await client.fetch("t", committed: true).values == ["a"])
                #expect(try await client.endOffset(of: "t") == 2)
                #expect(try await client.committed("g", "t", stable: true).offset == 7)
                // The next instance has a higher epoch, and the old one is fenced.
                let next = try await client.initProducer("tx")
                #expect(next.id == producer.id)
                #expect(next.epoch > producer.epoch)
                #expect(try await client.addPartition("t", to: "tx", producer) == ErrorCode.producerFenced.rawValue)
            },
        ])
    }

    @Test("Leader epochs don't run backwards")
    func epochs() async throws {
        var epoch: Int32 = 0
        try await self.onOneDirectory(
            nodes: 2,
            [
                { cluster, client async throws in
                    try await cluster.createTopic("t")
                    let leader = try await client.leader(of: "t")
                    try await cluster.moveLeader(ofTopic: "t", partition: 0, to: 3 - leader.leader)
                    epoch = try await client.leader(of: "t").epoch
                    #expect(epoch > leader.epoch)
                },
                { _, client async throws in
                    #expect(try await client.leader(of: "t").epoch >= epoch)
                },
            ]
        )
    }
}

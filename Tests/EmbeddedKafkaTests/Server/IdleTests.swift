import NIOCore
import Testing

@testable import EmbeddedKafka

@Suite("A cluster that nobody asks anything", .timeLimit(.minutes(1)))
struct IdleTests {
    /// Whether nothing is to happen by itself: all that ever does is scheduled by these.
    private func isIdle(_ cluster: EmbeddedKafkaCluster) async throws -> Bool {
        try await cluster.onBroker { broker in
            broker.maintenanceTimer == nil && broker.groups.nextDeadline == nil
                && broker.transactions.nextDeadline == nil && broker.fetchWaiters.all.isEmpty
                && broker.groupWaiters.isEmpty
        }
    }

    @Test("Idle clients, topics, and groups and transactions that ended have nothing scheduled")
    func nothingScheduled() async throws {
        try await withEmbeddedKafka(.init(nodes: 3)) { cluster in
            #expect(try await self.isIdle(cluster))
            try await cluster.createTopic("t", partitions: 6)
            var clients: [TestClient] = []
            for node in 1...3 {
                let client = try await TestClient.connect(to: cluster, node: node)
                try await client.metadata()
                clients.append(client)
            }
            try await cluster.moveCoordinator(ofGroup: "g", to: 1)
            try await cluster.moveCoordinator(ofTransactionalID: "x", to: 1)
            let joined = try await clients[0].joinAsNew("g")
            let producer = try await clients[0].initProducer("x")
            #expect(try await clients[0].addPartition("t", to: "x", producer) == 0)
            #expect(try await !self.isIdle(cluster))
            #expect(try await clients[0].end("x", producer, commit: false) == 0)
            var left = try await clients[0].call(.leaveGroup, 0) {
                $0.string("g")
                $0.string(joined.member)
            }
            #expect(try left.int16() == 0)
            #expect(try await self.isIdle(cluster))
            let requests = try await cluster.requests
            #expect(try await cluster.connections == 3)
            #expect(try await cluster.requests == requests)
        }
    }

    @Test("A fetch that waits has one timer, and none once it is answered")
    func fetch() async throws {
        try await withClient { cluster, client in
            try await cluster.createTopic("t")
            try await client.sendFetch(.init(topic: "t", wait: 600_000))
            try await eventually { try await cluster.waitingFetches == 1 }
            #expect(try await !self.isIdle(cluster))
            try await cluster.deleteTopic("t")
            _ = try await client.nextFrame()
            #expect(try await self.isIdle(cluster))
        }
    }
}

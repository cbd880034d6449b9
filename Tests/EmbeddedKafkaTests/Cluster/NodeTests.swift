import NIOCore
import Testing

@testable import EmbeddedKafka

@Suite("Nodes", .timeLimit(.minutes(1)))
struct NodeTests {
    @Test("The partitions of a stopped node go to other replicas, with a higher epoch; its port refuses")
    func stop() async throws {
        try await withEmbeddedKafka(.init(nodes: 3)) { cluster in
            try await cluster.createTopic("t", partitions: 3)
            let one = try await TestClient.connect(to: cluster, node: 1)
            let two = try await TestClient.connect(to: cluster, node: 2)
            let before = try await one.metadata(["t"]).topics[0].partitions
            #expect(Set(before.map(\.leader)) == [1, 2, 3])
            let port = TestClient.port(of: cluster.bootstrapServers[1])

            try await cluster.stopNode(2)
            try await two.waitForClose()
            await #expect(throws: (any Error).self) { try await TestClient.connect(port: port) }
            let info = try await one.metadata(["t"])
            #expect(info.nodes.map(\.id) == [1, 3])
            for (old, new) in zip(before, info.topics[0].partitions) {
                #expect(new.error == 0)
                #expect(new.leader != 2)
                #expect(new.epoch == old.epoch + (old.leader == 2 ? 1 : 0))
                #expect(!new.inSync.contains(2))
                #expect(new.replicas == old.replicas)
            }

            try await cluster.startNode(2)
            #expect(TestClient.port(of: cluster.bootstrapServers[1]) == port)
            let again = try await TestClient.connect(port: port)
            #expect(try await again.metadata().nodes.map(\.id) == [1, 2, 3])
        }
    }

    @Test("A partition whose every replica is stopped has no leader until one is back")
    func withoutLeader() async throws {
        try await withEmbeddedKafka(.init(nodes: 2)) { cluster in
            try await cluster.createTopic("t", replicationFactor: 1)
            let any = try await TestClient.connect(to: cluster)
            let leader = try await any.leader(of: "t")
            let other = try await TestClient.connect(to: cluster, node: Int(3 - leader.leader))
            try await cluster.stopNode(leader.leader)
            let gone = try await other.leader(of: "t")
            #expect(gone.error == ErrorCode.leaderNotAvailable.rawValue)
            #expect(gone.leader == -1)
            try await cluster.startNode(leader.leader)
            let back = try await other.leader(of: "t")
            #expect(back.leader == leader.leader)
            #expect(back.epoch > leader.epoch)
        }
    }

    @Test("What is known stays known when a node stops: records, groups, transactions")
    func stateMoves() async throws {
        try await withEmbeddedKafka(.init(nodes: 2)) { cluster in
            try await cluster.createTopic("t")
            for node in [Int32(1), 2] {
                try await cluster.startNode(3 - node)
                try await cluster.moveLeader(ofTopic: "t", partition: 0, to: node)
                try await cluster.moveCoordinator(ofGroup: "g", to: node)
                try await cluster.moveCoordinator(ofTransactionalID: "x", to: node)
                let client = try await TestClient.connect(to: cluster, node: Int(node))
                #expect(try await client.produce(batch("a"), to: "t").error == 0)
                #expect(try await client.commit("g", "t", offset: Int64(node)) == 0)
                let producer = try await client.initProducer("x")
                #expect(try await client.addPartition("t", to: "x", producer) == 0)
                try await cluster.stopNode(node)
                let other = try await TestClient.connect(to: cluster, node: Int(3 - node))
                #expect(try await other.coordinator(of: "g").node == 3 - node)
                #expect(try await other.committed("g", "t").offset == Int64(node))
                #expect(try await other.end("x", producer, commit: true) == 0)
            }
            let last = try await TestClient.connect(to: cluster, node: 1)
            #expect(try await last.endOffset(of: "t") == 4)
        }
    }

    @Test("Who asks the old leader is told so, and epochs are checked")
    func moveLeader() async throws {
        try await withEmbeddedKafka(.init(nodes: 2)) { cluster in
            try await cluster.createTopic("t")
            let any = try await TestClient.connect(to: cluster)
            let old = try await any.leader(of: "t")
            let former = try await TestClient.connect(to: cluster, node: Int(old.leader))
            let latter = try await TestClient.connect(to: cluster, node: Int(3 - old.leader))
            try await former.produce(batch("a"), to: "t")
            try await cluster.moveLeader(ofTopic: "t", partition: 0, to: 3 - old.leader)
            let new = try await any.leader(of: "t")
            #expect(new.leader == 3 - old.leader)
            #expect(new.epoch == old.epoch + 1)

            #expect(try await former.produce(batch("b"), to: "t").error == 6)
            #expect(try await former.fetch("t").error == 6)
            #expect(try await former.offset(of: "t", at: -1).error == 6)
            #expect(try await latter.produce(batch("b"), to: "t").baseOffset == 1)
            let fetched = try await latter.fetch(.init(topic: "t", epoch: new.epoch)).partitions[0]
            #expect(fetched.values == ["a", "b"])
            #expect(fetched.batches.map(\.header.leaderEpoch) == [old.epoch, new.epoch])
            #expect(try await latter.fetch(.init(topic: "t", epoch: old.epoch)).partitions[0].error == 74)
            #expect(try await latter.fetch(.init(topic: "t", epoch: new.epoch + 1)).partitions[0].error == 75)
            #expect(try await latter.offset(of: "t", at: -1, epoch: old.epoch).error == 74)
        }
    }

    @Test("Who asks the old coordinator is told so")
    func moveCoordinator() async throws {
        try await withEmbeddedKafka(.init(nodes: 2)) { cluster in
            try await cluster.createTopic("t")
            let one = try await TestClient.connect(to: cluster, node: 1)
            let two = try await TestClient.connect(to: cluster, node: 2)
            for (from, to, node) in [(one, two, Int32(2)), (two, one, 1)] {
                try await cluster.moveCoordinator(ofGroup: "g", to: node)
                try await cluster.moveCoordinator(ofTransactionalID: "x", to: node)
                #expect(try await from.coordinator(of: "g").node == node)
                #expect(try await from.coordinator(of: "x", type: 1).node == node)
                #expect(try await from.commit("g", "t", offset: 1) == 16)
                #expect(try await from.committed("g", "t").error == 16)
                #expect(try await from.join("g").error == 16)
                let none = TestClient.Joined(error: 0, generation: 1, leader: "", member: "m", members: [])
                #expect(try await from.sync("g", none).error == 16)
                #expect(try await from.heartbeat("g", none) == 16)
                #expect(try await from.initProducer("x").error == 16)
                #expect(try await to.commit("g", "t", offset: 1) == 0)
                let producer = try await to.initProducer("x")
                #expect(producer.error == 0)
                #expect(try await from.addPartition("t", to: "x", producer) == 16)
                #expect(try await from.end("x", producer, commit: true) == 16)
            }
        }
    }

    @Test("Who waits at the old coordinator for the others of its group is sent to the new one")
    func moveCoordinatorWhileJoining() async throws {
        try await withEmbeddedKafka(.init(nodes: 2)) { cluster in
            try await cluster.moveCoordinator(ofGroup: "g", to: 1)
            let member = try await TestClient.connect(to: cluster, node: 1)
            let first = try await member.join("g", member: try await member.join("g").member)
            #expect(try await member.sync("g", first).error == 0)

            // The first member does not join again, so the second one waits for it.
            let newcomer = try await TestClient.connect(to: cluster, node: 1)
            let id = try await newcomer.join("g").member
            async let waiting = newcomer.join("g", member: id)
            try await eventually { try await member.heartbeat("g", first) == 27 }
            try await cluster.moveCoordinator(ofGroup: "g", to: 2)
            #expect(try await waiting.error == 16)

            // The new coordinator knows the first member, and nothing of one that was in no generation yet.
            let moved = try await TestClient.connect(to: cluster, node: 2)
            #expect(try await moved.join("g", member: id).error == 25)
            let second = try await moved.join("g", member: first.member)
            #expect(second.error == 0)
            #expect(second.members == [first.member])
        }
    }

    @Test("Nodes, topics and groups that are not there are said so", arguments: [Int32.min, -1, 0, 3, .max])
    func unknown(node: Int32) async throws {
        try await withEmbeddedKafka(.init(nodes: 2)) { cluster in
            try await cluster.createTopic("t")
            let before = cluster.bootstrapServers
            for call: @Sendable () async throws -> Void in [
                { try await cluster.stopNode(node) },
                { try await cluster.startNode(node) },
                { try await cluster.moveLeader(ofTopic: "t", partition: 0, to: node) },
                { try await cluster.moveCoordinator(ofGroup: "g", to: node) },
                { try await cluster.moveCoordinator(ofTransactionalID: "x", to: node) },
            ] {
                let error = await #expect(throws: EmbeddedKafkaError.self) { try await call() }
                #expect(error?.code == .unknownNode)
            }
            #expect(cluster.bootstrapServers == before)
            let error = await #expect(throws: EmbeddedKafkaError.self) {
                try await cluster.moveLeader(ofTopic: "t", partition: node == 0 ? 1 : node, to: 1)
            }
            #expect(error?.code == .unknownTopic)
        }
    }

    @Test("Stopping a stopped node and starting a running one change nothing; all nodes may be down")
    func repeated() async throws {
        try await withEmbeddedKafka(.init(nodes: 2)) { cluster in
            try await cluster.startNode(1)
            try await cluster.stopNode(1)
            try await cluster.stopNode(1)
            try await cluster.stopNode(2)
            try await cluster.createTopic("t")
            try await cluster.startNode(2)
            let client = try await TestClient.connect(to: cluster, node: 2)
            let info = try await client.metadata(["t"])
            #expect(info.nodes.map(\.id) == [2])
            #expect(info.controller == 2)
            #expect(info.topics[0].partitions[0].leader == 2)
        }
    }
}

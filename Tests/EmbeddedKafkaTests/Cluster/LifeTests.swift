import Foundation
import NIOCore
import NIOPosix
import Testing

@testable import EmbeddedKafka

@Suite("A cluster's life", .timeLimit(.minutes(1)))
struct LifeTests {
    @Test("A cluster has an address for each node, all of which answer")
    func starts() async throws {
        try await withEmbeddedKafka(.init(nodes: 3)) { cluster in
            #expect(cluster.bootstrapServers.count == 3)
            #expect(Set(cluster.bootstrapServers).count == 3)
            for node in 1...3 {
                #expect(cluster.bootstrapServers[node - 1].hasPrefix("127.0.0.1:"))
                let client = try await TestClient.connect(to: cluster, node: node)
                let info = try await client.metadata()
                #expect(info.nodes.map(\.id) == [1, 2, 3])
                #expect(info.nodes.map { Int($0.port) } == cluster.bootstrapServers.map(TestClient.port))
            }
        }
    }

    @Test("What is produced is fetched")
    func roundTrip() async throws {
        try await withClient { _, client in
            try await client.metadata(["t"])
            #expect(try await client.produce(batch("a", "b"), to: "t") == .init(error: 0, baseOffset: 0))
            #expect(try await client.produce(batch("c"), to: "t") == .init(error: 0, baseOffset: 2))
            let fetched = try await client.fetch("t")
            #expect(fetched.error == 0)
            #expect(fetched.values == ["a", "b", "c"])
            #expect(fetched.highWatermark == 3)
        }
    }

    @Test("A port that is taken is named, and nothing is left behind")
    func portInUse() async throws {
        try await withDataDirectory { folder in
            try await withEmbeddedKafka { first in
                let port = TestClient.port(of: first.bootstrapServers[0])
                var configuration = EmbeddedKafkaCluster.Configuration(nodes: 2, storage: .directory(folder))
                configuration.ports = [0, port]
                let second = try EmbeddedKafkaCluster(configuration: configuration)
                let error = await #expect(throws: EmbeddedKafkaError.self) { try await second.start() }
                #expect(error?.code == .addressNotAvailable)
                #expect(error?.message.contains("127.0.0.1:\(port)") == true)
                #expect(second.bootstrapServers.isEmpty)
            }
            // The directory was given back.
            try await withEmbeddedKafka(.init(storage: .directory(folder))) { _ in }
        }
    }

    @Test("A directory that another cluster has is refused, by its path")
    func directoryInUse() async throws {
        try await withDataDirectory { folder in
            try await withEmbeddedKafka(.init(storage: .directory(folder))) { _ in
                let second = try EmbeddedKafkaCluster(configuration: .init(storage: .directory(folder)))
                let error = await #expect(throws: EmbeddedKafkaError.self) { try await second.start() }
                #expect(error?.code == .dataDirectoryInUse)
                #expect(error?.message.contains(folder) == true)
            }
            try await withEmbeddedKafka(.init(storage: .directory(folder))) { _ in }
        }
    }

    @Test("A cluster starts once, and says so")
    func startsOnce() async throws {
        try await withEmbeddedKafka { cluster in
            await #expect(throws: EmbeddedKafkaError.self) { try await cluster.start() }
            // The first start stands.
            let client = try await TestClient.connect(to: cluster)
            try await client.metadata()
            try await cluster.stop()
            let error = await #expect(throws: EmbeddedKafkaError.self) { try await cluster.start() }
            #expect(error?.code == .notRunning)
        }
    }

    @Test("Stopping cuts connections and can be said again")
    func stops() async throws {
        try await withClient { cluster, client in
            try await client.metadata(["t"])
            let waiting = try await TestClient.connect(to: cluster)
            try await waiting.sendFetch(.init(topic: "t", wait: 600_000))
            try await eventually { try await cluster.waitingFetches == 1 }
            let port = TestClient.port(of: cluster.bootstrapServers[0])
            try await cluster.stop()
            try await client.waitForClose()
            try await waiting.waitForClose()
            try await cluster.stop()
            #expect(cluster.bootstrapServers.isEmpty)
            await #expect(throws: (any Error).self) { try await TestClient.connect(port: port) }
            let error = await #expect(throws: EmbeddedKafkaError.self) { try await cluster.reset() }
            #expect(error?.code == .notRunning)
        }
    }

    #if os(Linux)
    @Test("A stopped node keeps its port, and comes back there")
    func portOfAStoppedNode() async throws {
        try await withEmbeddedKafka { cluster in
            let port = TestClient.port(of: cluster.bootstrapServers[0])
            try await cluster.stopNode(1)
            await #expect(throws: (any Error).self) { try await TestClient.connect(port: port) }
            // Like everybody who lets the system pick a port: without sharing it.
            let bootstrap = ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
                .serverChannelOption(.socketOption(.so_reuseaddr), value: 0)
            let error = await #expect(throws: IOError.self) {
                try await bootstrap.bind(host: "127.0.0.1", port: port).get().close()
            }
            #expect(error?.errnoCode == EADDRINUSE)
            try await cluster.startNode(1)
            let client = try await TestClient.connect(port: port)
            #expect(try await client.metadata().nodes.map(\.id) == [1])
        }
    }
    #endif

    @Test("A body that throws ends its cluster")
    func bodyThrows() async throws {
        struct Stop: Error {}
        var port = 0
        await #expect(throws: Stop.self) {
            try await withEmbeddedKafka { cluster in
                port = TestClient.port(of: cluster.bootstrapServers[0])
                throw Stop()
            }
        }
        await #expect(throws: (any Error).self) { try await TestClient.connect(port: port) }
    }

    @Test("Running ends when the task is cancelled, with what was acknowledged on disk")
    func runs() async throws {
        try await withDataDirectory { folder in
            let cluster = try EmbeddedKafkaCluster(configuration: .init(storage: .directory(folder)))
            let run = Task { try await cluster.run() }
            try await eventually { !cluster.bootstrapServers.isEmpty }
            let client = try await TestClient.connect(to: cluster)
            try await client.metadata(["t"])
            try await client.produce(batch("a", timestamp: SystemTime.now), to: "t")
            run.cancel()
            try await run.value
            try await client.waitForClose()
            try await withClient(.init(storage: .directory(folder))) { _, client async throws in
                #expect(try await client.fetch("t").values == ["a"])
            }
        }
    }

    @Test("A task that is cancelled before it runs a cluster leaves none behind")
    func runsCancelled() async throws {
        let cluster = try EmbeddedKafkaCluster()
        let run = Task {
            withUnsafeCurrentTask { $0?.cancel() }
            try await cluster.run()
        }
        try await run.value
        #expect(cluster.bootstrapServers.isEmpty)
    }
}

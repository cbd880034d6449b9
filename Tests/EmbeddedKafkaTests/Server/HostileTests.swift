import Foundation
import NIOCore
import Synchronization
import Testing

@testable import EmbeddedKafka

@Suite("Clients that mean no good", .timeLimit(.minutes(2)), .serialized)
struct HostileTests {
    /// Runs a test with a cluster, which must serve another client afterwards as if nothing had been.
    private func withVictim(_ body: (EmbeddedKafkaCluster) async throws -> Void) async throws {
        try await withEmbeddedKafka { cluster in
            try await cluster.createTopic("victim", partitions: 2)
            try await body(cluster)
            let client = try await TestClient.connect(to: cluster)
            #expect(try await client.produce(batch("a"), to: "victim").error == 0)
            #expect(try await client.fetch("victim").values.last == "a")
            let joined = try await client.joinAsNew("group")
            #expect(joined.error == 0)
            try await client.close()
            try await eventually { try await cluster.connections == 0 }
        }
    }

    /// Bytes in big endian.
    private func integer(_ value: Int32) -> [UInt8] {
        var encoding = Encoding(isFlexible: false)
        encoding.int32(value)
        return encoding.bytes
    }

    @Test("Lengths that can't be end the connection", arguments: [Int32.min, -2, -1, (100 << 20) + 1, .max])
    func lengths(length: Int32) async throws {
        try await self.withVictim { cluster in
            let client = try await TestClient.connect(to: cluster)
            try await client.send(self.integer(length) + [0, 3, 0, 1])
            try await client.waitForClose()
        }
    }

    @Test("Memory is not made for bytes that are only announced")
    func announced() async throws {
        try await self.withVictim { cluster in
            var clients: [TestClient] = []
            for _ in 0..<40 {
                let client = try await TestClient.connect(to: cluster)
                try await client.send(self.integer(100 << 20) + [UInt8](repeating: 7, count: 100))
                clients.append(client)
            }
            try await eventually { try await cluster.onBroker { $0.inboundCapacity } >= 40 << 20 }
            #expect(try await cluster.onBroker { $0.inboundCapacity } < 100 << 20)
            for client in clients { try await client.close() }
        }
    }

    @Test("Garbage ends the connection, or waits for more of itself", arguments: 0..<20)
    func garbage(seed: UInt64) async throws {
        try await self.withVictim { cluster in
            var random = SeededGenerator(seed: seed)
            let client = try await TestClient.connect(to: cluster)
            var bytes = (0..<Int.random(in: 1...20_000, using: &random)).map { _ in
                UInt8.random(in: 0...255, using: &random)
            }
            // Half of them in a frame that is right.
            if seed % 2 == 0 { bytes = self.integer(Int32(bytes.count)) + bytes }
            try? await client.send(bytes)
            if seed % 2 == 0 { try await client.waitForClose() } else { try await client.close() }
        }
    }

    @Test("Half a request is nothing", arguments: [1, 3, 4, 5, 11, 20, 60])
    func half(length: Int) async throws {
        try await self.withVictim { cluster in
            let records = Array(batch("never").readableBytesView)
            let frame = TestClient.frame(0, 8) {
                $0.string(nil)
                $0.int16(-1)
                $0.int32(1000)
                $0.one {
                    $0.string("victim")
                    $0.one {
                        $0.int32(1)
                        $0.blob(records)
                    }
                }
            }
            for count in [length, frame.count - length] {
                let client = try await TestClient.connect(to: cluster)
                try await client.send(Array(frame.prefix(count)))
                try await eventually { try await cluster.connections == 1 }
                try await client.close()
                try await eventually { try await cluster.connections == 0 }
            }
            let reader = try await TestClient.connect(to: cluster)
            #expect(try await reader.endOffset(of: "victim", 1) == 0)
            try await reader.close()
        }
    }

    @Test("Tiny frames are answered or end the connection", arguments: 0...20)
    func tiny(size: Int) async throws {
        try await self.withVictim { cluster in
            var random = SeededGenerator(seed: UInt64(size))
            for round in 0..<30 {
                let client = try await TestClient.connect(to: cluster)
                let body: [UInt8] =
                    switch round {
                    case 0: .init(repeating: 0, count: size)
                    case 1: .init(repeating: 0xff, count: size)
                    case 2: .init(repeating: 0x7f, count: size)
                    default:
                        // An API and a version that there are, and then anything.
                        Array(
                            ([0, UInt8.random(in: 0...66, using: &random), 0, .random(in: 0...8, using: &random)]
                                + (0..<20).map { _ in UInt8.random(in: 0...255, using: &random) }).prefix(size)
                        )
                    }
                try await client.send(self.integer(Int32(size)) + body)
                try await eventually { try await client.pendingFrames > 0 || !client.isOpen }
                try await client.close()
            }
        }
    }

    @Test("Unknown APIs end the connection", arguments: [Int16.min, -1, 4, 5, 6, 7, 27, 34, 50, 67, 999, .max])
    func unknownAPI(key: Int16) async throws {
        try await self.withVictim { cluster in
            let client = try await TestClient.connect(to: cluster)
            try await client.send(TestClient.frame(key, 0))
            try await client.waitForClose()
            #expect(try await client.pendingFrames == 0)
        }
    }

    @Test("Unknown versions end the connection, but for ApiVersions", arguments: APIKey.allCases)
    func unknownVersion(api: APIKey) async throws {
        try await self.withVictim { cluster in
            for version in [api.advertised.lowerBound - 1, api.advertised.upperBound + 1, .min, .max] {
                let client = try await TestClient.connect(to: cluster)
                try await client.send(
                    TestClient.frame(api.rawValue, version, correlation: 5, isFlexible: api.isFlexible(version))
                )
                if api == .apiVersions {
                    // In the oldest form: number, error, one API with its range.
                    #expect(try await client.nextFrame() == [0, 0, 0, 5, 0, 35, 0, 0, 0, 1, 0, 18, 0, 0, 0, 3])
                    _ = try await client.call(.apiVersions, 3) {
                        $0.string("name")
                        $0.string("1")
                    }
                    try await client.close()
                } else {
                    try await client.waitForClose()
                    #expect(try await client.pendingFrames == 0)
                }
            }
        }
    }

    @Test("A client that sends byte by byte is served")
    func byteByByte() async throws {
        try await self.withVictim { cluster in
            let client = try await TestClient.connect(to: cluster)
            let frame = TestClient.frame(3, 8, correlation: 9) {
                $0.strings(["victim"])
                $0.bool(false)
                $0.bool(false)
                $0.bool(false)
            }
            for byte in frame + frame { try await client.send([byte]) }
            for _ in 0..<2 { #expect(try await client.nextFrame().prefix(4) == [0, 0, 0, 9]) }
            try await client.close()
        }
    }

    @Test("Answers that nobody reads don't pile up")
    func neverReads() async throws {
        try await self.withVictim { cluster in
            let client = try await TestClient.connect(to: cluster)
            try await client.produce(batch(String(repeating: "x", count: 500_000)), to: "victim")
            try await client.setReads(false)
            let count = 100
            // One at a time, so that they come in several reads, and then all at once.
            for _ in 0..<count / 2 { try await client.sendFetch(.init(topic: "victim")) }
            let frame = TestClient.frame(1, 4) {
                $0.int32(-1)
                $0.int32(0)
                $0.int32(1)
                $0.int32(1 << 20)
                $0.int8(0)
                $0.one {
                    $0.string("victim")
                    $0.one {
                        $0.int32(0)
                        $0.int64(0)
                        $0.int32(1 << 20)
                    }
                }
            }
            try await client.send(Array(repeatElement(frame, count: count / 2).joined()))
            let other = try await TestClient.connect(to: cluster)
            for _ in 0..<300 { try await other.metadata([]) }
            let served = try await cluster.onBroker { $0.requestCounts[.fetch] ?? 0 }
            #expect(served > 0)
            // What the sockets' buffers hold, and one more.
            #expect(served < 60)
            try await client.setReads(true)
            for _ in 0..<count { #expect(try await client.nextFrame().count > 500_000) }
            #expect(try await cluster.onBroker { $0.requestCounts[.fetch] } == count)
            try await client.close()
            try await other.close()
        }
    }

    @Test("Requests behind one that waits stay in the socket")
    func floodBehindWait() async throws {
        try await self.withVictim { cluster in
            let client = try await TestClient.connect(to: cluster)
            try await client.sendFetch(.init(topic: "victim", wait: 600_000))
            try await eventually { try await cluster.waitingFetches == 1 }
            let isSent = Mutex(false)
            let flood = client.post(self.integer(64 << 20) + [UInt8](repeating: 0, count: 64 << 20))
            flood.whenComplete { result in
                if case .success = result { isSent.withLock { $0 = true } }
            }
            let other = try await TestClient.connect(to: cluster)
            for _ in 0..<300 { try await other.metadata([]) }
            #expect(!isSent.withLock { $0 })
            // Once it is answered the rest is read, and is no request.
            try await other.produce(batch("a"), to: "victim")
            _ = try await client.nextFrame()
            try await client.waitForClose()
            _ = try? await flood.get()
            try await other.close()
        }
    }

    @Test("What is asked for again and again in one request is answered once")
    func amplification() async throws {
        try await self.withVictim { cluster in
            try await cluster.createTopic("large", partitions: 200)
            let client = try await TestClient.connect(to: cluster)
            _ = try await client.commit("g", "victim", offset: 1, metadata: String(repeating: "m", count: 4000))
            let producer = try await client.initProducer("x")
            _ = try await client.addPartition("victim", to: "x", producer)
            _ = try await client.joinAsNew("large")
            let names = [String](repeating: "large", count: 20_000)
            let zeros = [Int32](repeating: 0, count: 20_000)
            var sizes: [Int] = []
            sizes.append(try await client.call(.metadata, 1) { $0.strings(names) }.remaining)
            let configs = try await client.call(.describeConfigs, 3) {
                $0.array(names) {
                    $0.int8(2)
                    $0.string($1)
                    $0.strings(nil)
                }
                $0.bool(true)
                $0.bool(true)
            }
            sizes.append(configs.remaining)
            sizes.append(try await client.call(.describeGroups, 0) { $0.strings(names) }.remaining)
            let offsets = try await client.call(.offsetFetch, 2) {
                $0.string("g")
                $0.one {
                    $0.string("victim")
                    $0.int32s(zeros)
                }
            }
            sizes.append(offsets.remaining)
            let transactions = try await client.call(.describeTransactions, 0) { $0.strings(names.map { _ in "x" }) }
            sizes.append(transactions.remaining)
            let producers = try await client.call(.describeProducers, 0) {
                $0.one {
                    $0.string("victim")
                    $0.int32s(zeros)
                }
            }
            sizes.append(producers.remaining)
            let directories = try await client.call(.describeLogDirectories, 1) {
                $0.array(names) {
                    $0.string($1)
                    $0.int32s([0, 1])
                }
            }
            sizes.append(directories.remaining)
            // The longest is the one of 200 partitions.
            #expect(sizes.allSatisfy { $0 < 10_000 }, "\(sizes)")
            try await client.close()
        }
    }

    @Test("Five hundred idle connections are no burden")
    func idleConnections() async throws {
        try #require(raiseFileLimit(to: 1500), "too few file descriptors are allowed")
        try await self.withVictim { cluster in
            var clients: [TestClient] = []
            for _ in 0..<500 { clients.append(try await TestClient.connect(to: cluster)) }
            try await eventually { try await cluster.connections == 500 }
            let client = try await TestClient.connect(to: cluster)
            let requests = try await cluster.requests
            for _ in 0..<100 { try await client.metadata([]) }
            #expect(try await cluster.requests == requests + 100)
            for client in clients { try await client.close() }
            try await client.close()
        }
    }
}

/// Allows this process so many files, if it may.
func raiseFileLimit(to count: Int) -> Bool {
    var limit = rlimit()
    #if canImport(Glibc)
    let resource = __rlimit_resource_t(7)
    #else
    let resource = RLIMIT_NOFILE
    #endif
    guard getrlimit(resource, &limit) == 0 else { return false }
    guard limit.rlim_cur < rlim_t(count) else { return true }
    limit.rlim_cur = min(limit.rlim_max, rlim_t(count))
    return setrlimit(resource, &limit) == 0 && limit.rlim_cur >= rlim_t(count)
}

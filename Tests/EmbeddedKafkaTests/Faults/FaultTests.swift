import NIOCore
import Testing

@testable import EmbeddedKafka

@Suite("Faults", .timeLimit(.minutes(1)))
struct FaultTests {
    private func withTopic(
        nodes: Int = 1,
        _ body: (EmbeddedKafkaCluster, TestClient) async throws -> Void
    ) async throws {
        try await withClient(.init(nodes: nodes)) { cluster, client in
            try await cluster.createTopic("t", partitions: 2)
            try await body(cluster, client)
        }
    }

    // MARK: Effects

    @Test("An error is answered, and the request takes no effect")
    func error() async throws {
        try await self.withTopic { cluster, client in
            let fault = try await cluster.faults.add(.init(.produce, .error(19)))
            #expect(try await client.produce(batch("a"), to: "t").error == 19)
            #expect(try await client.endOffset(of: "t") == 0)
            #expect(try await client.produce(batch("a"), to: "t").error == 0)
            #expect(try await fault.count == 1)
        }
    }

    @Test(
        "An error can be given to every API, in every version, in a form that clients read",
        arguments: RequestSample.all
    )
    func errorOfEach(sample: RequestSample) async throws {
        try await self.withTopic { cluster, client in
            let fault = try await cluster.faults.add(.init(nil, .error(3)))
            try await client.send(
                TestClient.frame(
                    sample.api.rawValue,
                    sample.version,
                    correlation: 77,
                    isFlexible: sample.api.isFlexible(sample.version)
                ).replacingBody(with: sample)
            )
            try await fault.happened()
            let answer = try await client.nextFrame()
            #expect(answer.prefix(4) == [0, 0, 0, 77])
            // ListGroups, FindCoordinator and others have nowhere to put it but at the top; some version of each has.
            #expect(answer.count > 4)
            try await client.metadata([])
        }
    }

    @Test("An error of metadata still names the nodes, and a topic's fault finds who asks for all topics")
    func metadataError() async throws {
        try await self.withTopic(nodes: 2) { cluster, client in
            let fault = try await cluster.faults.add(.init(.metadata, .error(5), topic: "t"))
            let answer = try await client.metadata(nil)
            #expect(answer.nodes.count == 2)
            #expect(answer.topics.first { $0.name == "t" }?.error == 5)
            #expect(try await fault.count == 1)
            #expect(try await client.metadata(nil).topics.map(\.error) == [0])
        }
    }

    @Test("A delayed answer comes later, and the effect at once")
    func delay() async throws {
        try await self.withTopic { cluster, client in
            let other = try await TestClient.connect(to: cluster)
            let fault = try await cluster.faults.add(.init(.produce, .delay(.milliseconds(80))))
            let start = ContinuousClock.now
            let number = try await client.sendProduce(batch("a"), to: "t")
            try await fault.happened()
            #expect(try await other.endOffset(of: "t") == 1)
            #expect(try TestClient.produced(try await client.answer(.produce, 8, number)).error == 0)
            #expect(ContinuousClock.now - start >= .milliseconds(79))
        }
    }

    @Test("A dropped request takes no effect, and nothing more is answered on its connection")
    func dropRequest() async throws {
        try await self.withTopic { cluster, client in
            let other = try await TestClient.connect(to: cluster)
            let fault = try await cluster.faults.add(.init(.produce, .dropRequest))
            try await client.sendProduce(batch("a"), to: "t")
            try await client.send(.metadata, 0) { $0.strings([]) }
            try await fault.happened()
            #expect(try await other.endOffset(of: "t") == 0)
            #expect(try await client.pendingFrames == 0)
            // What a client does when it has waited long enough.
            try await client.close()
            try await eventually { try await cluster.connections == 1 }
            #expect(try await other.produce(batch("a"), to: "t") == .init(error: 0, baseOffset: 0))
        }
    }

    @Test("The request of a dropped response has taken effect")
    func dropResponse() async throws {
        try await self.withTopic { cluster, client in
            let other = try await TestClient.connect(to: cluster)
            let producer = try await other.initProducer(nil)
            let records = TestClient.batch("a", by: producer, isTransactional: false)
            let fault = try await cluster.faults.add(.init(.produce, .dropResponse))
            try await client.sendProduce(records, to: "t")
            try await fault.happened()
            #expect(try await other.endOffset(of: "t") == 1)
            #expect(try await client.pendingFrames == 0)
            // Sent again, as an idempotent producer does, it is not written twice.
            #expect(try await other.produce(records, to: "t") == .init(error: 0, baseOffset: 0))
            #expect(try await other.endOffset(of: "t") == 1)
        }
    }

    @Test("A connection is cut before or after the effect", arguments: [true, false])
    func disconnect(isBefore: Bool) async throws {
        try await self.withTopic { cluster, client in
            let other = try await TestClient.connect(to: cluster)
            let fault = try await cluster.faults.add(
                .init(.produce, isBefore ? .disconnectBefore : .disconnectAfter)
            )
            try await client.sendProduce(batch("a"), to: "t")
            _ = try? await client.send(.metadata, 0) { $0.strings([]) }
            try await fault.happened()
            try await client.waitForClose()
            #expect(try await client.pendingFrames == 0)
            #expect(try await other.endOffset(of: "t") == (isBefore ? 0 : 1))
        }
    }

    @Test("A dropped answer of a fetch that waits stays away")
    func dropLateResponse() async throws {
        try await self.withTopic { cluster, client in
            let other = try await TestClient.connect(to: cluster)
            let fault = try await cluster.faults.add(.init(.fetch, .dropResponse))
            try await client.sendFetch(.init(topic: "t", wait: 600_000))
            try await fault.happened()
            #expect(try await cluster.waitingFetches == 1)
            try await other.produce(batch("a"), to: "t")
            #expect(try await cluster.waitingFetches == 0)
            #expect(try await client.pendingFrames == 0)
        }
    }

    @Test("A producer that wants no answers learns of an error by the end of its connection")
    func errorWithoutAnswer() async throws {
        try await self.withTopic { cluster, client in
            let fault = try await cluster.faults.add(.init(.produce, .error(19)))
            try await client.sendProduce(batch("a"), to: "t", acks: 0)
            try await fault.happened()
            try await client.waitForClose()
            #expect(try await client.pendingFrames == 0)
        }
    }

    // MARK: Which requests

    @Test("A fault keeps to its topic and partition")
    func partition() async throws {
        try await self.withTopic { cluster, client in
            try await cluster.createTopic("u", partitions: 2)
            let one = try await cluster.faults.add(.init(.produce, .error(19), topic: "t", partition: 1, times: nil))
            let all = try await cluster.faults.add(.init(.produce, .error(20), topic: "u", times: nil))
            #expect(try await client.produce(batch("a"), to: "t", 0).error == 0)
            #expect(try await client.produce(batch("a"), to: "t", 1).error == 19)
            #expect(try await client.produce(batch("a"), to: "u", 0).error == 20)
            #expect(try await client.produce(batch("a"), to: "u", 1).error == 20)
            #expect(try await client.fetch("t").error == 0)
            #expect(try await one.count == 1)
            #expect(try await all.count == 2)
        }
    }

    @Test("A fault keeps to its group")
    func group() async throws {
        try await self.withTopic { cluster, client in
            _ = try await cluster.faults.add(.init(nil, .error(15), group: "g", times: nil))
            #expect(try await client.join("g").error == 15)
            #expect(try await client.commit("g", "t", offset: 1) == 15)
            #expect(try await client.commit("h", "t", offset: 1) == 0)
            #expect(try await client.join("h").error == ErrorCode.memberIDRequired.rawValue)
        }
    }

    @Test("A fault keeps to its transactional id")
    func transactionalID() async throws {
        try await self.withTopic { cluster, client in
            _ = try await cluster.faults.add(.init(nil, .error(51), transactionalID: "x", times: nil))
            #expect(try await client.initProducer("x").error == 51)
            let producer = try await client.initProducer("y")
            #expect(producer.error == 0)
            #expect(try await client.addPartition("t", to: "x", producer) == 51)
            #expect(try await client.addPartition("t", to: "y", producer) == 0)
        }
    }

    @Test("A fault keeps to its client and its node")
    func clientAndNode() async throws {
        try await self.withTopic(nodes: 2) { cluster, one in
            let two = try await TestClient.connect(to: cluster, node: 2)
            let named = try await TestClient.connect(to: cluster, clientID: "named")
            _ = try await cluster.faults.add(.init(.findCoordinator, .error(14), clientID: "named", times: nil))
            _ = try await cluster.faults.add(.init(.findCoordinator, .error(15), node: 2, times: nil))
            #expect(try await one.coordinator(of: "g").error == 0)
            #expect(try await two.coordinator(of: "g").error == 15)
            #expect(try await named.coordinator(of: "g").error == 14)
        }
    }

    @Test("A fault skips the first requests that fit, and happens as often as it says")
    func skippingAndTimes() async throws {
        try await self.withTopic { cluster, client in
            let fault = try await cluster.faults.add(
                .init(.produce, .error(19), topic: "t", partition: 0, skipping: 1, times: 2)
            )
            var errors: [Int16] = []
            for _ in 0..<5 {
                errors.append(try await client.produce(batch("a"), to: "t").error)
                _ = try await client.produce(batch("a"), to: "t", 1)
            }
            #expect(errors == [0, 19, 19, 0, 0])
            #expect(try await fault.count == 2)
        }
    }

    @Test("An error that Kafka doesn't have is refused", arguments: [Int16.min, -2, 999, .max])
    func unknownError(code: Int16) async throws {
        try await self.withTopic { cluster, _ in
            let error = await #expect(throws: EmbeddedKafkaError.self) {
                try await cluster.faults.add(.init(.produce, .error(code)))
            }
            #expect(error?.code == .invalidConfiguration)
        }
    }

    @Test("Of several faults the first that was added happens, and the next when it is used up")
    func order() async throws {
        try await self.withTopic { cluster, client in
            _ = try await cluster.faults.add(.init(.produce, .error(19)))
            _ = try await cluster.faults.add(.init(nil, .error(20)))
            var errors: [Int16] = []
            for _ in 0..<3 { errors.append(try await client.produce(batch("a"), to: "t").error) }
            #expect(errors == [19, 20, 0])
        }
    }

    // MARK: Handles

    @Test("Waiting for a fault ends when it has happened so often, or is removed")
    func waiting() async throws {
        try await self.withTopic { cluster, client in
            let fault = try await cluster.faults.add(.init(.produce, .error(19), times: nil))
            async let twice: Void = fault.happened(times: 2)
            async let never: Void = fault.happened(times: 100)
            try await client.produce(batch("a"), to: "t")
            try await client.produce(batch("a"), to: "t")
            try await twice
            #expect(try await fault.count == 2)
            try await fault.happened(times: 2)
            try await fault.remove()
            try await never
            #expect(try await client.produce(batch("a"), to: "t").error == 0)
        }
    }

    @Test("All faults can be removed at once, and the end of the cluster ends all waiting")
    func removal() async throws {
        try await self.withTopic { cluster, client in
            let fault = try await cluster.faults.add(.init(nil, .error(19), times: nil))
            async let removed: Void = fault.happened()
            try await cluster.faults.removeAll()
            try await removed
            #expect(try await client.produce(batch("a"), to: "t").error == 0)
            let other = try await cluster.faults.add(.init(.produce, .error(19)))
            let stopped = Task { try await other.happened() }
            try await eventually { try await cluster.onBroker { !$0.faultObservers.isEmpty } }
            try await cluster.stop()
            await #expect(throws: EmbeddedKafkaError.self) { try await stopped.value }
        }
    }

    @Test("Waiting for a fault ends when its task is cancelled")
    func cancelledWait() async throws {
        try await self.withTopic { cluster, _ in
            let fault = try await cluster.faults.add(.init(.produce, .error(19)))
            let task = Task { try await fault.happened() }
            try await eventually { try await cluster.onBroker { !$0.faultObservers.isEmpty } }
            task.cancel()
            await #expect(throws: CancellationError.self) { try await task.value }
        }
    }
}

extension [UInt8] {
    /// The frame, which has no body yet, with that of a sample.
    func replacingBody(with sample: RequestSample) -> [UInt8] {
        // The last byte of a flexible frame without a body ends its fields; the sample has its own.
        let header = self.dropFirst(4).dropLast(sample.api.isFlexible(sample.version) ? 1 : 0)
        var length = Encoding(isFlexible: false)
        length.int32(Int32(header.count + sample.bytes.count))
        return length.bytes + header + sample.bytes
    }
}

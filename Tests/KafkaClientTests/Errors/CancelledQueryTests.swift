import EmbeddedKafka
import TestSupport
import Testing

@testable import KafkaClient

/// Questions to brokers that do not answer end when their task is cancelled, and hold up nobody.
@Suite(.timeLimit(.minutes(2)))
struct CancelledQueryTests {
    private static let place = KafkaTopicPartition(topic: "orders", partition: 0)
    /// Far longer than any test may take.
    private static let patience = Duration.seconds(100)

    /// A cluster that takes connections and answers nothing.
    private func withSilentCluster(_ body: (EmbeddedKafkaCluster) async throws -> Void) async throws {
        try await withCluster { cluster in
            _ = try await cluster.faults.add(.init(nil, .dropRequest, times: nil))
            try await body(cluster)
        }
    }

    private func makeConsumer(_ cluster: EmbeddedKafkaCluster) throws -> KafkaConsumer {
        var configuration = KafkaConsumer.Configuration(bootstrapServers: cluster.bootstrapServers, group: "g")
        configuration.closeTimeout = .seconds(90)
        return try KafkaConsumer(configuration: configuration, logger: CapturedLog().makeLogger())
    }

    /// Cancels a question that is running in C, and expects that its task goes on at once.
    private func expectCancellable(
        _ what: String,
        _ client: ClientHandle,
        _ question: @escaping @Sendable () async throws -> Void
    ) async throws {
        // One that is cancelled before it runs is dropped, and asked again.
        try await eventually("\(what): the call is left alone") {
            let task = try await startBlockingCall(question)
            task.cancel()
            try await withDeadline(.seconds(20), what) {
                _ = await #expect(throws: CancellationError.self, "\(what)") { try await task.value }
            }
            return client.blockingCalls.hasAbandonedCalls
        }
    }

    @Test func questionsOfAConsumerEndAtOnceAndSoDoesClosing() async throws {
        try await self.withSilentCluster { cluster in
            let consumer = try self.makeConsumer(cluster)
            do {
                let client = try consumer.core.client(for: "test")
                try await self.expectCancellable("partitions", client) {
                    _ = try await consumer.partitions(of: "orders", timeout: Self.patience)
                }
                try await self.expectCancellable("watermarks", client) {
                    _ = try await consumer.watermarks(of: Self.place, timeout: Self.patience)
                }
                try await self.expectCancellable("committed offsets", client) {
                    _ = try await consumer.committedOffsets(for: [Self.place], timeout: Self.patience)
                }
            }
            // The calls are still in C, and hold the client: closing leaves them behind.
            try await withDeadline(.seconds(20), "close") { await consumer.close() }
        }
    }

    @Test func questionsOfAProducerEndAtOnceAndSoDoesClosing() async throws {
        try await self.withSilentCluster { cluster in
            var configuration = KafkaProducer.Configuration(bootstrapServers: cluster.bootstrapServers)
            configuration.closeTimeout = .zero
            let producer = try KafkaProducer(configuration: configuration, logger: CapturedLog().makeLogger())
            let receipt = try producer.trySend(KafkaProducerRecord(topic: "orders", value: "1"))
            do {
                let client = try producer.core.client(for: "test")
                try await self.expectCancellable("flush", client) { try await producer.flush(timeout: Self.patience) }
                try await self.expectCancellable("partitions", client) {
                    _ = try await producer.partitions(of: "orders", timeout: Self.patience)
                }
            }
            try await withDeadline(.seconds(20), "close") { await producer.close() }
            let error = await #expect(throws: KafkaError.self) { try await receipt.metadata }
            #expect(error?.code == .notSent)
        }
    }

    @Test func aCommitEndsAtOnceAndSoDoesClosing() async throws {
        try await self.withSilentCluster { cluster in
            let consumer = try self.makeConsumer(cluster)
            let task = try await startBlockingCall { try await consumer.commit([Self.place: 1]) }
            task.cancel()
            try await withDeadline(.seconds(20), "the commit") {
                let error = await #expect(throws: KafkaError.self) { try await task.value }
                #expect(error?.code == .outcomeUnknown)
            }
            try await withDeadline(.seconds(20), "close") { await consumer.close() }
        }
    }

    /// A call that is left alone keeps the client, which is destroyed when the call has returned.
    @Test func theClientIsDestroyedAfterTheCall() async throws {
        try await self.withSilentCluster { cluster in
            let consumer = try self.makeConsumer(cluster)
            let (destruction, calls) = try {
                let client = try consumer.core.client(for: "test")
                return (client.destruction, client.blockingCalls)
            }()
            try await self.expectCancellable("watermarks", try consumer.core.client(for: "test")) {
                _ = try await consumer.watermarks(of: Self.place, timeout: .seconds(10))
            }
            try await withDeadline(.seconds(20), "close") { await consumer.close() }
            #expect(!destruction.isComplete, "the call is still in C")
            try await withDeadline(.seconds(60), "the end of the client") { await destruction.wait() }
            #expect(!calls.hasAbandonedCalls)
        }
    }

    @Test func aQuestionOfACancelledTaskIsNotAsked() async throws {
        let calls = BlockingCalls(label: "test", count: 1)
        let ran = Collected<Int>()
        let task = Task {
            await waitForCancellation()
            try await calls.run { () throws(KafkaError) -> Void in ran.append(1) }
        }
        task.cancel()
        await #expect(throws: CancellationError.self) { try await task.value }
        #expect(ran.count == 0)
        #expect(!calls.hasAbandonedCalls)
    }

    /// With one thread, the second call waits for the first: cancelled meanwhile, it is dropped.
    @Test func aCallThatWaitsForItsThreadIsDropped() async throws {
        let calls = BlockingCalls(label: "test", count: 1)
        let end = DispatchGate()
        let second = Collected<Int>()
        let begun = Gate()
        let first = Task {
            try await calls.run { () throws(KafkaError) -> Int in
                begun.open()
                end.wait()
                return 1
            }
        }
        await begun.wait()
        let waiting = try await startBlockingCall {
            try await calls.run { () throws(KafkaError) -> Void in
                second.append(1)
            }
        }
        waiting.cancel()
        try await withDeadline(.seconds(20), "the second call") {
            _ = await #expect(throws: CancellationError.self) { try await waiting.value }
        }
        #expect(!calls.hasAbandonedCalls, "it did not run")
        end.open()
        #expect(try await first.value == 1)
        #expect(try await calls.run { () throws(KafkaError) -> Int in 3 } == 3)
        #expect(second.count == 0)
    }

    @Test func resultsAndErrorsComeThrough() async throws {
        let calls = BlockingCalls(label: "test")
        #expect(try await calls.run { () throws(KafkaError) -> Int in 7 } == 7)
        let error = await #expect(throws: KafkaError.self) {
            try await calls.run { () throws(KafkaError) -> Int in throw KafkaError.closed(operation: "test") }
        }
        #expect(error?.code == .closed)
        #expect(!calls.hasAbandonedCalls)
    }
}

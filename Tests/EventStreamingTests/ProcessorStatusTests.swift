import EventStreaming
import KafkaClient
import MetricsTestKit
import TestSupport
import Testing

/// What a processor tells of itself.
@Suite(.timeLimit(.minutes(2)))
struct ProcessorStatusTests {
    @Test(arguments: [ProcessingGuarantee.exactlyOnce, .atLeastOnce])
    func theStatusFollowsTheWork(guarantee: ProcessingGuarantee) async throws {
        let fixture = try await ProcessorFixture.make(partitions: 2)
        let gate = Collected<Int>()
        var configuration = fixture.configuration(guarantee)
        configuration.commitInterval = .milliseconds(50)
        let processor = fixture.processor(configuration) { message, _ in
            let value = try message.value
            if value == 13 { throw SerdeError("unlucky") }
            if value == 7 { try await eventually("the gate is open") { gate.count > 0 } }
        }
        #expect(processor.status.phase == .idle)
        #expect(processor.status.isLive)
        #expect(!processor.status.isReady)
        let noLag = try await processor.lag()
        #expect(noLag.isEmpty)
        try await fixture.running(processor) {
            try await eventually("it has partitions") { processor.status.isReady }
            #expect(processor.status.partitions.count == 2)
            await #expect(throws: ProcessorError.self) { try await processor.run() }
            try await fixture.fill([("a", 1), ("a", 13), ("b", 7)])
            try await eventually("7 is being handled") {
                processor.status.inFlight == 1 && processor.status.processed == 1
                    && processor.status.failures == 1
            }
            let status = processor.status
            #expect(status.failures == 1)
            #expect(status.oldestInFlight ?? .zero > .zero)
            #expect(status.isLive)
            gate.append(1)
            try await eventually("all is committed") { processor.status.committed.values.reduce(0, +) == 3 }
            #expect(processor.status.inFlight == 0)
            #expect(processor.status.oldestInFlight == nil)
            let lag = try await processor.lag()
            #expect(lag.count == 2)
            #expect(lag.values.allSatisfy { $0.records == 0 })
        }
        #expect(processor.status.phase == .ended)
        #expect(!processor.status.isLive)
        #expect(processor.status.committed.values.reduce(0, +) == 3, "what was committed is known afterwards")
    }

    @Test func anErrorIsPartOfTheStatus() async throws {
        let fixture = try await ProcessorFixture.make()
        try await fixture.fill([("a", 1)])
        var configuration = fixture.configuration(.exactlyOnce)
        configuration.errorAction = { _ in .stop }
        let processor = fixture.processor(configuration) { _, _ in throw HandlerFailure(description: "no disk") }
        await #expect(throws: ProcessorError.self) { try await processor.run() }
        #expect(processor.status.phase == .failed)
        #expect(!processor.status.isLive)
        #expect("\(processor.status.error.map { "\($0)" } ?? "")".contains("no disk"))
        #expect(processor.status.failures == 1)
    }

    @Test func metricsCountWhatWasHandled() async throws {
        let fixture = try await ProcessorFixture.make()
        let backend = TestMetrics()
        var configuration = fixture.configuration(.exactlyOnce)
        configuration.metrics = ProcessorMetrics(factory: backend)
        configuration.metrics?.labels = ["service": "test"]
        configuration.metrics?.interval = .milliseconds(100)
        let attempts = Collected<Int>()
        try await fixture.fill([("a", 1), ("a", 2), ("a", 13)])
        try await fixture.withProcessor(configuration) { message, _ in
            let value = try message.value
            if value == 13 { throw SerdeError("unlucky") }
            if value == 2, attempts.count == 0 {
                attempts.append(1)
                throw HandlerFailure(description: "once")
            }
        } _: {
            let labels = [("processor", fixture.name), ("topic", fixture.input.name), ("service", "test")]
            func messages(_ outcome: String) throws -> Int64 {
                try backend.expectCounter("kafka_processor_messages_total", labels + [("outcome", outcome)]).totalValue
            }
            try await eventually("all are handled") { try messages("processed") == 2 && messages("failed") == 1 }
            #expect(try backend.expectCounter("kafka_processor_retries_total", labels).totalValue == 1)
            #expect(try backend.expectTimer("kafka_processor_handling_seconds", labels).values.count == 3)
            try await eventually("the lag is reported") {
                backend.meters.contains { $0.label == "kafka_consumer_lag_records" }
            }
        }
    }

    /// An instance that is killed is not waited for when it comes back. Here it leaves without saying so.
    @Test func anInstanceTakesItsPlaceAgain() async throws {
        let fixture = try await ProcessorFixture.make()
        var configuration = fixture.configuration(.exactlyOnce)
        configuration.instance = "a"
        configuration.consumer.sessionTimeout = .seconds(45)
        for round in 1...2 {
            try await fixture.fill([("a", round)])
            try await fixture.withProcessor(configuration) { message, output in
                try output.send(Message(key: "a", value: try message.value), to: fixture.output)
            } _: {
                let answers = try await fixture.read(fixture.output.name, count: round)
                #expect(answers.count == round)
            }
        }
    }
}

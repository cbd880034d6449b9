import EmbeddedKafka
import KafkaClientServiceLifecycle
import Logging
import ServiceLifecycle
import Synchronization
import TestSupport
import Testing

@testable import KafkaClient

/// Clients in a group of services.
@Suite(.timeLimit(.minutes(1)))
struct ServiceTests {
    /// A service that only waits for the end.
    private struct Idle: Service {
        var whenEnding: @Sendable () async -> Void = {}

        func run() async throws {
            try await gracefulShutdown()
            await self.whenEnding()
        }
    }

    private struct Failure: Error {}

    private func group(_ services: [any Service], shutsDownOnFailure: Bool = false) -> ServiceGroup {
        ServiceGroup(
            configuration: ServiceGroupConfiguration(
                services: services.map {
                    .init(
                        service: $0,
                        failureTerminationBehavior: shutsDownOnFailure ? .gracefullyShutdownGroup : .cancelGroup
                    )
                },
                logger: CapturedLog().makeLogger()
            )
        )
    }

    /// Runs the group beside `body`, which makes it end.
    private func run(_ group: ServiceGroup, _ body: @escaping @Sendable () async throws -> Void) async throws {
        try await withDeadline(.seconds(40), "the end of the group") {
            async let run: Void = group.run()
            try await body()
            try await run
        }
    }

    private func makeConsumer(_ cluster: EmbeddedKafkaCluster, group: String) throws -> KafkaConsumer {
        var configuration = KafkaConsumer.Configuration.test(cluster, group: group)
        // Whoever comes next would have to wait for this long if the group was not left.
        configuration.sessionTimeout = .seconds(300)
        configuration.commitPolicy = .afterProcessing(interval: .seconds(300))
        return try KafkaConsumer(configuration: configuration, logger: CapturedLog().makeLogger())
    }

    private func makeProducer(
        _ cluster: EmbeddedKafkaCluster,
        linger: Duration = .zero
    ) throws -> KafkaProducer {
        var configuration = KafkaProducer.Configuration.test(cluster)
        configuration.linger = linger
        return try KafkaProducer(configuration: configuration, logger: CapturedLog().makeLogger())
    }

    private func expectClosed(_ producer: KafkaProducer, sourceLocation: SourceLocation = #_sourceLocation) {
        let error = #expect(throws: KafkaError.self, sourceLocation: sourceLocation) {
            try producer.trySend(KafkaProducerRecord(topic: "t", value: "1"))
        }
        #expect(error?.code == .closed, sourceLocation: sourceLocation)
    }

    /// A member that comes later gets the partition at once, and begins behind what was processed.
    private func expectLeft(
        _ cluster: EmbeddedKafkaCluster,
        group: String,
        topic: String,
        next: String,
        sourceLocation: SourceLocation = #_sourceLocation
    ) async throws {
        try await withConsumer(.test(cluster, group: group), subscribedTo: [topic]) { consumer in
            let values = try await withDeadline(.seconds(20), "the next record") {
                try await consumer.read(1).map(\.valueString)
            }
            #expect(values == [next], sourceLocation: sourceLocation)
        }
    }

    @Test func aProducerSendsWhatItHas() async throws {
        try await withTopic { cluster, topic in
            let producer = try self.makeProducer(cluster, linger: .seconds(100))
            let services = self.group([KafkaProducerService(producer), Idle()])
            try await self.run(services) {
                for number in 0..<100 {
                    _ = try await producer.enqueue(KafkaProducerRecord(topic: topic, value: "\(number)"))
                }
                await services.triggerGracefulShutdown()
            }
            self.expectClosed(producer)
            #expect(try await cluster.allRecords(of: topic, partitions: 1).count == 100)
        }
    }

    /// The record in hand is finished and committed; the next one is not begun.
    @Test func aConsumerFinishesWhatIsInHand() async throws {
        try await withTopic { cluster, topic in
            let name = uniqueName("group")
            try await withProducer(.test(cluster)) { try await $0.fill(topic, values: (0..<10).map(String.init)) }
            let consumer = try self.makeConsumer(cluster, group: name)
            let (inHand, goOn) = (Gate(), Gate())
            let seen = Collected<String>()
            let service = KafkaConsumerService(consumer) { consumer in
                try await consumer.subscribe(to: [topic])
                for try await record in consumer.records {
                    if record.offset == 4 {
                        inHand.open()
                        await goOn.wait()
                    }
                    seen.append(record.detached().valueString ?? "")
                }
            }
            let ending = Gate()
            let services = self.group([service, Idle { ending.open() }])
            try await self.run(services) {
                await inHand.wait()
                await services.triggerGracefulShutdown()
                await ending.wait()
                // The consumer's turn has come when it is being closed.
                try await eventually("the close") { consumer.core.state.withLock { $0.phase != .open } }
                goOn.open()
            }
            #expect(seen.elements == ["0", "1", "2", "3", "4"])
            try await self.expectLeft(cluster, group: name, topic: topic, next: "5")
        }
    }

    /// The producer is open until the consumer that sends by it has ended.
    @Test func servicesEndInOrder() async throws {
        try await withTopic { cluster, topic in
            let name = uniqueName("group")
            let output = uniqueName("output")
            try await cluster.createTopic(output, partitions: 1)
            let values = (0..<2_000).map(String.init)
            try await withProducer(.test(cluster)) { try await $0.fill(topic, values: values) }
            let producer = try self.makeProducer(cluster)
            let consumer = try self.makeConsumer(cluster, group: name)
            let begun = Gate()
            let service = KafkaConsumerService(consumer) { consumer in
                try await consumer.subscribe(to: [topic])
                for try await record in consumer.records {
                    _ = try await producer.send(KafkaProducerRecord(topic: output, value: record.detached().value))
                    begun.open()
                }
            }
            let services = self.group([KafkaProducerService(producer), service])
            try await self.run(services) {
                await begun.wait()
                await services.triggerGracefulShutdown()
            }
            self.expectClosed(producer)
            let sent = try await cluster.allRecords(of: output, partitions: 1).compactMap(\.valueString)
            #expect(sent == Array(values.prefix(sent.count)))
            let committed = consumer.acknowledgedCommits[KafkaTopicPartition(topic: topic, partition: 0)]
            #expect(committed == Int64(sent.count))
        }
    }

    /// A body that fails commits what it had processed, and brings the others down in order.
    @Test func aBodyThatFails() async throws {
        try await withTopic { cluster, topic in
            let name = uniqueName("group")
            let output = uniqueName("output")
            try await cluster.createTopic(output, partitions: 1)
            try await withProducer(.test(cluster)) { try await $0.fill(topic, values: ["0", "1", "2", "3"]) }
            let producer = try self.makeProducer(cluster, linger: .seconds(100))
            let consumer = try self.makeConsumer(cluster, group: name)
            let service = KafkaConsumerService(consumer) { consumer in
                try await consumer.subscribe(to: [topic])
                for try await record in consumer.records {
                    if record.offset == 2 { throw Failure() }
                    _ = try await producer.enqueue(KafkaProducerRecord(topic: output, value: record.detached().value))
                }
            }
            let services = self.group([KafkaProducerService(producer), service], shutsDownOnFailure: true)
            await #expect(throws: Failure.self) { try await self.run(services) {} }
            self.expectClosed(producer)
            #expect(
                try await cluster.allRecords(of: output, partitions: 1).compactMap(\.valueString) == ["0", "1"]
            )
            try await self.expectLeft(cluster, group: name, topic: topic, next: "2")
        }
    }

    /// Cancelling is closing, too.
    @Test func cancellation() async throws {
        try await withTopic { cluster, topic in
            let name = uniqueName("group")
            try await withProducer(.test(cluster)) { try await $0.fill(topic, values: ["0", "1"]) }
            let producer = try self.makeProducer(cluster)
            let consumer = try self.makeConsumer(cluster, group: name)
            let begun = Gate()
            let service = KafkaConsumerService(consumer) { consumer in
                try await consumer.subscribe(to: [topic])
                for try await record in consumer.records where record.offset == 1 {
                    begun.open()
                }
            }
            let services = self.group([KafkaProducerService(producer), service])
            let task = Task { try await services.run() }
            await begun.wait()
            task.cancel()
            try await withDeadline(.seconds(30), "the end of the group") { _ = await task.result }
            self.expectClosed(producer)
            let error = await #expect(throws: KafkaError.self) { try await consumer.subscribe(to: [topic]) }
            #expect(error?.code == .closed)
        }
    }

    /// A group that is shut down before the body could begin ends without an error.
    @Test func anEarlyEnd() async throws {
        try await withTopic { cluster, topic in
            let consumer = try self.makeConsumer(cluster, group: uniqueName("group"))
            let service = KafkaConsumerService(consumer) { consumer in
                try await gracefulShutdown()
                await consumer.close()
                try await consumer.subscribe(to: [topic])
            }
            let services = self.group([service])
            try await self.run(services) { await services.triggerGracefulShutdown() }
        }
    }
}

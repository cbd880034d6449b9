import EmbeddedKafka
import Logging
import TestSupport
import Testing

@testable import KafkaClient

/// When no broker answers, the error says which address and why.
@Suite(.timeLimit(.minutes(1)))
struct UnreachableBrokerTests {
    private let servers = ["127.0.0.1:1"]

    private func expectAddressAndReason(_ error: KafkaError?, sourceLocation: SourceLocation = #_sourceLocation) {
        let text = error?.description ?? ""
        #expect(text.contains("127.0.0.1:1"), "\(text)", sourceLocation: sourceLocation)
        #expect(text.contains("Connection refused"), "\(text)", sourceLocation: sourceLocation)
        #expect(error?.isRetriable == true, sourceLocation: sourceLocation)
    }

    @Test func send() async throws {
        var configuration = KafkaProducer.Configuration(bootstrapServers: self.servers)
        configuration.deliveryTimeout = .seconds(2)
        try await withProducer(configuration) { producer in
            let error = try await #require(throws: KafkaError.self) {
                try await producer.send(KafkaProducerRecord(topic: "orders", partition: 2, value: "1"))
            }
            #expect(error.code == .timedOut)
            #expect(error.operation == "send")
            #expect(error.topic == "orders")
            #expect(error.partition == 2)
            self.expectAddressAndReason(error)
            let results = try await producer.send(contentsOf: [KafkaProducerRecord(topic: "orders", value: "1")])
            self.expectAddressAndReason(failure(of: results[0]))
        }
    }

    @Test func partitionsOfATopic() async throws {
        try await withProducer(.init(bootstrapServers: self.servers)) { producer in
            let error = try await #require(throws: KafkaError.self) {
                try await producer.partitions(of: "orders", timeout: .seconds(2))
            }
            #expect(error.code == .brokerUnreachable)
            #expect(error.operation == "partitions of a topic")
            #expect(error.topic == "orders")
            #expect(error.message.contains("2.0 seconds"))
            self.expectAddressAndReason(error)
        }
    }

    @Test func flush() async throws {
        var configuration = KafkaProducer.Configuration(bootstrapServers: self.servers)
        configuration.closeTimeout = .zero
        try await withProducer(configuration) { producer in
            _ = try producer.trySend(KafkaProducerRecord(topic: "orders", value: "1"))
            let error = try await #require(throws: KafkaError.self) {
                try await producer.flush(timeout: .seconds(2))
            }
            self.expectAddressAndReason(error)
        }
    }

    @Test func questionsOfAConsumer() async throws {
        try await withConsumer(.init(bootstrapServers: self.servers, group: "g")) { consumer in
            let place = KafkaTopicPartition(topic: "orders", partition: 0)
            let watermarks = try await #require(throws: KafkaError.self) {
                try await consumer.watermarks(of: place, timeout: .seconds(2))
            }
            #expect(watermarks.code == .brokerUnreachable)
            #expect(watermarks.topic == "orders")
            #expect(watermarks.partition == 0)
            self.expectAddressAndReason(watermarks)
            let committed = try await #require(throws: KafkaError.self) {
                try await consumer.committedOffsets(for: [place], timeout: .seconds(2))
            }
            #expect(committed.code == .brokerUnreachable)
            self.expectAddressAndReason(committed)
            let partitions = try await #require(throws: KafkaError.self) {
                try await consumer.partitions(of: "orders", timeout: .seconds(2))
            }
            #expect(partitions.code == .brokerUnreachable)
            self.expectAddressAndReason(partitions)
        }
    }

    @Test(arguments: [false, true])
    func readers(subscribes: Bool) async throws {
        var configuration = KafkaConsumer.Configuration(bootstrapServers: self.servers, group: "g")
        configuration.connectTimeout = .seconds(2)
        try await withConsumer(configuration) { consumer in
            if subscribes {
                try await consumer.subscribe(to: ["orders"])
            } else {
                try await consumer.assign([KafkaTopicPartition(topic: "orders", partition: 0): .beginning])
            }
            let error = try await withDeadline(.seconds(30), "the error") {
                await #expect(throws: KafkaError.self) { try await consumer.read(1) }
            }
            #expect(error?.code == .brokerUnreachable)
            #expect(error?.operation == "connect")
            self.expectAddressAndReason(error)
        }
    }

    @Test func aHostThatDoesNotExist() async throws {
        try await withProducer(.init(bootstrapServers: ["no-such-host.invalid:9092"])) { producer in
            let error = try await #require(throws: KafkaError.self) {
                try await producer.partitions(of: "orders", timeout: .seconds(2))
            }
            #expect(error.code == .brokerUnreachable)
            #expect(error.message.contains("no-such-host.invalid:9092"))
        }
    }

    /// A consumer that waits longer for its broker works as soon as that is there.
    @Test func aBrokerThatComesLater() async throws {
        try await withCluster(topics: ["t": 1]) { cluster in
            try await withProducer(.test(cluster)) { try await $0.fill("t", values: ["1"]) }
            try await cluster.stopNode(1)
            var configuration = KafkaConsumer.Configuration.test(cluster)
            configuration.connectTimeout = .seconds(40)
            configuration.additional["reconnect.backoff.max.ms"] = "100"
            let place = KafkaTopicPartition(topic: "t", partition: 0)
            let log = CapturedLog()
            try await withConsumer(configuration, assigned: [place: .beginning], log: log) { consumer in
                let reader = Task { try await consumer.read(1) }
                try await eventually("a failed connection is logged") { log.lines.contains { $0.level <= .info } }
                try await cluster.startNode(1)
                let records = try await withDeadline(.seconds(30), "the record") { try await reader.value }
                #expect(records.map(\.valueString) == ["1"])
            }
        }
    }

    /// Time-outs of calls that wait at the same time do not add up.
    @Test func timeoutsRunSideBySide() async throws {
        try await withDeadline(.seconds(45), "six calls of ten seconds each") {
            let consumer = try KafkaConsumer(
                configuration: .init(bootstrapServers: self.servers),
                logger: CapturedLog().makeLogger()
            )
            await withTaskGroup(of: Void.self) { group in
                for partition in 0..<Int32(6) {
                    group.addTask {
                        await #expect(throws: KafkaError.self) {
                            try await consumer.watermarks(
                                of: KafkaTopicPartition(topic: "t", partition: partition),
                                timeout: .seconds(10)
                            )
                        }
                    }
                }
            }
        }
    }
}

import EmbeddedKafka
import EventStreaming
import KafkaClient
import Logging
import Synchronization
import TestSupport

/// A cluster that tests share, with topics of one test for requests and replies.
struct RequestFixture: Sendable {
    let cluster: EmbeddedKafkaCluster
    let name: String
    let requests: Topic<String, String>
    let replies: Topic<String, String>
    private let guarantee: ProcessingGuarantee

    private static let start = Task {
        let cluster = try EmbeddedKafkaCluster()
        try await cluster.start()
        return cluster
    }
    private static let number = Atomic<Int>(0)

    static func make(
        _ guarantee: ProcessingGuarantee = .atLeastOnce,
        requestPartitions: Int = 1,
        replyPartitions: Int = 3
    ) async throws -> RequestFixture {
        let cluster = try await self.start.value
        let name = "request-\(self.number.add(1, ordering: .relaxed).newValue)"
        let fixture = RequestFixture(
            cluster: cluster,
            name: name,
            requests: Topic("\(name).requests", key: .string, value: .string),
            replies: Topic("\(name).replies", key: .string, value: .string),
            guarantee: guarantee
        )
        try await cluster.createTopic(fixture.requests.name, partitions: requestPartitions)
        try await cluster.createTopic("\(fixture.requests.name).dead-letters", partitions: 1)
        try await cluster.createTopic(fixture.replies.name, partitions: replyPartitions)
        return fixture
    }

    var producing: KafkaProducer.Configuration { .init(bootstrapServers: self.cluster.bootstrapServers) }

    var requesting: RequesterConfiguration { .init(name: "/test", bootstrapServers: self.cluster.bootstrapServers) }

    var logger: Logger { Logger(label: "test") { _ in SwiftLogNoOpLogHandler() } }

    func withResponder(
        handler: @escaping Responder<String, String, String>.Handler,
        _ body: (Responder<String, String, String>) async throws -> Void
    ) async throws {
        var configuration = ProcessorConfiguration(name: self.name, bootstrapServers: self.cluster.bootstrapServers)
        configuration.guarantee = self.guarantee
        configuration.consumer.heartbeatInterval = .milliseconds(100)
        configuration.consumer.sessionTimeout = .seconds(6)
        configuration.producer.linger = .zero
        let responder = Responder(
            configuration,
            answering: self.requests,
            on: self.replies,
            logger: self.logger,
            handler: handler
        )
        let task = Task { try await responder.run() }
        do {
            try await body(responder)
        } catch {
            task.cancel()
            // Why it ended tells more than that nothing came.
            try await task.value
            throw error
        }
        task.cancel()
        try await task.value
    }

    func withRequester(
        _ configuration: RequesterConfiguration? = nil,
        _ body: (Requester<String, String, String>) async throws -> Void
    ) async throws {
        try await EventStreaming.withRequester(
            configuration ?? self.requesting,
            sending: self.requests,
            receiving: self.replies,
            logger: self.logger,
            body
        )
    }
}

extension EmbeddedKafkaCluster {
    /// How many records a topic has, of all its partitions.
    func records(in topic: String) async throws -> Int64 {
        try await withKafkaAdmin(
            .init(bootstrapServers: self.bootstrapServers),
            logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        ) { admin in
            let partitions = try await admin.describeTopics([topic])[topic]?.get().partitions ?? []
            var count: Int64 = 0
            for partition in partitions {
                let place = KafkaTopicPartition(topic: topic, partition: partition.partition)
                count += try await admin.watermarks(of: place).high
            }
            return count
        }
    }
}

import EmbeddedKafka
import EventStreaming
import KafkaClient
import Logging
import Synchronization
import TestSupport

/// A cluster that tests share, with topics of one test: what goes in, what comes out, and what is given up.
struct ProcessorFixture: Sendable {
    let cluster: EmbeddedKafkaCluster
    let name: String
    let input: Topic<String, Int>
    let output: Topic<String, Int>

    var deadLetters: String { "\(self.input.name).dead-letters" }

    private static let start = Task {
        let cluster = try EmbeddedKafkaCluster()
        try await cluster.start()
        return cluster
    }
    private static let number = Atomic<Int>(0)

    /// - Parameter cluster: `nil` is one that all tests share, which makes topics when they are asked for.
    static func make(
        partitions: Int = 1,
        hasDeadLetterTopic: Bool = true,
        on cluster: EmbeddedKafkaCluster? = nil
    ) async throws -> ProcessorFixture {
        let shared = try await self.start.value
        let cluster = cluster ?? shared
        let name = "processor-\(self.number.add(1, ordering: .relaxed).newValue)"
        let fixture = ProcessorFixture(
            cluster: cluster,
            name: name,
            input: Topic("\(name).in", key: .string, value: .decimal),
            output: Topic("\(name).out", key: .string, value: .decimal)
        )
        try await cluster.createTopic(fixture.input.name, partitions: partitions)
        try await cluster.createTopic(fixture.output.name, partitions: partitions)
        if hasDeadLetterTopic {
            try await cluster.createTopic(fixture.deadLetters, partitions: partitions)
        }
        return fixture
    }

    var letters: DeadLetters {
        var configuration = DeadLetters.Configuration(bootstrapServers: self.cluster.bootstrapServers)
        configuration.consumer.fetchMaxWait = .milliseconds(50)
        return DeadLetters(topic: self.deadLetters, configuration: configuration, logger: self.logger)
    }

    /// A configuration whose pauses are short.
    func configuration(_ guarantee: ProcessingGuarantee) -> ProcessorConfiguration {
        var configuration = ProcessorConfiguration(name: self.name, bootstrapServers: self.cluster.bootstrapServers)
        configuration.guarantee = guarantee
        configuration.retry.firstDelay = .milliseconds(2)
        configuration.consumer.heartbeatInterval = .milliseconds(100)
        configuration.consumer.sessionTimeout = .seconds(6)
        configuration.producer.linger = .zero
        return configuration
    }

    func processor(
        _ configuration: ProcessorConfiguration,
        _ handler: @escaping ProcessorInput.Handler<String, Int>
    ) -> Processor {
        Processor(configuration, reading: [self.input], logger: self.logger, handler: handler)
    }

    /// Runs a processor beside `body`, and cancels it.
    func withProcessor(
        _ configuration: ProcessorConfiguration,
        handler: @escaping ProcessorInput.Handler<String, Int>,
        _ body: () async throws -> Void
    ) async throws {
        try await self.running(self.processor(configuration, handler), body)
    }

    /// Runs a processor beside `body`, and cancels it.
    func running(_ processor: Processor, _ body: () async throws -> Void) async throws {
        let task = Task { try await processor.run() }
        do {
            try await body()
        } catch {
            task.cancel()
            // Why it ended tells more than that nothing came.
            try await task.value
            throw error
        }
        task.cancel()
        try await task.value
    }

    /// Sends values of keys to the input.
    func fill(_ messages: [(key: String, value: Int)]) async throws {
        try await withKafkaProducer(.init(bootstrapServers: self.cluster.bootstrapServers), logger: self.logger) {
            let events = EventProducer($0, source: "/test")
            for (key, value) in messages {
                try await events.send(Message(key: key, value: value), to: self.input)
            }
        }
    }

    /// Waits until there are so many letters of a state.
    func letters(_ count: Int, _ state: StoredDeadLetter.State) async throws -> [StoredDeadLetter] {
        var found: [StoredDeadLetter] = []
        try await eventually("\(count) letters that are \(state)") {
            found = try await self.letters.list(state: state)
            return found.count >= count
        }
        return found
    }

    /// How many offsets of the first partition are used, also by transactions that are open.
    func uncommitted(_ topic: String) async throws -> Int64 {
        var configuration = KafkaConsumer.Configuration(bootstrapServers: self.cluster.bootstrapServers)
        configuration.isolationLevel = .readUncommitted
        return try await withKafkaConsumer(configuration, logger: self.logger) { consumer in
            try await consumer.watermarks(of: KafkaTopicPartition(topic: topic, partition: 0)).high
        }
    }

    /// Sends a record as it is to the input.
    func send(_ record: KafkaProducerRecord) async throws {
        try await withKafkaProducer(.init(bootstrapServers: self.cluster.bootstrapServers), logger: self.logger) {
            _ = try await $0.send(record)
        }
    }

    /// Reads a topic's committed records until there are so many, and for a moment more in which no other may come.
    func read(_ topic: String, count: Int) async throws -> [KafkaRecord] {
        let partitions = try await withKafkaProducer(
            .init(bootstrapServers: self.cluster.bootstrapServers),
            logger: self.logger
        ) { try await $0.partitions(of: topic) }
        let places = partitions.map { (KafkaTopicPartition(topic: topic, partition: $0), KafkaOffset.beginning) }
        let records = Collected<KafkaRecord>()
        let consumer = try KafkaConsumer(
            configuration: .init(bootstrapServers: self.cluster.bootstrapServers),
            logger: self.logger
        )
        let reader = Task {
            try await consumer.assign(Dictionary(uniqueKeysWithValues: places))
            for try await record in consumer.records { records.append(record.detached()) }
        }
        defer { reader.cancel() }
        try await eventually("\(count) records in \(topic)") { records.count >= count }
        let end = ContinuousClock.now + .milliseconds(200)
        try await eventually("a moment") { ContinuousClock.now >= end }
        await consumer.close()
        return records.elements
    }

    var logger: Logger { Logger(label: "test") { _ in SwiftLogNoOpLogHandler() } }
}

/// Runs `body` with a cluster of its own that makes no topic because it is asked for.
func withStrictCluster(_ body: (EmbeddedKafkaCluster) async throws -> Void) async throws {
    var configuration = EmbeddedKafkaCluster.Configuration()
    configuration.createsTopicsAutomatically = false
    try await withEmbeddedKafka(configuration) { try await body($0) }
}

/// What a handler of a test throws.
struct HandlerFailure: Error, CustomStringConvertible {
    let description: String
}

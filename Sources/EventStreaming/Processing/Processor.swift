public import KafkaClient
public import Logging

/// Reads messages of typed topics, has each handled, and sends what the handler answers: a service.
///
/// ```swift
/// let payments = Processor(
///     .init(name: "payments", bootstrapServers: ["localhost:9092"]),
///     reading: [orders]
/// ) { message, output in
///     let order = try message.value
///     try output.send(Message(key: order.id, value: authorise(order)), to: paymentEvents)
/// }
/// try await payments.run()
/// ```
///
/// Instances of the same name share the partitions. Messages that belong together (``ProcessorConfiguration/ordering``) are
/// handled one after the other, others beside each other. A message whose handler throws is handled again, becomes a dead
/// letter, or stops the processor, as its configuration says. A handler is to suspend rather than block, and may be run again
/// for the same message at any time.
public final class Processor: Sendable {
    private let configuration: ProcessorConfiguration
    private let inputs: [ProcessorInput]
    private let monitor: ProcessorMonitor
    private let logger: Logger
    private let clientLogger: Logger

    /// Makes a processor of several topics; nothing is connected before it runs.
    ///
    /// - Parameters:
    ///   - configuration: how it works.
    ///   - inputs: the topics to read, each with its handler.
    ///   - logger: takes what the processor has to say.
    ///   - clientLogger: takes what its clients have to say; `nil` is the same.
    public init(
        _ configuration: ProcessorConfiguration,
        inputs: [ProcessorInput],
        logger: Logger = Logger(label: "EventStreaming.Processor"),
        clientLogger: Logger? = nil
    ) {
        self.configuration = configuration
        self.inputs = inputs
        self.monitor = ProcessorMonitor(configuration, topics: inputs.map(\.topic))
        var logger = logger
        logger[metadataKey: "processor"] = "\(configuration.name)"
        self.logger = logger
        self.clientLogger = clientLogger ?? logger
    }

    /// Makes a processor of topics whose messages are of the same kind; nothing is connected before it runs.
    ///
    /// - Parameters:
    ///   - configuration: how it works.
    ///   - topics: the topics to read.
    ///   - logger: takes what the processor has to say.
    ///   - clientLogger: takes what its clients have to say; `nil` is the same.
    ///   - handler: handles one message, and throws where it can't.
    public convenience init<Key, Value>(
        _ configuration: ProcessorConfiguration,
        reading topics: [Topic<Key, Value>],
        logger: Logger = Logger(label: "EventStreaming.Processor"),
        clientLogger: Logger? = nil,
        handler: @escaping ProcessorInput.Handler<Key, Value>
    ) {
        self.init(
            configuration,
            inputs: topics.map { ProcessorInput($0, handler: handler) },
            logger: logger,
            clientLogger: clientLogger
        )
    }

    /// How it is doing now.
    public var status: ProcessorStatus { self.monitor.status }

    /// How far the processor is behind the ends of its partitions: a question to the brokers.
    ///
    /// - Returns: nothing while it does not run.
    /// - Throws: as `KafkaConsumer.lag(timeout:)`.
    public func lag(timeout: Duration = .seconds(10)) async throws -> [KafkaTopicPartition: KafkaLag] {
        try await self.monitor.consumer?.lag(timeout: timeout) ?? [:]
    }

    /// Processes messages until the task is cancelled: then what is being handled is left, or finished where it can be, and
    /// the processor leaves its group.
    ///
    /// - Throws: ``ProcessorError`` for a configuration that can't work, and when an error stopped it; `KafkaError` of the
    ///   clients. It does not throw when it is cancelled.
    public func run() async throws {
        try self.configuration.check(inputs: self.inputs.map(\.topic))
        try self.monitor.starts()
        do {
            try await withKafkaProducer(self.configuration.producerConfiguration, logger: self.clientLogger) {
                producer in
                try await self.checkDeadLetterTopics(producer)
                try await withKafkaConsumer(
                    self.configuration.consumerConfiguration,
                    subscribedTo: self.inputs.map(\.topic),
                    logger: self.clientLogger
                ) { consumer in
                    self.monitor.runs(with: consumer)
                    try await self.process(consumer, producer)
                }
            }
            self.monitor.ended()
        } catch is CancellationError where Task.isCancelled {
            // Asked to end.
            self.monitor.ended()
        } catch {
            self.monitor.ended(error)
            throw error
        }
    }

    private func process(_ consumer: KafkaConsumer, _ producer: KafkaProducer) async throws {
        let handling = MessageHandling(
            configuration: self.configuration,
            inputs: Dictionary(self.inputs.map { ($0.topic, $0) }) { first, _ in first },
            monitor: self.monitor,
            logger: self.logger
        )
        switch self.configuration.guarantee {
        case .atLeastOnce:
            try await consumer.process(
                through: producer,
                ordering: self.configuration.ordering,
                concurrency: self.configuration.concurrency,
                window: self.configuration.window
            ) { record in try await handling.outcome(of: record) }
        case .exactlyOnce:
            let lanes = BatchLanes(ordering: self.configuration.ordering, limit: self.configuration.concurrency)
            let interval = self.configuration.commitInterval ?? .zero
            try await consumer.transform(through: producer, interval: interval) { batch, transaction in
                try await lanes.forEach(in: batch) { record in
                    try await record.withProcessSpan {
                        for output in try await handling.outcome(of: record) {
                            try await transaction.enqueue(output)
                        }
                    }
                }
            }
        }
    }

    /// A dead letter that has nowhere to go would stop the processor in the middle of the night.
    private func checkDeadLetterTopics(_ producer: KafkaProducer) async throws {
        guard let policy = self.configuration.deadLetters else { return }
        for topic in Set(self.inputs.map { policy.topic($0.topic) }).sorted() {
            do {
                _ = try await producer.partitions(of: topic, timeout: .seconds(30))
            } catch let error as KafkaError where error.code == .unknownTopicOrPartition {
                throw ProcessorError(
                    .configuration,
                    processor: self.configuration.name,
                    message: "the topic for dead letters, \(topic), does not exist: create it, or set `deadLetters`",
                    cause: error
                )
            }
        }
    }
}

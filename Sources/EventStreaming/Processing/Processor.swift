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
    private let routes: RetryRoutes
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
        self.routes = RetryRoutes(configuration, inputs: inputs)
        self.monitor = ProcessorMonitor(configuration, topics: self.routes.topics)
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
                try await self.run(producer)
            }
            self.monitor.ended()
        } catch is CancellationError where Task.isCancelled {
            // Asked to end.
            self.monitor.ended()
        } catch is KafkaError where Task.isCancelled {
            // What was on its way when it was asked to end had no answer in time: it is done again.
            self.monitor.ended()
        } catch {
            self.monitor.ended(error)
            throw error
        }
    }

    private func run(_ producer: KafkaProducer) async throws {
        let topics = ProcessorTopics(configuration: self.configuration, routes: self.routes)
        let handling = MessageHandling(
            configuration: self.configuration,
            routes: self.routes,
            ordered: OrderedLetters(self.configuration, logger: self.clientLogger),
            letterPartitions: try await topics.check(inputs: self.inputs.map(\.topic), producer),
            monitor: self.monitor,
            logger: self.logger
        )
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await self.runInputs(handling, producer) }
            for (delay, topics) in self.routes.tiers {
                let tier = RetryTier(delay: delay, topics: topics, handling: handling, logger: self.clientLogger)
                group.addTask { try await tier.run(producer) }
            }
            defer { group.cancelAll() }
            while try await group.next() != nil { group.cancelAll() }
        }
    }

    private func runInputs(_ handling: MessageHandling, _ producer: KafkaProducer) async throws {
        var configuration = self.configuration.consumerConfiguration
        handling.ordered?.observe(&configuration)
        try await withKafkaConsumer(
            configuration,
            subscribedTo: self.inputs.map(\.topic),
            logger: self.clientLogger
        ) { consumer in
            self.monitor.runs(with: consumer)
            try await self.process(consumer, producer, handling)
        }
    }

    private func process(
        _ consumer: KafkaConsumer,
        _ producer: KafkaProducer,
        _ handling: MessageHandling
    ) async throws {
        switch self.configuration.guarantee {
        case .atLeastOnce:
            let sink = ProducerSink(producer: producer)
            try await consumer.process(
                through: producer,
                ordering: self.configuration.ordering,
                concurrency: self.configuration.concurrency,
                window: self.configuration.window
            ) { record in try await handling.handle(record, sink) }
        case .exactlyOnce:
            let lanes = BatchLanes(ordering: self.configuration.ordering, limit: self.configuration.concurrency)
            let interval = self.configuration.commitInterval ?? .zero
            try await consumer.transform(through: producer, interval: interval) { batch, transaction in
                handling.ordered?.begin(transaction)
                let sink = TransactionSink(transaction: transaction)
                try await lanes.forEach(in: batch) { record in
                    try await record.withProcessSpan { try await sink.send(handling.handle(record, sink)) }
                }
            }
        }
    }
}

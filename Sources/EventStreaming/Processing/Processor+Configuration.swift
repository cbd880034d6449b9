public import KafkaClient

/// What a processor promises of each message.
public enum ProcessingGuarantee: Sendable, Hashable {
    /// What is sent for a message, and that it is processed, become true together, in a transaction: readers of committed
    /// records see the outputs of each message once. A handler's effects elsewhere are not part of it.
    case exactlyOnce
    /// A message is processed when all that was sent for it is acknowledged. After a crash some are processed again, and sent
    /// for again.
    case atLeastOnce
}

/// How a ``Processor`` works.
public struct ProcessorConfiguration: Sendable {
    /// The name: that of its consumer group unless ``consumer`` has one, and the source of the events that it sends.
    public var name: String
    /// A name of this instance that it has again when it is restarted, and no other instance has: a host's name, the number
    /// of a replica. Default: `nil`, none.
    ///
    /// With it a restarted instance takes its place in the group again at once (static membership, KIP-345), and, exactly
    /// once, ends the transaction that it left open when it died. Without it the group waits for `consumer.sessionTimeout`,
    /// and for `producer.transactionTimeout`.
    public var instance: String?
    /// What it promises. Default: exactly once.
    public var guarantee = ProcessingGuarantee.exactlyOnce
    /// Which messages wait for each other. Default: those with equal keys.
    public var ordering = KafkaConsumer.ProcessingOrder.key
    /// How many handlers run at a time, of all partitions together. Default: 16.
    public var concurrency = 16
    /// At least once: how many messages of a partition may be in memory, from the oldest one that is not done; a full window
    /// stops the reading of its partition. Default: 1,000. Exactly once works by batches of
    /// `KafkaConsumer.Configuration.maxBatchRecords` instead.
    public var window = 1_000
    /// At least once: how often what is processed is committed, 5 s unless it is given. Exactly once: the time from one
    /// transaction to the next, unless a whole batch of messages waits; without it a transaction has what came while the one
    /// before was being committed. Default: `nil`.
    public var commitInterval: Duration?
    /// How often, and after which pauses, a message is handled again.
    public var retry = RetryPolicy()
    /// Where messages wait that are handled again later, once the attempts of ``retry`` are used up. Default: `nil`, nowhere; they
    /// are dead letters then.
    public var retryTopics: RetryTopics?
    /// What becomes of a message whose handler threw this error. Default: ``ErrorAction/standard(_:)``.
    public var errorAction: @Sendable (any Error) -> ErrorAction = { .standard($0) }
    /// Where messages go that can't be processed; without, the processor ends at the first one. Default: topics with the
    /// suffix `.dead-letters`.
    public var deadLetters: DeadLetterPolicy? = DeadLetterPolicy()
    /// The extension attributes (``EventMetadata/extensions``) that messages take over from the one that they come of.
    /// Default: none.
    public var carriedExtensions: Set<String> = []
    /// Metrics of the processor and of its consumer. Default: `nil`, none.
    public var metrics: ProcessorMetrics?
    /// The consumer. Its commit policy is the processor's affair.
    public var consumer: KafkaConsumer.Configuration
    /// The producer. Exactly once, it gets a transactional id where it has none: that of the ``instance``, or a new one.
    public var producer: KafkaProducer.Configuration

    /// Makes a configuration with the defaults.
    ///
    /// - Parameters:
    ///   - name: names the processor, its group, and its events' source.
    ///   - bootstrapServers: `host:port` of some brokers.
    public init(name: String, bootstrapServers: [String]) {
        self.name = name
        self.consumer = KafkaConsumer.Configuration(bootstrapServers: bootstrapServers, group: name)
        self.producer = KafkaProducer.Configuration(bootstrapServers: bootstrapServers)
    }

    /// Throws when the parts do not go together.
    func check(inputs: [String]) throws(ProcessorError) {
        func fail(_ message: String) -> ProcessorError {
            ProcessorError(.configuration, processor: self.name, message: message)
        }
        if self.name.isEmpty { throw fail("`name` is empty") }
        if self.instance?.isEmpty == true { throw fail("`instance` is empty") }
        // The name and it make up a transactional id, which no other two may make.
        if self.instance?.contains("/") == true { throw fail("`instance` has a slash in it") }
        if inputs.isEmpty { throw fail("there is no topic to read") }
        if let twice = inputs.first(where: { topic in inputs.count { $0 == topic } > 1 }) {
            throw fail("\(twice) is read twice")
        }
        if let problem = self.retry.problem { throw fail("`retry`: \(problem)") }
        if let commitInterval, commitInterval < .milliseconds(1) || commitInterval >= self.consumer.maxPollInterval {
            throw fail(
                "`commitInterval` is \(commitInterval): it must be from 1 ms to less than `consumer.maxPollInterval` "
                    + "(\(self.consumer.maxPollInterval))"
            )
        }
        if !(1...10_000).contains(self.concurrency) {
            throw fail("`concurrency` is \(self.concurrency): it must be from 1 to 10,000")
        }
        let longestWait = max(self.retry.longestWait, self.retryTopics?.retry.longestWait ?? .zero)
        if longestWait >= self.consumer.maxPollInterval {
            throw fail(
                "`retry` may keep a message for \(longestWait), and the group takes the partition away after "
                    + "`consumer.maxPollInterval` (\(self.consumer.maxPollInterval)): give it fewer or shorter pauses"
            )
        }
        if self.guarantee == .exactlyOnce, longestWait >= self.producer.transactionTimeout {
            throw fail(
                "`retry` may keep a message for \(longestWait), and the brokers abort its transaction after "
                    + "`producer.transactionTimeout` (\(self.producer.transactionTimeout)): give it fewer or shorter pauses"
            )
        }
        if let problem = self.deadLetters?.problem(inputs: inputs) { throw fail(problem) }
        if self.deadLetters?.isOrdered == true, self.ordering == .unordered {
            throw fail("`deadLetters` is to keep the order of keys, and `ordering` is unordered")
        }
        if let problem = self.retryTopics?.problem(inputs: inputs, deadLetters: self.deadLetters) {
            throw fail(problem)
        }
    }

    /// The consumer's configuration as the guarantee needs it.
    var consumerConfiguration: KafkaConsumer.Configuration {
        var configuration = self.consumer
        configuration.group = configuration.group ?? self.name
        configuration.groupInstanceID = configuration.groupInstanceID ?? self.instance
        if let metrics, configuration.metrics == nil {
            configuration.metrics = KafkaMetrics(interval: metrics.interval, factory: metrics.factory)
            configuration.metrics?.labels = metrics.labels
        }
        switch self.guarantee {
        case .exactlyOnce: configuration.commitPolicy = .manual
        case .atLeastOnce:
            if let commitInterval {
                configuration.commitPolicy = .afterProcessing(interval: commitInterval)
            } else if configuration.commitPolicy == .manual {
                configuration.commitPolicy = .afterProcessing(interval: .seconds(5))
            }
        }
        return configuration
    }

    /// The configuration of a producer that only asks brokers.
    var lookupConfiguration: KafkaProducer.Configuration {
        var configuration = self.producer
        configuration.transactionalID = nil
        return configuration
    }

    /// The producer's configuration as the guarantee needs it.
    var producerConfiguration: KafkaProducer.Configuration {
        var configuration = self.producer
        switch self.guarantee {
        case .exactlyOnce:
            configuration.transactionalID =
                configuration.transactionalID ?? "\(self.name)/\(self.instance ?? EventID.next())"
        case .atLeastOnce: configuration.transactionalID = nil
        }
        return configuration
    }
}

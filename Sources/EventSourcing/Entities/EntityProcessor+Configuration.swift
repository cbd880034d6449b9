public import EventStreaming
public import KafkaClient

/// Where an ``EntityProcessor`` keeps states on the disk of its machine, so that it need not read all events when it starts.
public struct EntitySnapshots<State: Sendable>: Sendable {
    /// The folder of the files, one for each partition. What is in it may be deleted at any time.
    public var folder: String
    /// The number of the form that states have now: raise it when the state or `evolve` changes.
    public var form: Int
    /// How states are written and read.
    public var serde: Serde<State>
    /// How many events of a partition lie between two snapshots. Default: 100,000.
    public var interval = 100_000

    /// Makes a description; nothing is read or written.
    public init(folder: String, form: Int = 1, serde: Serde<State>) {
        self.folder = folder
        self.form = form
        self.serde = serde
    }
}

/// How an ``EntityProcessor`` works.
public struct EntityProcessorConfiguration<State: Sendable>: Sendable {
    /// The name: that of its consumer group unless ``consumer`` has one, and the source of its events.
    public var name: String
    /// A name of this instance that it has again when it is restarted, and no other instance has: without it the others, and the
    /// readers of its events, wait for time-outs when it dies (`ProcessorConfiguration.instance`). Default: `nil`, none.
    public var instance: String?
    /// What kind of entities they are; `nil` is the name.
    public var category: String?
    /// The topic of the replies to whoever waits (``CommandBus``); `nil` replies to nobody. Default: `nil`.
    public var replies: String?
    /// Where commands go that can't be read, or bring about what can't be written. Without it they are passed over, with a line in the
    /// log, and whoever waits for a reply is told; but an event of a type that is not registered ends the processor
    /// (``EntityProcessorError/Code/failed``). Default: `nil`.
    public var deadLetters: String?
    /// How many commands of a partition are remembered, so that a repetition gets the outcome of the first time. Default: 100,000.
    public var deduplicationWindow = 100_000
    /// How states are kept on this machine's disk; `nil` reads all events of a partition when it starts. Default: `nil`.
    public var snapshots: EntitySnapshots<State>?
    /// How long nothing may come, while states are restored, before that fails: a transaction may be open. Default: 2 minutes.
    public var restoreTimeout = Duration.seconds(120)
    /// The consumer. `maxBatchRecords` is how many commands go into one transaction at most.
    public var consumer: KafkaConsumer.Configuration
    /// The producer. It gets a transactional id where it has none: that of the instance, or a new one.
    public var producer: KafkaProducer.Configuration

    /// Makes a configuration with the defaults.
    ///
    /// - Parameters:
    ///   - name: names the processor, its group, and its events' source.
    ///   - bootstrapServers: `host:port` of some brokers.
    public init(name: String, bootstrapServers: [String]) {
        self.name = name
        self.consumer = KafkaConsumer.Configuration(bootstrapServers: bootstrapServers)
        self.producer = KafkaProducer.Configuration(bootstrapServers: bootstrapServers)
    }

    /// Throws when it can't be used.
    func check() throws(EntityProcessorError) {
        func fail(_ message: String) -> EntityProcessorError { EntityProcessorError(.configuration, message) }
        if self.name.isEmpty { throw fail("`name` is empty") }
        if self.instance?.isEmpty == true || self.instance?.contains("/") == true {
            throw fail("`instance` is empty, or has a slash in it")
        }
        if self.category?.isEmpty == true { throw fail("`category` is empty") }
        if self.deduplicationWindow < 0 { throw fail("`deduplicationWindow` is \(self.deduplicationWindow)") }
        if let snapshots, snapshots.interval < 1 { throw fail("`snapshots.interval` is \(snapshots.interval)") }
    }

    var consumerConfiguration: KafkaConsumer.Configuration {
        var configuration = self.consumer
        configuration.group = configuration.group ?? self.name
        configuration.groupInstanceID = configuration.groupInstanceID ?? self.instance
        configuration.commitPolicy = .manual
        configuration.isolationLevel = .readCommitted
        return configuration
    }

    var producerConfiguration: KafkaProducer.Configuration {
        var configuration = self.producer
        configuration.transactionalID =
            configuration.transactionalID ?? "\(self.name)/\(self.instance ?? EventID.next())"
        return configuration
    }
}

/// Why an ``EntityProcessor`` can't go on.
public struct EntityProcessorError: Error, Sendable, CustomStringConvertible {
    /// The kind of the error.
    public struct Code: Sendable, Hashable {
        private enum Value: Hashable {
            case configuration
            case restore
            case failed
        }

        private let value: Value

        /// The configuration, or the topics, can't be used; the message says what to change.
        public static let configuration = Code(value: .configuration)
        /// The states of a partition could not be restored from its events.
        public static let restore = Code(value: .restore)
        /// A command brings about an event of a type that is not registered, and there is no topic for dead letters.
        public static let failed = Code(value: .failed)
    }

    /// The kind of the error.
    public let code: Code
    /// What went wrong.
    public let message: String
    /// What was the reason.
    public let cause: (any Error)?

    init(_ code: Code, _ message: String, cause: (any Error)? = nil) {
        self.code = code
        self.message = message
        self.cause = cause
    }

    /// The message, and the reason.
    public var description: String {
        self.cause.map { "\(self.message): \($0)" } ?? self.message
    }
}

/// How an ``EntityProcessor`` is doing.
public struct EntityProcessorStatus: Sendable, Hashable {
    /// Whether it runs.
    public var phase = RunPhase.idle
    /// What ended it, in words.
    public var problem: String?
    /// How many commands were accepted since it was started, also those after which nothing happened.
    public var accepted = 0
    /// How many commands the rules rejected.
    public var rejected = 0
    /// How many commands had been handled before.
    public var repeated = 0
    /// How many commands came too late: nobody waited for them any more.
    public var expired = 0
    /// How many commands could not be read.
    public var unreadable = 0
    /// How many commands brought about what could not be written.
    public var failed = 0
    /// How many events were written.
    public var events = 0
    /// How many events were read to restore states.
    public var restored = 0
    /// How many entities it has in memory, per partition that is restored.
    public var entities: [Int32: Int] = [:]
}

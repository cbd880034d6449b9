public import KafkaClient
public import Logging

/// A topic of dead letters: what is in it, and a way back for its messages.
///
/// ```swift
/// let letters = DeadLetters(topic: "orders.dead-letters", bootstrapServers: ["localhost:9092"])
/// for stored in try await letters.list(state: .outstanding) {
///     print(stored.position, stored.letter?.error ?? "")
/// }
/// let replay = try await letters.replay(.errorType("PaymentError"))
/// print(replay.replayed, replay.replayedBefore)
/// ```
///
/// The topic is a log of letters, which processors write, and of marks (records with the header `kstream-dead-letter-mark`),
/// which say what became of them. Nothing in it is changed or deleted, so it needs the cleanup policy `delete`, and keeps
/// letters as long as its retention says. Records that others wrote there are told as foreign and otherwise left alone.
public struct DeadLetters: Sendable {
    /// How a topic of dead letters is read and replayed.
    public struct Configuration: Sendable {
        /// How it is read; the group, the isolation level and the hooks do not count.
        public var consumer: KafkaConsumer.Configuration
        /// How copies are sent. Without a transactional id it gets `kstream-dead-letters-` and the name of the topic, so that of
        /// two replays of one topic the older one is fenced, wherever they run.
        public var producer: KafkaProducer.Configuration
        /// A letter that has been given up so often is not replayed unless that is forced. Default: 5.
        public var maxCount = 5
        /// How many letters that are not settled a replay may keep in memory, of all partitions together; each takes some 200
        /// bytes and its key. Default: 1,000,000.
        public var maxLetters = 1_000_000
        /// How many letters go into one transaction. Default: 100.
        public var batchSize = 100
        /// How long nothing may come before the end of the topic, such as the records of an open transaction. Default: 2 minutes.
        public var patience = Duration.seconds(120)

        /// Makes a configuration with the defaults.
        ///
        /// - Parameter bootstrapServers: `host:port` of some brokers.
        public init(bootstrapServers: [String]) {
            self.consumer = KafkaConsumer.Configuration(bootstrapServers: bootstrapServers)
            self.producer = KafkaProducer.Configuration(bootstrapServers: bootstrapServers)
        }
    }

    /// The topic of dead letters.
    public let topic: String
    let configuration: Configuration
    let logger: Logger

    /// Names a topic of dead letters; nothing is connected before something is asked.
    ///
    /// - Parameters:
    ///   - topic: the topic of dead letters.
    ///   - configuration: how it is read and replayed.
    ///   - logger: takes what the clients have to say.
    public init(
        topic: String,
        configuration: Configuration,
        logger: Logger = Logger(label: "EventStreaming.DeadLetters")
    ) {
        self.topic = topic
        self.configuration = configuration
        self.logger = logger
    }

    /// Names a topic of dead letters, to be read and replayed as the defaults say.
    ///
    /// - Parameters:
    ///   - topic: the topic of dead letters.
    ///   - bootstrapServers: `host:port` of some brokers.
    public init(topic: String, bootstrapServers: [String]) {
        self.init(topic: topic, configuration: Configuration(bootstrapServers: bootstrapServers))
    }

    var reader: TopicReader {
        TopicReader(self.configuration.consumer, patience: self.configuration.patience, logger: self.logger)
    }

    /// Reads records of the topic, and tells its own errors.
    func read(
        _ ranges: [KafkaTopicPartition: Range<Int64>],
        _ body: (KafkaConsumerRecord) async throws -> Bool
    ) async throws {
        do {
            try await self.reader.read(ranges, body)
        } catch let error as TopicReader.PatienceExceeded {
            throw DeadLetterError(.timedOut, topic: self.topic, message: error.description)
        }
    }

    /// What each partition of the topic holds now.
    ///
    /// - Throws: `KafkaError`, with the code `unknownTopicOrPartition` when the topic does not exist.
    func ranges() async throws -> [KafkaTopicPartition: Range<Int64>] {
        let reader = self.reader
        let partitions = try await reader.partitions(of: self.topic)
            .map { KafkaTopicPartition(topic: self.topic, partition: $0) }
        return try await reader.watermarks(of: partitions).mapValues { $0.low..<max($0.low, $0.high) }
    }
}

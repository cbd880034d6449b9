internal import EventStreaming
public import KafkaClient
public import Logging
public import Metrics
internal import Synchronization

/// How an ``OutboxRelay`` works.
public struct OutboxRelayConfiguration: Sendable {
    /// Its name: the transactional id of its producer, and its key in ``positionTopic``. Of relays with the same name one works: a
    /// second one takes over, and the first one ends with `KafkaError` and the code `fenced`. Without a ``positionTopic`` nothing
    /// keeps them apart, and both publish.
    public var name: String
    /// The topic where it notes, in the transaction of what it publishes, how far it has come. With it everything is published
    /// exactly once; it is made, compacted and with one partition, where there is none. `nil` publishes at least once: after a
    /// crash some records come again, with the same ids. Default: `outbox-positions`.
    public var positionTopic: String? = "outbox-positions"
    /// How many records go into one transaction at most. Default: 500.
    public var batchSize = 500
    /// Where metrics are made: `outbox_relay_published_total`, `outbox_relay_backlog` (records) and `outbox_relay_age_seconds`, all
    /// with the label `relay`. Default: `nil`, none.
    public var metrics: (any MetricsFactory)?
    /// The producer. Its `transactionalID` is the relay's affair.
    public var producer: KafkaProducer.Configuration

    /// Makes a configuration with the defaults.
    ///
    /// - Parameters:
    ///   - name: tells the outbox from all others of the cluster.
    ///   - bootstrapServers: `host:port` of some brokers.
    public init(name: String, bootstrapServers: [String]) {
        self.name = name
        self.producer = KafkaProducer.Configuration(bootstrapServers: bootstrapServers)
    }
}

/// How an ``OutboxRelay`` is doing.
public struct OutboxRelayStatus: Sendable, Hashable {
    /// Whether it runs.
    public var phase = RunPhase.idle
    /// What ended it, in words.
    public var problem: String?
    /// How many records it has published since it was started.
    public var published = 0
    /// How many records were published before it was started, and had not been removed.
    public var recovered = 0
    /// The position of the last record that was published.
    public var position: Int64 = 0
    /// What waited when it last looked.
    public var backlog = OutboxBacklog(count: 0, oldest: nil)
}

/// Publishes what is in an outbox to Kafka, in order, and removes it.
///
/// ```swift
/// let relay = OutboxRelay(outbox, .init(name: "shop", bootstrapServers: ["localhost:9092"]))
/// try await relay.run()
/// ```
///
/// The order is that of the outbox, over all topics. A record that can't be sent ends it, since what follows must not overtake:
/// the error names it.
public final class OutboxRelay<Storage: OutboxStorage>: Sendable {
    private let storage: Storage
    private let configuration: OutboxRelayConfiguration
    private let logger: Logger
    private let state = Mutex(OutboxRelayStatus())
    private let metrics: OutboxMetrics?

    /// How long a record of a transaction that is still open is waited for when it starts.
    private static var patience: Duration { .seconds(90) }

    /// Makes a relay; nothing is connected before it runs.
    public init(
        _ storage: Storage,
        _ configuration: OutboxRelayConfiguration,
        logger: Logger = Logger(label: "EventSourcing.OutboxRelay")
    ) {
        self.storage = storage
        self.configuration = configuration
        var logger = logger
        logger[metadataKey: "relay"] = "\(configuration.name)"
        self.logger = logger
        self.metrics = configuration.metrics.map { OutboxMetrics($0, relay: configuration.name) }
    }

    /// How it is doing.
    public var status: OutboxRelayStatus { self.state.withLock { $0 } }

    /// Publishes until the task is cancelled.
    ///
    /// - Throws: ``OutboxRelayError``; `KafkaError`, with the code `fenced` when another relay of the same name has taken over; what
    ///   the storage throws. It does not throw when it is cancelled.
    public func run() async throws {
        guard !self.configuration.name.isEmpty, self.configuration.batchSize > 0 else {
            throw OutboxRelayError("a relay needs a name, and a `batchSize` of at least 1")
        }
        try self.state.withLock { state throws(OutboxRelayError) in
            guard state.phase != .running else { throw OutboxRelayError("\(self.configuration.name) runs already") }
            state = OutboxRelayStatus()
            state.phase = .running
        }
        var configuration = self.configuration.producer
        if self.configuration.positionTopic != nil {
            configuration.transactionalID = "outbox/\(self.configuration.name)"
        }
        do {
            if let topic = self.configuration.positionTopic { try await self.ensureTopic(topic) }
            try await withKafkaProducer(configuration, logger: self.logger) { producer in
                if self.configuration.positionTopic != nil {
                    // Whoever was before is fenced, and what it left open is aborted: its position is the last one.
                    try await producer.initializeTransactions(timeout: .seconds(60))
                }
                try await self.publish(producer)
            }
            self.state.withLock { $0.phase = .ended }
        } catch  where Task.isCancelled {
            self.state.withLock { $0.phase = .ended }
        } catch {
            self.state.withLock { state in
                state.phase = .failed
                state.problem = "\(error)"
            }
            throw error
        }
    }

    private func publish(_ producer: KafkaProducer) async throws {
        var position = try await self.resume()
        while true {
            let entries = try await self.storage.entries(after: position, limit: self.configuration.batchSize)
            try await self.look()
            guard let last = entries.last else {
                try await self.storage.waitForEntries(after: position)
                continue
            }
            let published: [KafkaTopicPartition: Int64]
            do {
                published = try await self.publish(entries, through: last, producer)
            } catch let error as KafkaError where error.code == .outcomeUnknown && !Task.isCancelled {
                // What became of it is told by the topic of positions.
                position = try await self.resume()
                continue
            }
            position = last.position
            try await self.storage.remove(through: position, published: published)
            self.state.withLock { state in
                state.published += entries.count
                state.position = last.position
            }
            self.metrics?.published.increment(by: entries.count)
        }
    }

    /// - Returns: the offsets behind the last records, of each partition.
    private func publish(
        _ entries: [OutboxEntry],
        through last: OutboxEntry,
        _ producer: KafkaProducer
    ) async throws -> [KafkaTopicPartition: Int64] {
        guard let topic = self.configuration.positionTopic else {
            return try self.positions(of: entries, try await producer.send(contentsOf: entries.map(\.record)))
        }
        let identity = try await self.storage.identity().id
        let mark = KafkaProducerRecord(
            topic: topic,
            partition: 0,
            key: Array(self.configuration.name.utf8),
            value: Array("\(identity) \(last.position) \(last.digest)".utf8)
        )
        return try await producer.withTransaction(attempts: 10) { transaction in
            let results = try await transaction.send(contentsOf: entries.map(\.record) + [mark])
            let positions = try self.positions(of: entries, results)
            // Nothing is published without the mark.
            if let error = results.last?.failure { throw error }
            return positions
        }
    }

    /// - Throws: ``OutboxRelayError`` for a record that can't be published; `KafkaError`.
    private func positions(
        of entries: [OutboxEntry],
        _ results: [Result<KafkaRecordMetadata, KafkaError>]
    ) throws -> [KafkaTopicPartition: Int64] {
        var positions: [KafkaTopicPartition: Int64] = [:]
        for (entry, result) in zip(entries, results) {
            try self.check(result, entry)
            let metadata = try result.get()
            guard let offset = metadata.offset else { continue }
            let place = KafkaTopicPartition(topic: entry.record.topic, partition: metadata.partition)
            positions[place] = max(positions[place] ?? 0, offset + 1)
        }
        return positions
    }

    private func check(_ result: Result<KafkaRecordMetadata, KafkaError>, _ entry: OutboxEntry) throws {
        guard let error = result.failure else { return }
        // These are about the record; others are not, and may pass.
        guard [.messageTooLarge, .unknownTopicOrPartition, .invalidRecord, .topicAuthorization].contains(error.code)
        else { throw error }
        throw OutboxRelayError(
            "the record \(entry.position), for \(entry.record.topic), can't be published",
            cause: error
        )
    }

    private func look() async throws {
        let backlog = try await self.storage.backlog()
        self.state.withLock { $0.backlog = backlog }
        self.metrics?.report(backlog)
    }

    // MARK: The position

    /// Finds out how far it, or the one before it, has come, and removes what was published.
    private func resume() async throws -> Int64 {
        guard let topic = self.configuration.positionTopic else { return 0 }
        let identity = try await self.storage.identity()
        let place = KafkaTopicPartition(topic: topic, partition: 0)
        let (position, digest) = try await self.lastPosition(in: place, of: identity.id)
        let last = try await self.storage.entries(after: position - 1, limit: 1).first { $0.position == position }
        guard position <= identity.lastPosition, last.map({ digest == nil || $0.digest == digest }) != false else {
            throw OutboxRelayError(
                "the outbox has come to position \(identity.lastPosition), and position \(position) was published already, "
                    + "with another record or before it was there: the outbox is older than what was published, as from a "
                    + "backup. Give the relay another name, or make the outbox anew"
            )
        }
        let waiting = try await self.storage.backlog().count
        try await self.storage.remove(through: position, published: try await self.ends(ofRecordsThrough: position))
        let left = try await self.storage.backlog().count
        self.state.withLock { state in
            state.position = position
            state.recovered += max(0, waiting - left)
        }
        if waiting > left {
            self.logger.info("records had been published already", metadata: ["count": "\(waiting - left)"])
        }
        return position
    }

    private var reader: TopicReader {
        var consumer = KafkaConsumer.Configuration(bootstrapServers: self.configuration.producer.bootstrapServers)
        consumer.security = self.configuration.producer.security
        return TopicReader(consumer, patience: Self.patience, logger: self.logger)
    }

    /// The ends of the topics of records that were published before somebody could note where: they are before these.
    private func ends(ofRecordsThrough position: Int64) async throws -> [KafkaTopicPartition: Int64] {
        var topics: Set<String> = []
        var last: Int64 = 0
        while true {
            let entries = try await self.storage.entries(after: last, limit: self.configuration.batchSize)
                .filter { $0.position <= position }
            guard let end = entries.last else { break }
            topics.formUnion(entries.map(\.record.topic))
            last = end.position
        }
        guard !topics.isEmpty else { return [:] }
        let reader = self.reader
        var places: [KafkaTopicPartition] = []
        for topic in topics {
            places += try await reader.partitions(of: topic).map { KafkaTopicPartition(topic: topic, partition: $0) }
        }
        return try await reader.watermarks(of: places).mapValues(\.high)
    }

    /// The last position that was published of an outbox, with the digest of its record; 0 when it was none of this one.
    private func lastPosition(
        in partition: KafkaTopicPartition,
        of identity: String
    ) async throws -> (position: Int64, digest: String?) {
        let reader = self.reader
        guard let ends = try await reader.watermarks(of: [partition])[partition] else { return (0, nil) }
        let key = Array(self.configuration.name.utf8)
        // It is nearly always among the last ones.
        for start in [max(ends.low, ends.high - 1_000), ends.low] where start < ends.high {
            var found: (position: Int64, digest: String?)?
            try await reader.read([partition: start..<ends.high]) { record in
                guard record.key == key, let words = record.valueString?.split(separator: " "), words.count >= 2 else {
                    return true
                }
                let position = words[0] == identity ? Int64(words[1]) ?? 0 : 0
                found = (position, words.count > 2 ? String(words[2]) : nil)
                return true
            }
            if let found { return found }
        }
        return (0, nil)
    }

    private func ensureTopic(_ topic: String) async throws {
        var admin = KafkaAdmin.Configuration(bootstrapServers: self.configuration.producer.bootstrapServers)
        admin.security = self.configuration.producer.security
        try await withKafkaAdmin(admin, logger: self.logger) { admin in
            do {
                try await admin.createTopic(topic, partitions: 1, settings: ["cleanup.policy": "compact"])
            } catch let error as KafkaError where error.code == .topicAlreadyExists {
                return
            }
        }
    }
}

/// Why an ``OutboxRelay`` ended.
public struct OutboxRelayError: Error, Sendable, CustomStringConvertible {
    /// What went wrong, and with which record.
    public let message: String
    /// What the producer said.
    public let cause: KafkaError?

    init(_ message: String, cause: KafkaError? = nil) {
        self.message = message
        self.cause = cause
    }

    /// The message, and the cause.
    public var description: String {
        self.cause.map { "\(self.message): \($0)" } ?? self.message
    }
}

extension Result {
    fileprivate var failure: Failure? {
        if case .failure(let error) = self { error } else { nil }
    }
}

/// The metrics of a relay.
private struct OutboxMetrics: Sendable {
    let published: Counter
    private let backlog: Gauge
    private let age: Gauge

    init(_ factory: any MetricsFactory, relay: String) {
        let labels = [("relay", relay)]
        self.published = Counter(label: "outbox_relay_published_total", dimensions: labels, factory: factory)
        self.backlog = Gauge(label: "outbox_relay_backlog", dimensions: labels, factory: factory)
        self.age = Gauge(label: "outbox_relay_age_seconds", dimensions: labels, factory: factory)
    }

    func report(_ backlog: OutboxBacklog) {
        self.backlog.record(backlog.count)
        self.age.record(backlog.age / .seconds(1))
    }
}

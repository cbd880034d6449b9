internal import EventStreaming
internal import KafkaClient
public import Logging
internal import Synchronization

/// Runs a process manager on Kafka alone: instances are in memory and in a journal, and commands, journal and how far it has read
/// become true together, exactly once.
///
/// All topics that it reads, and the journal, have the same number of partitions, and the key of a message is the id of its
/// instance: so that an instance is in one place. Deadlines pass at the instance of the service that has the partition, also when
/// they were due while nothing ran.
public final class KafkaProcessHost<State: Codable & Sendable>: Sendable {
    /// What the journal says of an instance.
    private struct Entry: Codable {
        var instance: ProcessInstance<State>
        var timeline: [ProcessTimelineEntry]
    }

    private struct Values {
        var status = KafkaProcessStatus()
        /// While it runs.
        var clients: (consumer: KafkaConsumer, producer: KafkaProducer)?
    }

    let manager: ProcessManager<State>
    let engine: ProcessEngine<State>
    let configuration: KafkaProcessConfiguration
    private let inputs: [String: ProcessInput<State>]
    let hosts: PartitionHosts<ProcessPartition<State>>
    private let reader: TopicReader
    private let logger: Logger
    private let turns = TurnQueue()
    let changes = ChangeSignal()
    private let values = Mutex(Values())

    /// Makes a host; nothing is connected before it runs.
    ///
    /// - Parameters:
    ///   - manager: the process manager.
    ///   - configuration: how it works.
    ///   - logger: takes what it and its clients have to say.
    public init(
        _ manager: ProcessManager<State>,
        configuration: KafkaProcessConfiguration,
        logger: Logger = Logger(label: "EventSourcing.ProcessManager")
    ) {
        self.manager = manager
        self.engine = ProcessEngine(manager)
        self.configuration = configuration
        self.inputs = Dictionary(manager.inputs.map { ($0.topic, $0) }) { first, _ in first }
        self.logger = logger
        let reader = TopicReader(configuration.consumer, patience: configuration.restoreTimeout, logger: logger)
        let (journal, window, changes) = (configuration.journal, configuration.deduplicationWindow, self.changes)
        self.reader = reader
        self.hosts = PartitionHosts { number in
            ProcessPartition(number, window: window)
        } restore: { partition in
            try await Self.restore(partition, from: journal, reader)
        } ended: {
            changes.send()
        }
    }

    /// How it is doing.
    public var status: KafkaProcessStatus { self.values.withLock { $0.status } }

    /// The instances that this instance of the service has in memory now.
    public var instances: [ProcessInstance<State>] { self.hosts.current.values.flatMap(\.instances) }

    // MARK: Running

    /// Handles messages and deadlines until the task is cancelled.
    ///
    /// - Throws: ``ProjectionError``; `KafkaError` of the clients. It does not throw when it is cancelled.
    public func run() async throws {
        try self.values.withLock { values throws(ProjectionError) in
            guard values.status.phase != .running else {
                throw ProjectionError(.configuration, "\(self.manager.name) runs already")
            }
            values.status = KafkaProcessStatus()
            values.status.phase = .running
        }
        var producer = self.configuration.producer
        producer.transactionalID =
            producer.transactionalID ?? "\(self.manager.name)/\(self.configuration.instance ?? EventID.next())"
        do {
            try await withKafkaProducer(producer, logger: self.logger) { producer in
                try await self.checkTopics(producer)
                try await producer.initializeTransactions(timeout: .seconds(60))
                try await self.run(producer)
            }
            self.ended(nil)
        } catch  where Task.isCancelled {
            self.ended(nil)
        } catch {
            self.ended(error)
            throw error
        }
    }

    private func ended(_ error: (any Error)?) {
        self.values.withLock { values in
            values.status.phase = error == nil ? .ended : .failed
            values.status.problem = error.map { "\($0)" }
        }
    }

    /// The clients with which it runs.
    var clients: (consumer: KafkaConsumer, producer: KafkaProducer)? { self.values.withLock { $0.clients } }

    func count(_ change: (inout KafkaProcessStatus) -> Void) {
        self.values.withLock { change(&$0.status) }
    }

    private func checkTopics(_ producer: KafkaProducer) async throws {
        let count = try await producer.partitions(of: self.configuration.journal, timeout: .seconds(30)).count
        for topic in self.manager.inputs.map(\.topic) {
            let other = try await producer.partitions(of: topic, timeout: .seconds(30)).count
            guard other == count else {
                throw ProjectionError(
                    .configuration,
                    "\(topic) has \(other) partitions and \(self.configuration.journal) has \(count): "
                        + "they must have the same number"
                )
            }
        }
    }

    private func run(_ producer: KafkaProducer) async throws {
        var configuration = self.configuration.consumer
        configuration.group = configuration.group ?? self.manager.name
        configuration.groupInstanceID = configuration.groupInstanceID ?? self.configuration.instance
        configuration.commitPolicy = .manual
        configuration.isolationLevel = .readCommitted
        configuration.autoOffsetReset = .earliest
        // Partitions of all topics with one number go to one member.
        configuration.assignors = [.range]
        self.hosts.observe(&configuration)
        try await withKafkaConsumer(
            configuration,
            subscribedTo: self.manager.inputs.map(\.topic),
            logger: self.logger
        ) { consumer in
            self.values.withLock { $0.clients = (consumer, producer) }
            defer { self.values.withLock { $0.clients = nil } }
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask {
                    for try await batch in consumer.batches where !batch.isEmpty {
                        try await self.withTurn { try await self.process(batch, consumer, producer) }
                    }
                }
                group.addTask { try await self.watchDeadlines(consumer, producer) }
                defer { group.cancelAll() }
                while try await group.next() != nil { group.cancelAll() }
            }
        }
    }

    /// Messages and deadlines go one after the other: each sees what the one before has committed.
    func withTurn<R>(_ body: () async throws -> R) async throws -> R {
        guard await self.turns.take() == .granted else { throw CancellationError() }
        defer { self.turns.giveBack() }
        return try await body()
    }

    // MARK: Messages

    private func process(
        _ batch: KafkaConsumerBatch,
        _ consumer: KafkaConsumer,
        _ producer: KafkaProducer
    ) async throws {
        let skipped = Mutex(0)
        let processed = try await self.hosts.transform(batch, of: consumer, through: producer) {
            batch,
            partitions,
            transaction in
            skipped.withLock { $0 = 0 }
            var journal: [KafkaProducerRecord] = []
            for record in batch {
                guard let input = self.inputs[record.topic], let partition = partitions[record.partition] else {
                    continue
                }
                do {
                    if let transition = try self.handle(record, input, partition) {
                        journal.append(try await self.send(transition, of: partition, transaction))
                    }
                } catch let failure as HandlerFailure {
                    guard self.configuration.poisonAction(failure.error) == .skip else {
                        let place = "\(record.topicPartition)@\(record.offset)"
                        throw ProjectionError(
                            .stopped,
                            "\(self.manager.name) stopped at \(place), which it can't handle: \(failure.error)",
                            partitions: [record.topicPartition],
                            cause: failure.error
                        )
                    }
                    skipped.withLock { $0 += 1 }
                    self.logger.error(
                        "a message could not be handled and was passed over",
                        metadata: [
                            "record": "\(record.topicPartition)@\(record.offset)", "error": "\(failure.error)",
                        ]
                    )
                }
            }
            try await self.append(journal, transaction)
        }
        guard let processed else { return }
        self.count { status in
            status.handled += processed.batch.count
            status.skipped += skipped.withLock { $0 }
        }
        for record in processed.batch {
            processed.partitions[record.partition]?.processed(record.topicPartition, to: record.offset + 1)
        }
        self.changes.send()
    }

    /// What a handler threw.
    private struct HandlerFailure: Error, CustomStringConvertible {
        var error: any Error

        var description: String { "\(self.error)" }
    }

    private func handle(
        _ record: KafkaConsumerRecord,
        _ input: ProcessInput<State>,
        _ partition: ProcessPartition<State>
    ) throws(HandlerFailure) -> (ProcessTransition<State>, cause: EventIdentity?)? {
        do {
            let call = try input.prepare(.consumed(record))
            guard let id = call.id else { return nil }
            guard record.key.map({ $0.elementsEqual(id.utf8) }) == true else {
                throw WrongKey(id: id)
            }
            let event = call.metadata?.identity
            if let event, !partition.isNew(event) { return nil }
            let now = self.configuration.now()
            guard let transition = try self.engine.handle(call, of: id, partition.instance(id), now: now) else {
                return nil
            }
            return (transition, event)
        } catch {
            throw HandlerFailure(error: error)
        }
    }

    private struct WrongKey: Error, CustomStringConvertible {
        var id: String

        var description: String {
            "the key of the record is not \"\(self.id)\", the instance that it belongs to: on Kafka alone it must be"
        }
    }

    /// Writes the journal: it is in the log before the offsets are committed, so that whoever gets the partition next, and waits
    /// for those, sees that it is there.
    func append(_ journal: [KafkaProducerRecord], _ transaction: KafkaTransaction) async throws {
        guard !journal.isEmpty else { return }
        for result in try await transaction.send(contentsOf: journal) { _ = try result.get() }
    }

    /// Sends the commands of a transition.
    ///
    /// - Returns: what the journal says of it.
    /// - Throws: `HandlerFailure` for records that are too large.
    func send(
        _ transition: (ProcessTransition<State>, cause: EventIdentity?),
        of partition: ProcessPartition<State>,
        _ transaction: KafkaTransaction
    ) async throws -> KafkaProducerRecord {
        let journal = try self.journalRecord(of: transition, partition)
        let limit = self.configuration.producer.maxMessageBytes
        // Now, when it is the failure of this message, rather than that of all in the transaction.
        for record in transition.0.records + [journal] where record.maxEncodedSize > limit {
            throw HandlerFailure(
                error: SerdeError(
                    "a record for \(record.topic) has up to \(record.maxEncodedSize) bytes, and `maxMessageBytes` is \(limit)"
                )
            )
        }
        partition.change(transition.0.instance)
        for record in transition.0.records { try await transaction.enqueue(record) }
        return journal
    }

    private func journalRecord(
        of transition: (ProcessTransition<State>, cause: EventIdentity?),
        _ partition: ProcessPartition<State>
    ) throws -> KafkaProducerRecord {
        let instance = transition.0.instance
        var metadata = EventMetadata(
            id: EventID.derived(
                from: self.manager.name,
                instance.id,
                "\(instance.transitions)",
                at: instance.updateTime.millisecondsSince1970
            ),
            source: self.manager.name,
            type: "process.\(instance.status.rawValue)",
            subject: instance.id,
            time: instance.updateTime,
            correlationID: instance.correlationID
        )
        metadata.extensions["handled"] = transition.cause.map { ProcessPartition<State>.key(of: $0) }
        let entry = Entry(instance: instance, timeline: transition.0.timeline)
        return KafkaProducerRecord(
            topic: self.configuration.journal,
            partition: partition.number,
            key: Array(instance.id.utf8),
            value: try Serde<Entry>.json().encode(entry),
            headers: metadata.headers
        )
    }

    // MARK: The journal

    private static func restore(
        _ partition: ProcessPartition<State>,
        from journal: String,
        _ reader: TopicReader
    ) async throws {
        let place = KafkaTopicPartition(topic: journal, partition: partition.number)
        guard let ends = try await reader.watermarks(of: [place])[place] else { return }
        guard ends.low == 0 else {
            throw ProjectionError(
                .configuration,
                "\(place) begins with offset \(ends.low): instances that were written before are gone. Set its "
                    + "`cleanup.policy` to `compact`, or its `retention.ms` and `retention.bytes` to -1"
            )
        }
        let serde = Serde<Entry>.json()
        try await reader.read([place: 0..<ends.high]) { record in
            guard let value = record.value else {
                if let id = record.keyString { partition.restoreRemoval(of: id) }
                return true
            }
            let handled = EventMetadata(headers: record.headers)?.extensions["handled"]
            partition.restore(try serde.decode(value).instance, event: handled)
            return true
        }
    }

    /// What happened to an instance, in order: the journal is read for it, as far as it was not compacted.
    public func timeline(of id: String) async throws -> [ProcessTimelineEntry] {
        let journal = self.configuration.journal
        let places = try await self.reader.partitions(of: journal).map {
            KafkaTopicPartition(topic: journal, partition: $0)
        }
        let ranges = try await self.reader.watermarks(of: places).mapValues { $0.low..<$0.high }
        let serde = Serde<Entry>.json()
        var timeline: [ProcessTimelineEntry] = []
        try await self.reader.read(ranges) { record in
            guard record.keyString == id, let value = record.value else { return true }
            timeline += try serde.decode(value).timeline
            return true
        }
        return timeline
    }
}

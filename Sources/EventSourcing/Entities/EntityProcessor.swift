public import EventStreaming
internal import KafkaClient
public import Logging
internal import Synchronization

/// Hosts entities on Kafka: commands come in, events and replies go out, exactly once.
///
/// ```swift
/// let processor = EntityProcessor(
///     Account(),
///     events: registry,
///     commands: Topic("accounts.commands", key: .string, value: .json()),
///     into: "accounts.events",
///     configuration: configuration
/// )
/// try await processor.run()
/// ```
///
/// Both topics have the same number of partitions; an entity's id chooses one of them. Each partition has one instance that
/// decides about its entities, with their states in memory, which it restores from the topic of events, and from snapshots on its
/// disk where there are some. The topic of events must not be compacted, nor lose events by its retention: it is what is true.
///
/// A command's events, its reply and that it was handled become true together. A command that comes again, by the id of its
/// metadata, gets the outcome that it had; one that was rejected, or that brought about nothing, is decided about again.
public final class EntityProcessor<Rules: Decider>: Sendable {
    private let decider: Rules
    private let registry: EventRegistry<Rules.Event>
    private let commands: Topic<String, Rules.Command>
    private let events: String
    private let configuration: EntityProcessorConfiguration<Rules.State>
    private let category: String
    private let restorer: EntityRestorer<Rules>
    private let hosts: PartitionHosts<EntityPartition<Rules>>
    private let logger: Logger
    private let state: EntityProcessorState

    /// Makes a processor; nothing is connected before it runs.
    ///
    /// - Parameters:
    ///   - decider: the rules of the entities.
    ///   - registry: the types of their events.
    ///   - commands: where commands come from; the key is the id of the entity.
    ///   - events: the name of the topic of events.
    ///   - configuration: how it works.
    ///   - logger: takes what it and its clients have to say.
    public init(
        _ decider: Rules,
        events registry: EventRegistry<Rules.Event>,
        commands: Topic<String, Rules.Command>,
        into events: String,
        configuration: EntityProcessorConfiguration<Rules.State>,
        logger: Logger = Logger(label: "EventSourcing.EntityProcessor")
    ) {
        self.decider = decider
        self.registry = registry
        self.commands = commands
        self.events = events
        self.configuration = configuration
        self.category = configuration.category ?? configuration.name
        var logger = logger
        logger[metadataKey: "processor"] = "\(configuration.name)"
        self.logger = logger
        let restorer = EntityRestorer(
            topic: events,
            configuration: configuration,
            decider: decider,
            registry: registry,
            logger: logger
        )
        let state = EntityProcessorState()
        let window = configuration.deduplicationWindow
        self.restorer = restorer
        self.state = state
        self.hosts = PartitionHosts { number in
            EntityPartition(number, decider: decider, registry: registry, window: window)
        } restore: { partition in
            let count = try await restorer.restore(partition)
            state.withLock { $0.status.restored += count }
        } givenUp: { partition in
            await restorer.saveSnapshot(of: partition, every: 1)
        }
    }

    /// How it is doing.
    public var status: EntityProcessorStatus {
        var status = self.state.withLock { $0.status }
        status.entities = self.hosts.current.mapValues(\.count)
        return status
    }

    // MARK: Running

    /// Handles commands until the task is cancelled.
    ///
    /// - Throws: ``EntityProcessorError``; `KafkaError` of the clients. It does not throw when it is cancelled.
    public func run() async throws {
        try self.configuration.check()
        try self.state.withLock { state throws(EntityProcessorError) in
            if state.status.phase == .running {
                throw EntityProcessorError(.configuration, "\(self.configuration.name) runs already")
            }
            state.status = EntityProcessorStatus()
            state.status.phase = .running
        }
        do {
            try await withKafkaProducer(self.configuration.producerConfiguration, logger: self.logger) { producer in
                try await self.run(producer)
            }
            self.state.withLock { $0.status.phase = .ended }
        } catch  where Task.isCancelled {
            self.state.withLock { $0.status.phase = .ended }
        } catch {
            self.state.withLock { state in
                state.status.phase = .failed
                state.status.problem = "\(error)"
            }
            throw error
        }
    }

    private func run(_ producer: KafkaProducer) async throws {
        try await self.checkTopics(producer)
        // What a crash left open keeps others from reading.
        try await producer.initializeTransactions(timeout: .seconds(60))
        var configuration = self.configuration.consumerConfiguration
        self.hosts.observe(&configuration)
        try await withKafkaConsumer(
            configuration,
            subscribedTo: [self.commands.name],
            logger: self.logger
        ) { consumer in
            for try await batch in consumer.batches where !batch.isEmpty {
                try await self.process(batch, consumer, producer)
            }
        }
    }

    private func checkTopics(_ producer: KafkaProducer) async throws {
        let commands = try await producer.partitions(of: self.commands.name, timeout: .seconds(30))
        let events = try await producer.partitions(of: self.events, timeout: .seconds(30))
        guard commands.count == events.count else {
            throw EntityProcessorError(
                .configuration,
                "\(self.commands.name) has \(commands.count) partitions and \(self.events) has \(events.count): "
                    + "they must have the same number"
            )
        }
    }

    // MARK: Commands

    private func process(
        _ batch: KafkaConsumerBatch,
        _ consumer: KafkaConsumer,
        _ producer: KafkaProducer
    ) async throws {
        let counts = Mutex(BatchCounts())
        let processed = try await self.hosts.transform(batch, of: consumer, through: producer) {
            batch,
            partitions,
            transaction in
            let attempt = try await self.handle(batch, partitions, transaction, producer)
            counts.withLock { $0 = attempt }
        }
        guard let processed else { return }
        self.count(counts.withLock { $0 })
        guard let interval = self.configuration.snapshots?.interval else { return }
        for partition in processed.partitions.values {
            await self.restorer.saveSnapshot(of: partition, every: interval)
        }
    }

    private func count(_ counts: BatchCounts) {
        self.state.withLock { state in
            state.status.accepted += counts.accepted
            state.status.rejected += counts.rejected
            state.status.repeated += counts.repeated
            state.status.expired += counts.expired
            state.status.unreadable += counts.unreadable
            state.status.failed += counts.failed
            state.status.events += counts.events
        }
    }

    private func handle(
        _ batch: KafkaConsumerBatch,
        _ hosts: [Int32: EntityPartition<Rules>],
        _ transaction: KafkaTransaction,
        _ producer: KafkaProducer
    ) async throws -> BatchCounts {
        var counts = BatchCounts()
        var decisions: [(record: KafkaConsumerRecord, decision: Decision)] = []
        var events: [KafkaProducerRecord] = []
        for record in batch {
            guard let host = hosts[record.partition] else { continue }
            var decision = self.decide(record, host)
            decision.firstEvent = events.count
            events += decision.events
            counts.add(decision)
            decisions.append((record, decision))
        }
        // Where they are belongs into the replies.
        var offsets: [Int64] = []
        if !events.isEmpty {
            for result in try await transaction.send(contentsOf: events) {
                offsets.append(try result.get().offset ?? -1)
            }
        }
        for (record, var decision) in decisions {
            if let host = hosts[record.partition], let id = decision.lastEventID {
                let last = offsets[decision.firstEvent + decision.events.count - 1]
                host.place(decision.command, at: last, event: id)
                decision.lastOffset = last
            } else if decision.isRepetition, let host = hosts[record.partition], let command = decision.command,
                let memory = host.memory(of: command)
            {
                // Of the first one in the same batch it is known only now.
                decision.lastOffset = memory.offset
            }
            for output in try await self.outputs(of: decision, record, producer) {
                try await transaction.enqueue(output)
            }
        }
        return counts
    }

    private func decide(_ record: KafkaConsumerRecord, _ host: EntityPartition<Rules>) -> Decision {
        let message = self.commands.message(of: record)
        let metadata = message.metadata
        var decision = Decision(request: RequestHeaders(headers: record.headers))
        // Without an id it is told from others by where it is.
        let commandID = metadata?.id ?? "\(record.topicPartition)@\(record.offset)"
        let id: String
        let command: Rules.Command
        do {
            id = try message.key
            command = try message.value
        } catch {
            decision.outcome = .unreadable(error)
            return decision
        }
        let key = CommandKey.make(commandID, source: metadata?.source ?? "", entity: id)
        decision.command = key
        if let known = host.memory(of: key) {
            decision.outcome = .accepted(version: known.version, count: known.count)
            decision.isRepetition = true
            decision.lastOffset = known.offset
            return decision
        }
        if let request = decision.request, request.deadline <= .now {
            decision.outcome = .expired
            return decision
        }
        var entity = host.entity(id)
        let events: [Rules.Event]
        do {
            events = try self.decider.decide(command, entity.state)
        } catch {
            decision.outcome = .rejected(error)
            return decision
        }
        let name = EntityID(self.category, id)
        do {
            for (number, event) in events.enumerated() {
                let encoded = try self.encode(event, number, name, commandID, record, metadata)
                self.decider.evolve(&entity.state, event)
                entity.version += 1
                let event = EntityEventRecord.record(
                    of: encoded,
                    entity: name,
                    sequence: entity.version,
                    topic: self.events,
                    partition: record.partition
                )
                let limit = self.configuration.producer.maxMessageBytes
                guard event.maxEncodedSize <= limit else {
                    throw SerdeError(
                        "an event has up to \(event.maxEncodedSize) bytes, and `maxMessageBytes` is \(limit)"
                    )
                }
                decision.events.append(event)
                decision.lastEventID = encoded.metadata.id
            }
        } catch {
            // The rules have nothing to do with it.
            decision.events = []
            decision.lastEventID = nil
            decision.outcome = .failed(error)
            return decision
        }
        if !events.isEmpty { host.change(id, to: entity, command: decision.command, events: events.count) }
        decision.outcome = .accepted(version: entity.version, count: events.count)
        return decision
    }

    private func encode(
        _ event: Rules.Event,
        _ number: Int,
        _ entity: EntityID,
        _ command: String,
        _ record: KafkaConsumerRecord,
        _ metadata: EventMetadata?
    ) throws -> EncodedEvent {
        let source = metadata?.source ?? ""
        let time = metadata?.time?.millisecondsSince1970 ?? record.timestamp?.millisecondsSince1970 ?? 0
        var encoded = try self.registry.encode(
            event,
            source: self.configuration.name,
            id: EventID.derived(from: entity.category, entity.id, source, command, "\(number)", at: time),
            causedBy: metadata
        )
        // What tells a repetition from the events alone.
        encoded.metadata.causationID = command
        encoded.metadata.extensions[CommandKey.source] = source
        encoded.metadata.trace = encoded.metadata.trace ?? metadata?.trace
        return encoded
    }

    // MARK: Replies

    private func outputs(
        of decision: Decision,
        _ record: KafkaConsumerRecord,
        _ producer: KafkaProducer
    ) async throws -> [KafkaProducerRecord] {
        var outputs = try self.letters(of: decision, record)
        guard let request = decision.request, let replies = self.configuration.replies, request.replyTopic == replies,
            try await self.exists(request.replyPartition, of: replies, producer)
        else { return outputs }
        let rejection: (any Error)?
        var value: [UInt8]?
        switch decision.outcome {
        case .expired: return outputs
        case .rejected(let error), .unreadable(let error), .failed(let error): rejection = error
        case .accepted(let version, let count):
            rejection = nil
            let place = KafkaTopicPartition(topic: self.events, partition: record.partition)
            let token = decision.lastOffset >= 0 ? PositionToken([place: decision.lastOffset + 1]) : PositionToken()
            let outcome = CommandOutcome(
                version: version,
                events: count,
                position: token.description,
                isRepetition: decision.isRepetition
            )
            value = try Serde<CommandOutcome>.json().encode(outcome)
        }
        outputs.append(
            KafkaProducerRecord(
                topic: replies,
                partition: request.replyPartition,
                key: record.key,
                value: value,
                headers: ReplyHeaders(to: request, rejection: rejection).headers
            )
        )
        return outputs
    }

    /// Where a command goes that could not be handled.
    ///
    /// - Throws: ``EntityProcessorError`` for one that brings about events of a type that is not registered, where there is no topic
    ///   for it: that is so for others as well, and not the fault of who sent it.
    private func letters(of decision: Decision, _ record: KafkaConsumerRecord) throws -> [KafkaProducerRecord] {
        let place = "\(record.topicPartition)@\(record.offset)"
        let failure: any Error
        switch decision.outcome {
        case .accepted, .rejected, .expired: return []
        case .unreadable(let error):
            self.logger.warning("a command can't be read", metadata: ["record": "\(place)", "error": "\(error)"])
            failure = error
        case .failed(let error):
            if self.configuration.deadLetters == nil, (error as? EventRegistryError)?.code == .unknownType {
                throw EntityProcessorError(
                    .failed,
                    "what the command \(place) brings about can't be written",
                    cause: error
                )
            }
            self.logger.error(
                "what a command brings about can't be written",
                metadata: ["record": "\(place)", "error": "\(error)"]
            )
            failure = error
        }
        guard let topic = self.configuration.deadLetters else { return [] }
        let name = self.configuration.name
        let letter = DeadLetter.record(of: record, failed: failure, processor: name, topic: topic)
        guard letter.maxEncodedSize <= self.configuration.producer.maxMessageBytes else {
            self.logger.error(
                "a command is too large to be a dead letter, and stays where it is: raise `producer.maxMessageBytes`",
                metadata: ["record": "\(place)"]
            )
            return []
        }
        return [letter]
    }

    /// Whether there is a partition for a reply: what a request says must not be what ends the processor.
    private func exists(_ partition: Int32, of topic: String, _ producer: KafkaProducer) async throws -> Bool {
        if self.state.withLock({ $0.replyPartitions.contains(partition) }) { return true }
        let partitions = Set(try await producer.partitions(of: topic, timeout: .seconds(30)))
        self.state.withLock { $0.replyPartitions = partitions }
        return partitions.contains(partition)
    }
}

/// What changes while a processor runs.
private final class EntityProcessorState: Sendable {
    struct Values {
        var status = EntityProcessorStatus()
        var replyPartitions: Set<Int32> = []
    }

    private let values = Mutex(Values())

    func withLock<R: Sendable, E>(_ body: (inout sending Values) throws(E) -> sending R) throws(E) -> R {
        try self.values.withLock(body)
    }
}

/// What a command brings about.
private struct Decision {
    enum Outcome {
        case accepted(version: Int64, count: Int)
        case rejected(any Error)
        case expired
        case unreadable(any Error)
        /// What it brings about can't be written.
        case failed(any Error)
    }

    var request: RequestHeaders?
    var command: String?
    var outcome = Outcome.expired
    var isRepetition = false
    var events: [KafkaProducerRecord] = []
    /// The place of its first event among those of the batch.
    var firstEvent = 0
    var lastEventID: String?
    var lastOffset: Int64 = -1

    init(request: RequestHeaders?) {
        self.request = request
    }
}

/// What came of the commands of a batch.
private struct BatchCounts {
    var accepted = 0
    var rejected = 0
    var repeated = 0
    var expired = 0
    var unreadable = 0
    var failed = 0
    var events = 0

    mutating func add(_ decision: Decision) {
        switch decision.outcome {
        case .accepted where decision.isRepetition: self.repeated += 1
        case .accepted: self.accepted += 1
        case .rejected: self.rejected += 1
        case .expired: self.expired += 1
        case .unreadable: self.unreadable += 1
        case .failed: self.failed += 1
        }
        self.events += decision.events.count
    }
}

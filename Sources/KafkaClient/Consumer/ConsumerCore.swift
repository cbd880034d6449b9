internal import CLibrdkafka
internal import Dispatch
internal import Logging
internal import Synchronization

/// The engine of a consumer.
///
/// Records and control go separate ways: each assigned partition's queue is forwarded to one data queue, which the
/// reader's own task drains; rebalances, commits and errors come through the pump and are handled there, one after the
/// other.
///
/// Unchecked, because the variables are confined to the pump.
final class ConsumerCore: @unchecked Sendable {
    typealias State = ConsumerState<KafkaConsumerBatch>

    let configuration: KafkaConsumer.Configuration
    let logger: Logger
    let state = Mutex(State())
    let commits: CommitLedger
    let metrics: ClientMetrics?
    /// Makes spans, if there is an instrument.
    let tracing: ClientTracing?
    let handle: Mutex<ClientHandle?>
    let signal = DataSignal()
    /// Who reads each partition apart from the others, if somebody does.
    let readers = Mutex<PartitionReaders?>(nil)
    let gate = DrainGate()
    let resets = Mutex(OffsetResets())
    let dataQueue: SendablePointer
    let closeQueue: SendablePointer
    /// Held while the reader takes records out of the data queue, so that nothing changes between that and handing out.
    private let drainLock = Mutex(())
    let readerDone = Completion()
    let gaveUpAll = Completion()
    let leftGroup = Completion()
    let closed = Completion()
    var partitionQueues: [KafkaTopicPartition: OpaquePointer] = [:]
    /// Whether the group gave this member partitions, be it none.
    var wasAssigned = false
    /// Whether the group could not be left in time.
    var gaveUp = false
    var lastCommitTime = ContinuousClock.now
    var timer: (any DispatchSourceTimer)?
    var line = RebalanceLine()
    var listeners: [any RebalanceListener] = []
    /// The hook that is running, and what it was given.
    var hookTask: Task<Void, Never>?
    /// Where to begin to read the partitions that are being assigned, as far as it is known.
    var starts: [KafkaTopicPartition: KafkaOffset] = [:]
    var hookContext: KafkaRebalance?
    /// Until when the rebalance with this number waits.
    var rebalanceDeadline: (id: Int, instant: ContinuousClock.Instant)?
    var closeDeadline: DispatchTime?
    /// Whether the consumer is closed and has given up its partitions.
    var hasGivenUpAll = false

    init(configuration: KafkaConsumer.Configuration, logger: Logger) throws(KafkaError) {
        let operation = KafkaConsumer.Configuration.operation
        let tracing = ClientTracing(
            configuration.tracing,
            clientID: configuration.clientID,
            group: configuration.group,
            bootstrapServers: configuration.bootstrapServers
        )
        let joins = configuration.group.map { _ in JoinWatch(limit: configuration.maxPollInterval) }
        let client = try ClientHandle(
            kind: RD_KAFKA_CONSUMER,
            properties: try configuration.makeProperties(),
            events: RD_KAFKA_EVENT_REBALANCE | RD_KAFKA_EVENT_OFFSET_COMMIT | ClientEvents.kinds,
            joins: joins,
            onConnectionChange: configuration.onConnectionChange,
            tracing: tracing,
            logger: logger,
            operation: operation
        )
        self.dataQueue = SendablePointer(try client.makeQueue(operation: operation))
        self.closeQueue = SendablePointer(try client.makeQueue(operation: operation))
        self.configuration = configuration
        self.tracing = tracing
        var logger = logger
        logger[metadataKey: "client"] = "\(client.name)"
        if let group = configuration.group {
            logger[metadataKey: "group"] = "\(group)"
        }
        self.logger = logger
        let metrics = configuration.metrics.map {
            ClientMetrics(
                $0,
                role: .consumer(group: configuration.group, isolation: configuration.isolationLevel),
                client: client.name,
                logger: logger
            )
        }
        self.metrics = metrics
        self.commits = CommitLedger(logger: logger, metrics: metrics)
        self.handle = Mutex(client)
        self.start(client)
    }

    private func start(_ client: ClientHandle) {
        let commits = self.commits
        client.pump.start(
            handler: { [weak client, weak self] event in
                if rd_kafka_event_type(event) == RD_KAFKA_EVENT_OFFSET_COMMIT {
                    commits.handle(event, client: self == nil ? nil : client)
                    if let client { self?.commitsChanged(client) }
                } else if let client, let self {
                    self.handle(event, client: client)
                }
                return .done
            },
            drained: { [weak client, weak self] in
                guard let client, rd_kafka_consumer_closed(client.pointer) == 1 else { return }
                self?.leftGroup.complete()
            }
        )
        rd_kafka_set_log_queue(client.pointer, nil)
        if let queue = rd_kafka_queue_get_main(client.pointer) {
            client.pump.connect(queue)
        }
        if let queue = rd_kafka_queue_get_consumer(client.pointer) {
            client.pump.connect(queue)
        }
        client.pump.connect(self.closeQueue.value, isOwned: false)
        client.refusalWatch.observe { [weak self] error in self?.refused(error) }
        client.joins?.observe { [weak client] in
            client?.pump.dispatchQueue.async { [weak client] in
                if let client { commits.send(client) }
            }
        }
        rd_kafka_queue_cb_event_enable(
            self.dataQueue.value,
            { _, opaque in
                guard let opaque else { return }
                Unmanaged<DataSignal>.fromOpaque(opaque).takeUnretainedValue().signal()
            },
            Unmanaged.passUnretained(self.signal).toOpaque()
        )
        client.pump.dispatchQueue.async { [weak self] in self?.startTimer() }
    }

    /// Does something while no records are on their way from the data queue to the reader.
    func betweenDrains<R, Failure: Error>(_ body: () throws(Failure) -> R) throws(Failure) -> R {
        try self.drainLock.withLock { _ throws(Failure) in try body() }
    }

    /// The client, unless it is closed.
    func client(for operation: String) throws(KafkaError) -> ClientHandle {
        guard let client = self.handle.withLock({ $0 }) else { throw KafkaError.closed(operation: operation) }
        return client
    }

    /// The client of a consumer that has a group.
    func committingClient(operation: String) throws(KafkaError) -> ClientHandle {
        guard self.configuration.group != nil else {
            throw KafkaError(
                .invalidState,
                operation: operation,
                message: "the consumer has no group to commit for: set `group`"
            )
        }
        return try self.client(for: operation)
    }
}

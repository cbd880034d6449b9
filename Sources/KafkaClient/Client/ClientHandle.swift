internal import CLibrdkafka
internal import Dispatch
internal import Logging
internal import Synchronization

/// Owner of one librdkafka client.
///
/// Whoever needs the client's pointer holds this object while it uses it: the client is destroyed when the last holder is
/// gone. Destroying waits for librdkafka's threads and for every consumed message, so it happens on a thread of its own.
///
/// Unchecked, because librdkafka's functions may be called from any thread; what is mutable here is behind a mutex.
final class ClientHandle: @unchecked Sendable {
    /// The `rd_kafka_t`.
    let pointer: OpaquePointer
    /// Serves the client's events without polling. It outlives the client, whose callbacks point to it.
    let pump: EventPump
    /// Where calls run that block in C.
    let blockingCalls: BlockingCalls
    /// Where the end is prepared; nothing else may hold it up.
    let closing: DispatchQueue
    /// Where the first contact with a broker is waited for.
    let connectionChecks: DispatchQueue
    /// Completed when the client is destroyed.
    let destruction = Completion()
    /// What the brokers' connections last complained about.
    let connectionProblem: ConnectionProblem
    /// Tells when the brokers are gone, if somebody wants to know.
    let connectionWatch: ConnectionWatch?
    /// Makes spans, if there is an instrument.
    let tracing: ClientTracing?
    /// Tells those who wait when no broker lets the client in.
    let refusalWatch: RefusalWatch
    /// Gets tokens, where brokers want some.
    let tokens: TokenRefresh?
    /// Knows when a member of a group joins it anew.
    let joins: JoinWatch?

    private let topics = Mutex(Topics())
    private let isLeaked = Atomic<Bool>(false)
    private let ownedQueues = Mutex<[SendablePointer]>([])
    private let liveBatches = Atomic<Int>(0)

    /// Makes the client. Its events go nowhere until the pump is started.
    init(
        kind: rd_kafka_type_t,
        properties: ConfigurationProperties,
        events: Int32,
        joins: JoinWatch? = nil,
        onConnectionChange: (@Sendable (KafkaConnectionChange) -> Void)? = nil,
        tracing: ClientTracing? = nil,
        logger: Logger,
        operation: String
    )
        throws(KafkaError)
    {
        let configuration = try properties.makeConfiguration(operation: operation)
        let tokenEvents = properties.tokenSource == nil ? 0 : RD_KAFKA_EVENT_OAUTHBEARER_TOKEN_REFRESH
        rd_kafka_conf_set_events(configuration, events | tokenEvents)
        rd_kafka_conf_enable_sasl_queue(configuration, properties.tokenSource == nil ? 0 : 1)
        if let joins {
            let response = joins.install(in: configuration)
            guard response == RD_KAFKA_RESP_ERR_NO_ERROR else {
                rd_kafka_conf_destroy(configuration)
                throw KafkaError(response, operation: operation)
            }
        }
        var buffer = [CChar](repeating: 0, count: 512)
        guard let pointer = rd_kafka_new(kind, configuration, &buffer, buffer.count) else {
            rd_kafka_conf_destroy(configuration)
            throw KafkaError(.configuration, operation: operation, message: String(nullTerminated: buffer))
        }
        self.pointer = pointer
        self.tracing = tracing
        self.joins = joins
        let name = String(cString: rd_kafka_name(pointer))
        self.pump = EventPump(label: "kafka.events.\(name)")
        self.blockingCalls = BlockingCalls(label: "kafka.calls.\(name)")
        self.closing = DispatchQueue(label: "kafka.close.\(name)")
        self.connectionChecks = DispatchQueue(label: "kafka.connect.\(name)")
        let problem = ConnectionProblem(servers: properties.bootstrapServers)
        self.connectionProblem = problem
        self.connectionWatch = onConnectionChange.map {
            ConnectionWatch(client: pointer, problem: problem, label: "kafka.watch.\(name)", observer: $0)
        }
        self.refusalWatch = RefusalWatch(
            client: pointer,
            pump: self.pump,
            problem: problem,
            label: "kafka.refusal.\(name)"
        )
        self.tokens = properties.tokenSource.map {
            var logger = logger
            logger[metadataKey: "client"] = "\(name)"
            return TokenRefresh(client: pointer, source: $0, logger: logger, label: "kafka.tokens.\(name)")
        }
        self.tokens?.start()
    }

    deinit {
        let pointer = SendablePointer(self.pointer)
        let topics = self.topics.withLock { $0.all.values.map(SendablePointer.init) }
        let queues = self.ownedQueues.withLock { $0 }
        let isLeaked = self.isLeaked.load(ordering: .acquiring)
        let pump = self.pump
        let watch = self.connectionWatch
        let refusalWatch = self.refusalWatch
        let tokens = self.tokens
        let joins = self.joins
        let destruction = self.destruction
        // A serial queue gets a thread of its own.
        DispatchQueue(label: "kafka.destroy").async {
            if rd_kafka_type(pointer.value) == RD_KAFKA_PRODUCER {
                Self.purge(pointer.value)
            }
            pump.disconnect()
            watch?.stop()
            refusalWatch.stop()
            tokens?.stop()
            for queue in queues {
                rd_kafka_queue_destroy(queue.value)
            }
            for topic in topics {
                rd_kafka_topic_destroy(topic.value)
            }
            if isLeaked {
                // Its threads go on, and still call this.
                _ = joins.map(Unmanaged.passRetained)
            } else {
                rd_kafka_destroy_flags(pointer.value, RD_KAFKA_DESTROY_F_NO_CONSUMER_CLOSE)
            }
            // Only now can no callback reach these any more.
            withExtendedLifetime((pump, tokens, joins)) {}
            destruction.complete()
        }
    }

    /// Says whether the client is left alone at its end instead of being destroyed.
    ///
    /// librdkafka before 2.3 aborts the process when it destroys a cooperative member that joined its group and was not
    /// given partitions yet. Such a client has left its group when it is closed, and costs some idle threads.
    func setLeaked(_ isLeaked: Bool) {
        self.isLeaked.store(isLeaked, ordering: .releasing)
    }

    /// Makes a queue that lives as long as the client.
    func makeQueue(operation: String) throws(KafkaError) -> OpaquePointer {
        guard let queue = rd_kafka_queue_new(self.pointer) else {
            throw KafkaError(.configuration, operation: operation, message: "librdkafka has no memory")
        }
        self.ownedQueues.withLock { $0.append(SendablePointer(queue)) }
        return queue
    }

    /// Gives up what is still on its way, so that everybody who waits for a report gets one. The pump serves the reports
    /// beside this thread.
    func purge() {
        Self.purge(self.pointer)
    }

    private static func purge(_ pointer: OpaquePointer) {
        guard rd_kafka_outq_len(pointer) > 0 else { return }
        rd_kafka_purge(pointer, RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_INFLIGHT)
        rd_kafka_flush(pointer, 5_000)
    }

    /// librdkafka's name of this client, such as `kstream#producer-1`.
    var name: String { String(cString: rd_kafka_name(self.pointer)) }

    /// The handle of a topic, made at its first use and kept as long as the client.
    ///
    /// - Throws: `unknownTopicOrPartition` for what can't be the name of a topic.
    func topic(_ name: String, operation: String) throws(KafkaError) -> OpaquePointer {
        try self.topics.withLock { topics throws(KafkaError) in
            if let last = topics.last, last.name == name { return last.pointer }
            if let pointer = topics.all[name] {
                topics.last = (name, pointer)
                return pointer
            }
            try TopicName.check(name, operation: operation)
            guard let pointer = rd_kafka_topic_new(self.pointer, name, nil) else {
                throw KafkaError(rd_kafka_last_error(), operation: operation, topic: name)
            }
            topics.all[name] = pointer
            topics.last = (name, pointer)
            return pointer
        }
    }

    func batchCreated() {
        self.liveBatches.add(1, ordering: .relaxed)
    }

    func batchDestroyed() {
        self.liveBatches.subtract(1, ordering: .relaxed)
    }

    /// Whether consumed records are still in somebody's hands, which keep the client from being destroyed.
    var hasLiveBatches: Bool { self.liveBatches.load(ordering: .relaxed) > 0 }

    /// Runs a call that blocks in C on one of the client's threads for such calls; the calling task is suspended meanwhile.
    ///
    /// The call holds the client until it returns from C, also when nobody waits for it any more.
    ///
    /// - Throws: `CancellationError` as soon as the task is cancelled, the error of a client that no broker lets in, and what
    ///   the call throws.
    func blocking<R: Sendable>(
        _ call: @escaping @Sendable (ClientHandle) throws(KafkaError) -> R
    ) async throws -> R {
        try await self.blockingCalls.run(unless: self.connectionProblem) { () throws(KafkaError) -> R in
            try call(self)
        }
    }

    /// The fatal error of the client, if it has one.
    func fatalError(operation: String) -> KafkaError? {
        KafkaError.fatal(of: self.pointer, operation: operation)
    }

    private struct Topics: @unchecked Sendable {
        var all: [String: OpaquePointer] = [:]
        /// Most records go to the topic of the one before.
        var last: (name: String, pointer: OpaquePointer)?
    }
}

/// A C pointer that is handed to another thread, which uses it as librdkafka allows.
struct SendablePointer: @unchecked Sendable {
    let value: OpaquePointer

    init(_ value: OpaquePointer) {
        self.value = value
    }
}

internal import KafkaClient
public import Logging
internal import Synchronization

/// Sends requests to a topic and waits for their replies on another.
///
/// ```swift
/// try await withRequester(configuration, sending: quotes, receiving: prices) { requester in
///     let reply = try await requester.request(Message(key: "42", value: QuoteRequest(sku: "85123A")))
///     print(try reply.value)
/// }
/// ```
///
/// Each request ends in a reply, the responder's error, or its own time-out. An instance reads one partition of the reply topic,
/// which it may share with others. What is on its way when an instance ends is lost to it: nobody waits any more.
public final class Requester<Key: Sendable, Request: Sendable, Reply: Sendable>: Sendable {
    /// What there is while it runs.
    private struct Connection {
        let producer: KafkaProducer
        let partition: Int32
    }

    private typealias Answer = Deferred<KafkaConsumerRecord>

    private struct State {
        var pending: [String: Answer] = [:]
        var statistics = RequesterStatistics()
        var hasRun = false
        /// Why it ended.
        var ending: RequestError?
    }

    private let configuration: RequesterConfiguration
    private let requests: Topic<Key, Request>
    private let replies: Topic<Key, Reply>
    private let logger: Logger
    /// Tells the replies to this instance from those to others on the same partition.
    private let instance = EventID.next()
    private let state = Mutex(State())
    private let connection = Deferred<Connection>()

    /// Makes a requester; requests wait until it runs.
    ///
    /// - Parameters:
    ///   - configuration: how it works.
    ///   - requests: where requests go.
    ///   - replies: where replies come from. It must exist.
    ///   - logger: takes what its clients have to say.
    public init(
        _ configuration: RequesterConfiguration,
        sending requests: Topic<Key, Request>,
        receiving replies: Topic<Key, Reply>,
        logger: Logger = Logger(label: "EventStreaming.Requester")
    ) {
        self.configuration = configuration
        self.requests = requests
        self.replies = replies
        self.logger = logger
    }

    /// What came of the requests so far.
    public var statistics: RequesterStatistics {
        self.state.withLock { state in
            var statistics = state.statistics
            statistics.pending = state.pending.count
            return statistics
        }
    }

    // MARK: Running

    /// Reads replies until the task is cancelled. Requests that wait then, and later ones, get an error. It runs once.
    ///
    /// - Throws: ``RequestError`` for a configuration that can't be used; `KafkaError` of the clients. It does not throw when it
    ///   is cancelled.
    public func run() async throws {
        let isFirst = self.state.withLock { state in
            defer { state.hasRun = true }
            return !state.hasRun
        }
        guard isFirst else { throw RequestError(.configuration, "the requester runs, or has run, already") }
        do {
            try self.configuration.check()
            try await withKafkaProducer(self.configuration.producer, logger: self.logger) { producer in
                try await withKafkaConsumer(self.configuration.consumer, logger: self.logger) { consumer in
                    try await self.read(consumer, producer)
                }
            }
            self.end(nil)
        } catch is CancellationError where Task.isCancelled {
            self.end(nil)
        } catch {
            self.end(error)
            throw error
        }
    }

    private func read(_ consumer: KafkaConsumer, _ producer: KafkaProducer) async throws {
        let partitions = try await producer.partitions(of: self.replies.name, timeout: .seconds(30))
        let wanted = self.configuration.replyPartition
        guard let partition = wanted ?? partitions.randomElement(), partitions.contains(partition) else {
            throw RequestError(
                .configuration,
                "`replyPartition` is \(wanted ?? 0): \(self.replies.name) has \(partitions.count) partitions"
            )
        }
        let place = KafkaTopicPartition(topic: self.replies.name, partition: partition)
        // The place is known before the first request goes out: no reply is missed.
        let end = try await consumer.watermarks(of: place, timeout: .seconds(30)).high
        try await consumer.assign([place: .absolute(end)])
        self.connection.fulfil(.success(Connection(producer: producer, partition: partition)))
        for try await record in consumer.records { self.take(record) }
        // Those who wait are told before the clients close.
        self.end(nil)
    }

    private func take(_ record: KafkaConsumerRecord) {
        let headers = ReplyHeaders(headers: record.headers)
        let answer = self.state.withLock { state -> Answer? in
            guard let headers, headers.requester == self.instance else {
                state.statistics.foreign += 1
                return nil
            }
            guard let answer = state.pending.removeValue(forKey: headers.id) else {
                state.statistics.orphans += 1
                return nil
            }
            return answer
        }
        answer?.fulfil(.success(record))
    }

    private func end(_ cause: (any Error)?) {
        let error = RequestError(
            .closed,
            cause.map { "the requester has ended: \($0)" } ?? "the requester has ended",
            cause: cause
        )
        let pending = self.state.withLock { state in
            defer { state.pending = [:] }
            if state.ending == nil { state.ending = error }
            return state.pending
        }
        self.connection.fulfil(.failure(error))
        for answer in pending.values { answer.fulfil(.failure(error)) }
    }

    // MARK: Requests

    /// Sends a request and waits for its reply.
    ///
    /// - Parameters:
    ///   - message: the request.
    ///   - timeout: how long the reply is waited for, sending included; `nil` is that of the configuration. A responder does not
    ///     begin with a request whose time is up.
    ///   - cause: the event that it comes of, which gives it its correlation.
    /// - Returns: the reply. Its key and value may be unreadable: they throw when they are asked for.
    /// - Throws: ``RequestError``; ``SerdeError`` for a request that can't be written; `KafkaError` when it can't be sent;
    ///   `CancellationError` when the task is cancelled: a reply that comes later is an orphan.
    public func request(
        _ message: Message<Key, Request>,
        timeout: Duration? = nil,
        causedBy cause: EventMetadata? = nil
    ) async throws -> ReceivedMessage<Key, Reply> {
        // Beyond some time clocks can't count, and nobody waits for as long.
        let timeout = min(timeout ?? self.configuration.timeout, .seconds(1_000_000_000))
        let id = EventID.next()
        let answer = Answer()
        try self.register(answer, id: id)
        defer { self.state.withLock { _ = $0.pending.removeValue(forKey: id) } }
        let deadline = ContinuousClock.now + timeout
        let until = UTCTime.now.advanced(by: timeout)
        let record = try await withDeadline(deadline) {
            try await self.send(message, id: id, until: until, causedBy: cause)
            return try await answer.value
        }
        guard let record else {
            self.state.withLock { $0.statistics.timeouts += 1 }
            throw RequestError(.timedOut, "no reply from \(self.requests.name) within \(timeout)")
        }
        return try self.reply(record)
    }

    private func register(_ answer: Answer, id: String) throws(RequestError) {
        let limit = self.configuration.maxPending
        try self.state.withLock { state throws(RequestError) in
            state.statistics.requests += 1
            if let ending = state.ending { throw ending }
            guard state.pending.count < limit else {
                throw RequestError(.tooManyPending, "\(limit) requests wait for their replies (`maxPending`)")
            }
            state.pending[id] = answer
        }
    }

    private func send(
        _ message: Message<Key, Request>,
        id: String,
        until deadline: UTCTime,
        causedBy cause: EventMetadata?
    ) async throws {
        let connection = try await self.connection.value
        let headers = RequestHeaders(
            id: id,
            requester: self.instance,
            replyTopic: self.replies.name,
            replyPartition: connection.partition,
            deadline: deadline
        )
        var record = try self.requests.record(of: message, source: self.configuration.name, causedBy: cause)
        record.headers += headers.headers
        do {
            _ = try await connection.producer.send(record)
        } catch {
            // Whoever was about to send need not know which of the clients was closed first.
            throw self.state.withLock { $0.ending } ?? error
        }
    }

    private func reply(_ record: KafkaConsumerRecord) throws -> ReceivedMessage<Key, Reply> {
        let rejection = ReplyHeaders(headers: record.headers)?.rejection
        self.state.withLock { state in
            state.statistics.replies += 1
            if rejection != nil { state.statistics.rejections += 1 }
        }
        if let rejection { throw RequestError(.rejected, rejection.message, type: rejection.type) }
        return self.replies.message(of: record)
    }
}

/// Runs a requester for as long as `body` runs.
///
/// - Parameters:
///   - configuration: how it works.
///   - requests: where requests go.
///   - replies: where replies come from. It must exist.
///   - logger: takes what its clients have to say.
///   - body: makes requests.
/// - Throws: what `body` throws. Requests throw what ended the requester.
public func withRequester<Key: Sendable, Request: Sendable, Reply: Sendable, R>(
    _ configuration: RequesterConfiguration,
    sending requests: Topic<Key, Request>,
    receiving replies: Topic<Key, Reply>,
    logger: Logger = Logger(label: "EventStreaming.Requester"),
    _ body: (Requester<Key, Request, Reply>) async throws -> R
) async throws -> R {
    let requester = Requester(configuration, sending: requests, receiving: replies, logger: logger)
    let running = Task { try await requester.run() }
    do {
        let result = try await body(requester)
        running.cancel()
        _ = await running.result
        return result
    } catch {
        running.cancel()
        _ = await running.result
        throw error
    }
}

internal import CLibrdkafka
internal import Dispatch
internal import Logging
internal import Synchronization

/// The engine of an admin client: requests go out by librdkafka's asynchronous admin API, their answers come as events on the
/// pump. No thread waits for one.
final class AdminCore: Sendable {
    let logger: Logger
    private let handle: Mutex<ClientHandle?>
    private let calls = AdminCalls()
    private let answers: SendablePointer
    private let destruction: Completion
    private let blockingCalls: BlockingCalls
    private let connectionProblem: ConnectionProblem
    private let closing = Completion()

    init(configuration: KafkaAdmin.Configuration, logger: Logger) throws(KafkaError) {
        let operation = KafkaAdmin.Configuration.operation
        // A consumer without a group: unlike a producer it can be told never to make a topic by asking for it.
        let client = try ClientHandle(
            kind: RD_KAFKA_CONSUMER,
            properties: try configuration.makeProperties(),
            events: ClientEvents.kinds,
            onConnectionChange: configuration.onConnectionChange,
            logger: logger,
            operation: operation
        )
        var logger = logger
        logger[metadataKey: "client"] = "\(client.name)"
        self.logger = logger
        self.answers = SendablePointer(try client.makeQueue(operation: operation))
        self.destruction = client.destruction
        self.blockingCalls = client.blockingCalls
        self.connectionProblem = client.connectionProblem
        self.handle = Mutex(client)
        self.start(client)
    }

    private func start(_ client: ClientHandle) {
        let calls = self.calls
        let events = ClientEvents(client: client, logger: self.logger)
        client.pump.start(handler: { event in
            switch rd_kafka_event_type(event) {
            case RD_KAFKA_EVENT_LOG: events.log(event)
            case RD_KAFKA_EVENT_ERROR: events.error(event)
            default: calls.handle(event)
            }
            return .done
        })
        rd_kafka_set_log_queue(client.pointer, nil)
        if let queue = rd_kafka_queue_get_main(client.pointer) {
            client.pump.connect(queue)
        }
        client.pump.connect(self.answers.value, isOwned: false)
    }

    /// The client, unless it is closed.
    func client(for operation: String) throws(KafkaError) -> ClientHandle {
        guard let client = self.handle.withLock({ $0 }) else { throw KafkaError.closed(operation: operation) }
        return client
    }

    /// Describes a request.
    func request(
        operation: String,
        kind: rd_kafka_admin_op_t,
        timeout: Duration,
        isChange: Bool = false,
        validateOnly: Bool = false,
        group: String? = nil
    ) -> AdminRequest {
        AdminRequest(
            operation: operation,
            kind: kind,
            timeout: timeout,
            connection: self.connectionProblem,
            isChange: isChange,
            validateOnly: validateOnly,
            group: group
        )
    }

    /// Makes a request and waits for its answer.
    ///
    /// - Parameters:
    ///   - send: calls librdkafka, which copies what it is given.
    ///   - read: reads the answer, on the pump, when the request as a whole succeeded.
    func ask<R: Sendable>(
        _ request: AdminRequest,
        send: (_ client: OpaquePointer, _ options: OpaquePointer, _ queue: OpaquePointer) throws(KafkaError) -> Void,
        read: @escaping @Sendable (_ event: OpaquePointer) -> Result<R, KafkaError>
    ) async throws -> R {
        try Task.checkCancellation()
        let answer = AdminAnswer<R>()
        let id = try self.send(request, to: answer, send, read)
        self.connectionProblem.add(answer)
        defer { self.connectionProblem.remove(answer) }
        guard await answer.waitUnlessCancelled(), let result = answer.result else {
            self.calls.forget(id)
            if !Task.isCancelled, let refusal = self.connectionProblem.refusal {
                // There was no broker yet to which the request could go.
                throw refusal.restated(operation: request.operation)
            }
            if request.isChange { throw request.unknownOutcome("cancelled") }
            throw CancellationError()
        }
        return try result.get()
    }

    private func send<R: Sendable>(
        _ request: AdminRequest,
        to answer: AdminAnswer<R>,
        _ send: (OpaquePointer, OpaquePointer, OpaquePointer) throws(KafkaError) -> Void,
        _ read: @escaping @Sendable (OpaquePointer) -> Result<R, KafkaError>
    ) throws(KafkaError) -> Int {
        let client = try self.client(for: request.operation)
        let id = self.calls.begin { event in
            guard let event else {
                let error =
                    request.isChange
                    ? request.unknownOutcome("the client was closed") : KafkaError.closed(operation: request.operation)
                return answer.deliver(.failure(error))
            }
            let response = rd_kafka_event_error(event)
            guard response == RD_KAFKA_RESP_ERR_NO_ERROR else {
                return answer.deliver(.failure(request.error(response, text: rd_kafka_event_error_string(event))))
            }
            if !request.isSpread { request.connection.clear() }
            answer.deliver(read(event))
        }
        guard let id else { throw KafkaError.closed(operation: request.operation) }
        do throws(KafkaError) {
            let options = try request.makeOptions(client: client.pointer, id: id)
            defer { rd_kafka_AdminOptions_destroy(options) }
            try send(client.pointer, options, self.answers.value)
        } catch {
            self.calls.forget(id)
            throw error
        }
        withExtendedLifetime(client) {}
        return id
    }

    /// Asks what blocks in C, on the client's threads for that, unless the client is closed meanwhile.
    func question<R: Sendable>(
        operation: String,
        _ ask: @escaping @Sendable (ClientHandle) async throws -> R
    ) async throws -> R {
        let client = try self.client(for: operation)
        return try await withThrowingTaskGroup(of: R?.self) { group in
            group.addTask { try await ask(client) }
            group.addTask {
                _ = await self.closing.waitUnlessCancelled()
                return nil
            }
            defer { group.cancelAll() }
            guard let first = try await group.next(), let answer = first else {
                try Task.checkCancellation()
                throw KafkaError.closed(operation: operation)
            }
            return answer
        }
    }

    // MARK: The end

    func close() async {
        self.end()
        // A question that blocks in C may hold the client for longer; nobody waits for that.
        guard !self.blockingCalls.hasAbandonedCalls else { return }
        await self.destruction.wait(until: .now() + .seconds(2))
    }

    /// Closes in the background when the client was dropped without being closed.
    func abandon() {
        if self.end() {
            self.logger.warning("a KafkaAdmin was dropped without being closed: closing it in the background")
        }
    }

    @discardableResult
    private func end() -> Bool {
        // The last reference may be this one, so it goes outside of the lock.
        let client = self.handle.withLock { handle in
            defer { handle = nil }
            return handle
        }
        self.calls.close()
        self.closing.complete()
        return client != nil
    }
}

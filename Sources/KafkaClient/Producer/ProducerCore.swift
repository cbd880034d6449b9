internal import CLibrdkafka
internal import Dispatch
internal import Logging
internal import Synchronization

/// The engine of a producer: hands records to librdkafka, and reports to those who wait for them.
final class ProducerCore: Sendable {
    private enum Phase {
        case open(ClientHandle)
        case closing(ClientHandle)
        case closed
    }

    private let configuration: KafkaProducer.Configuration
    private let logger: Logger
    private let phase: Mutex<Phase>
    let room: QueueRoom
    /// Where transactions are run; `nil` for a producer without.
    let transactions: ProducerTransactions?
    private let context: DeliveryContext
    private let destruction: Completion
    private let blockingCalls: BlockingCalls
    private let batchOperation = "send"
    private let metrics: ClientMetrics?
    /// Makes spans, if there is an instrument.
    let tracing: ClientTracing?

    init(configuration: KafkaProducer.Configuration, logger: Logger) throws(KafkaError) {
        let tracing = ClientTracing(
            configuration.tracing,
            clientID: configuration.clientID,
            bootstrapServers: configuration.bootstrapServers
        )
        let client = try ClientHandle(
            kind: RD_KAFKA_PRODUCER,
            properties: try configuration.makeProperties(),
            events: RD_KAFKA_EVENT_DR | ClientEvents.kinds,
            onConnectionChange: configuration.onConnectionChange,
            tracing: tracing,
            logger: logger,
            operation: KafkaProducer.Configuration.operation
        )
        self.configuration = configuration
        self.tracing = tracing
        var logger = logger
        logger[metadataKey: "client"] = "\(client.name)"
        self.logger = logger
        self.room = QueueRoom()
        self.destruction = client.destruction
        self.blockingCalls = client.blockingCalls
        self.context = DeliveryContext(
            connectionProblem: client.connectionProblem,
            isTransactional: configuration.transactionalID != nil
        )
        self.transactions = configuration.transactionalID.map {
            ProducerTransactions(transactionalID: $0, timeout: configuration.transactionTimeout, logger: logger)
        }
        self.phase = Mutex(.open(client))
        self.metrics = configuration.metrics.map {
            ClientMetrics($0, role: .producer, client: client.name, logger: logger)
        }

        let deliveries = ProducerEvents(
            events: ClientEvents(client: client, logger: logger),
            room: self.room,
            context: self.context,
            maxQueuedRecords: configuration.maxQueuedRecords,
            metrics: self.metrics
        )
        client.pump.start(
            handler: { event in deliveries.handle(event) },
            // Log lines count for librdkafka's queue length, too: now they are out of it.
            drained: { deliveries.wakeIfThereIsRoom() }
        )
        rd_kafka_set_log_queue(client.pointer, nil)
        if let queue = rd_kafka_queue_get_main(client.pointer) {
            client.pump.connect(queue)
        }
    }

    /// The client, unless it is closed.
    func client(for operation: String) throws(KafkaError) -> ClientHandle {
        try self.phase.withLock { phase throws(KafkaError) in
            guard case .open(let client) = phase else { throw KafkaError.closed(operation: operation) }
            return client
        }
    }

    private var isOpen: Bool {
        self.phase.withLock { phase in
            if case .open = phase { true } else { false }
        }
    }

    // MARK: One record

    /// Hands a record to librdkafka, as soon as there is room.
    func handOver(
        _ record: KafkaProducerRecord,
        operation: SendOperation,
        in transaction: TransactionRun? = nil,
        span: ClientSpan? = nil
    ) async throws -> DeliveryWaiter {
        if span == nil, let tracing {
            return try await self.handOver(record, operation: operation, in: transaction, tracing: tracing)
        }
        while true {
            if Task.isCancelled { throw CancellationError() }
            if let waiter = try self.handOverIfThereIsRoom(record, operation: operation, in: transaction, span: span) {
                return waiter
            }
            try await self.waitForRoom(try self.client(for: operation.rawValue))
        }
    }

    /// Hands a record to librdkafka; `nil` when there is no room at the moment.
    func handOverIfThereIsRoom(
        _ record: KafkaProducerRecord,
        operation: SendOperation,
        in transaction: TransactionRun? = nil,
        span: ClientSpan? = nil
    ) throws(KafkaError) -> DeliveryWaiter? {
        if span == nil, let tracing {
            return try self.handOverIfThereIsRoom(record, operation: operation, in: transaction, tracing: tracing)
        }
        guard let transactions else { return try self.produce(record, operation: operation, span: span) }
        try transactions.enter(transaction, operation: operation.rawValue)
        defer { transactions.leave(transaction) }
        return try self.produce(record, operation: operation, span: span)
    }

    private func produce(
        _ record: KafkaProducerRecord,
        operation: SendOperation,
        span: ClientSpan?
    ) throws(KafkaError) -> DeliveryWaiter? {
        let client = try self.client(for: operation.rawValue)
        let topic = try client.topic(record.topic, operation: operation.rawValue)
        let waiter = DeliveryWaiter(
            record: record,
            operation: operation,
            context: self.context,
            span: span
        )
        let opaque = waiter.makeOpaque()
        let response: ResponseCode
        do throws(KafkaError) {
            response = try RecordEncoding.produce(
                record,
                client: client.pointer,
                topic: topic,
                opaque: opaque,
                operation: operation.rawValue
            )
        } catch {
            _ = DeliveryWaiter.take(opaque: opaque)
            throw error
        }
        if response == RD_KAFKA_RESP_ERR_NO_ERROR { return waiter }
        // No report will come.
        _ = DeliveryWaiter.take(opaque: opaque)
        if response == RD_KAFKA_RESP_ERR__QUEUE_FULL, self.configuration.fitsQueue(record) { return nil }
        throw self.refusal(response, of: record, client: client, operation: operation.rawValue)
    }

    /// The error of a record for which there is no room.
    func queueFull(_ record: KafkaProducerRecord, operation: SendOperation) -> KafkaError {
        KafkaError(
            RD_KAFKA_RESP_ERR__QUEUE_FULL,
            operation: operation.rawValue,
            topic: record.topic,
            partition: record.partition,
            detail: "maxQueuedRecords is \(self.configuration.maxQueuedRecords), "
                + "maxQueuedBytes \(self.configuration.maxQueuedBytes)"
        )
    }

    private func waitForRoom(_ client: ClientHandle) async throws(CancellationError) {
        // As long as something is outstanding its report will wake those who wait.
        try await self.room.wait { self.isOpen && rd_kafka_outq_len(client.pointer) > 0 }
    }

    private func refusal(
        _ response: ResponseCode,
        of record: KafkaProducerRecord,
        client: ClientHandle,
        operation: String
    ) -> KafkaError {
        if response == RD_KAFKA_RESP_ERR__FATAL, let error = client.fatalError(operation: operation) {
            return error
        }
        if response == RD_KAFKA_RESP_ERR__STATE, self.context.isTransactional {
            return client.fatalError(operation: operation)
                ?? KafkaError.notInTransaction(operation: operation, topic: record.topic, partition: record.partition)
        }
        if response == RD_KAFKA_RESP_ERR__QUEUE_FULL, !self.configuration.fitsQueue(record) {
            return KafkaError(
                .messageTooLarge,
                operation: operation,
                topic: record.topic,
                partition: record.partition,
                message: "the value has \(record.value?.count ?? 0) bytes, and the local queue has room for "
                    + "maxQueuedBytes (\(self.configuration.maxQueuedBytes))"
            )
        }
        let isTooLarge = response == RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE
        return KafkaError(
            response,
            operation: operation,
            topic: record.topic,
            partition: record.partition,
            detail: isTooLarge ? "maxMessageBytes is \(self.configuration.maxMessageBytes)" : nil
        )
    }

    // MARK: Batches

    func send(
        _ records: ArraySlice<KafkaProducerRecord>,
        in transaction: TransactionRun? = nil
    ) async throws -> [Result<KafkaRecordMetadata, KafkaError>] {
        guard !records.isEmpty else { return [] }
        if let tracing { return try await self.send(records, in: transaction, tracing: tracing) }
        return try await self.sendUntraced(records, in: transaction)
    }

    func sendUntraced(
        _ records: ArraySlice<KafkaProducerRecord>,
        in transaction: TransactionRun?
    ) async throws -> [Result<KafkaRecordMetadata, KafkaError>] {
        try Task.checkCancellation()
        let batch = BatchDelivery(count: records.count)
        let (handedOver, errors) = try await self.handOver(records, to: batch, in: transaction)
        // Nobody may hold the client here: what it never reports is purged when the last holder lets go of it.
        await batch.wait()
        return self.results(of: batch, records: records, handedOver: handedOver, errors: errors)
    }

    /// Hands records to librdkafka, as there is room.
    ///
    /// - Returns: how many were handed over, fewer than all when the task was cancelled or the producer closed, and the
    ///   errors of those that can't be sent.
    private func handOver(
        _ records: ArraySlice<KafkaProducerRecord>,
        to batch: BatchDelivery,
        in transaction: TransactionRun?
    ) async throws -> (count: Int, errors: [Int: KafkaError]) {
        let client = try self.client(for: self.batchOperation)
        var handedOver = 0
        var target = BatchEncoding.Target(batch: batch, client: client, operation: self.batchOperation) {
            self.refusal($0, of: $1, client: client, operation: self.batchOperation)
        }
        while handedOver < records.count, self.isOpen {
            let rest = records.dropFirst(handedOver)
            do throws(KafkaError) {
                try self.transactions?.enter(transaction, operation: self.batchOperation)
            } catch {
                if handedOver == 0 { throw error }
                break
            }
            let (count, isFull) = BatchEncoding.produce(rest, startingAt: handedOver, to: &target)
            self.transactions?.leave(transaction)
            handedOver += count
            guard isFull else { continue }
            let next = records[records.startIndex + handedOver]
            if !self.configuration.fitsQueue(next) {
                target.errors[handedOver] = target.refusal(RD_KAFKA_RESP_ERR__QUEUE_FULL, next)
                handedOver += 1
                continue
            }
            do {
                try await self.waitForRoom(client)
            } catch {
                if handedOver == 0 { throw error }
                break
            }
        }
        return (handedOver, target.errors)
    }

    private func results(
        of batch: BatchDelivery,
        records: ArraySlice<KafkaProducerRecord>,
        handedOver: Int,
        errors: [Int: KafkaError]
    ) -> [Result<KafkaRecordMetadata, KafkaError>] {
        batch.withReports { slots in
            Array(unsafeUninitializedCapacity: records.count) { results, count in
                for (index, record) in records.enumerated() {
                    let result: Result<KafkaRecordMetadata, KafkaError>
                    if let report = slots[index].report {
                        result = report.result(
                            of: (record.topic, record.partition),
                            operation: self.batchOperation,
                            context: self.context
                        )
                    } else if let error = errors[index] {
                        result = .failure(error)
                    } else {
                        result = .failure(
                            KafkaError(
                                index < handedOver ? .outcomeUnknown : .notSent,
                                operation: self.batchOperation,
                                topic: record.topic,
                                partition: record.partition,
                                message: index < handedOver
                                    ? "cancelled while the record was on its way: it may be sent or not"
                                    : "cancelled or closed before the record was handed over: it was not sent"
                            )
                        )
                    }
                    results.initializeElement(at: index, to: result)
                    count = index + 1
                }
            }
        }
    }

    // MARK: Flush and close

    func flush(timeout: Duration) async throws {
        let operation = "flush"
        try await self.client(for: operation).blocking { client throws(KafkaError) in
            let response = rd_kafka_flush(client.pointer, Int32(timeout.milliseconds))
            guard response == RD_KAFKA_RESP_ERR_NO_ERROR else {
                throw KafkaError(
                    response,
                    operation: operation,
                    text: "\(rd_kafka_outq_len(client.pointer)) records had no answer within \(timeout)",
                    detail: client.connectionProblem.detail
                )
            }
        }
    }

    func close() async {
        let timeout = DispatchTimeInterval.milliseconds(self.configuration.closeTimeout.milliseconds)
        let deadline = DispatchTime.now() + timeout
        if self.beginClose() {
            // A transaction that runs gets its time to end: what it wants to send now is refused.
            await self.transactions?.close(until: deadline)
            await self.drain(until: deadline)
        }
        // Giving up takes a moment more. A call that blocks in C may hold the client for longer; nobody waits for that.
        guard !self.blockingCalls.hasAbandonedCalls else { return }
        await self.destruction.wait(until: max(deadline, .now() + .seconds(1)))
    }

    /// Closes in the background when the producer was dropped without being closed.
    func abandon() {
        guard self.beginClose() else { return }
        self.logger.warning("a KafkaProducer was dropped without being closed: closing it in the background")
        let timeout = DispatchTimeInterval.milliseconds(self.configuration.closeTimeout.milliseconds)
        Task { await self.drain(until: .now() + timeout) }
    }

    private func beginClose() -> Bool {
        self.phase.withLock { phase in
            guard case .open(let client) = phase else { return false }
            phase = .closing(client)
            return true
        }
    }

    /// Waits for what is on its way, gives up the rest, and lets go of the client.
    private func drain(until deadline: DispatchTime) async {
        guard case .closing(let client) = self.phase.withLock({ $0 }) else { return }
        // Those who wait for room see that the producer is closing.
        self.room.wake()
        let timeout = self.configuration.closeTimeout
        let logger = self.logger
        await withUnsafeContinuation { continuation in
            client.closing.async {
                if rd_kafka_flush(client.pointer, deadline.milliseconds) != RD_KAFKA_RESP_ERR_NO_ERROR {
                    logger.error("closing gives up \(rd_kafka_outq_len(client.pointer)) records after \(timeout)")
                    client.purge()
                }
                continuation.resume()
            }
        }
        // A sender that was about to hand over a record still holds the client, which purges it when it lets go.
        self.phase.withLock { $0 = .closed }
        self.metrics?.close()
    }
}

public import Logging

/// Sends records to Kafka.
///
/// A producer connects by itself and works from when it is made until it is closed; use ``withKafkaProducer(_:logger:_:)``
/// for a lifetime that can't be forgotten. In a `ServiceGroup` it is a `KafkaProducerService` (module
/// `KafkaClientServiceLifecycle`).
///
/// ```swift
/// try await withKafkaProducer(.init(bootstrapServers: ["localhost:9092"])) { producer in
///     let metadata = try await producer.send(.init(topic: "orders", key: "42", value: payload))
///     print(metadata.offset)
/// }
/// ```
///
/// Which call to use:
/// - ``send(_:)`` waits for the broker's acknowledgement of one record;
/// - ``send(contentsOf:)`` does so for many, with one suspension: the fastest way to send;
/// - ``enqueue(_:)`` returns a receipt as soon as the record is in the local queue;
/// - ``trySend(_:)`` is the one that does not suspend.
///
/// Records that one task sends to one partition keep their order.
public final class KafkaProducer: Sendable {
    let core: ProducerCore

    /// Makes a producer, which begins to connect in the background.
    ///
    /// - Throws: ``KafkaError`` with the code `configuration` that names the property that is wrong.
    public init(
        configuration: Configuration,
        logger: Logger = Logger(label: "KafkaClient.KafkaProducer")
    ) throws(KafkaError) {
        self.core = try ProducerCore(configuration: configuration, logger: logger)
    }

    deinit {
        self.core.abandon()
    }

    /// Sends a record and returns when the broker has acknowledged it.
    ///
    /// While the local queue is full, the task is suspended until there is room.
    ///
    /// - Returns: the record's partition, offset and time.
    /// - Throws: `CancellationError` when the task is cancelled while it waits for room: the record was not sent;
    ///   ``KafkaError`` with the code `outcomeUnknown` when it is cancelled later, and with other codes when the
    ///   record could not be delivered within ``Configuration/deliveryTimeout``.
    public func send(_ record: KafkaProducerRecord) async throws -> KafkaRecordMetadata {
        // Nearly always there is room, and one suspension is enough.
        if !Task.isCancelled, let waiter = try self.core.handOverIfThereIsRoom(record, operation: .send) {
            return try await waiter.metadata()
        }
        return try await self.core.handOver(record, operation: .send).metadata()
    }

    /// Puts a record into the local queue and returns a receipt, by which the acknowledgement can be awaited later.
    ///
    /// While the local queue is full, the task is suspended until there is room.
    ///
    /// - Throws: `CancellationError` when the task is cancelled while it waits for room: the record was not sent;
    ///   ``KafkaError`` when the record can't be sent at all.
    public func enqueue(_ record: KafkaProducerRecord) async throws -> KafkaSendReceipt {
        if !Task.isCancelled, let waiter = try self.core.handOverIfThereIsRoom(record, operation: .enqueue) {
            return KafkaSendReceipt(waiter: waiter)
        }
        return KafkaSendReceipt(waiter: try await self.core.handOver(record, operation: .enqueue))
    }

    /// Puts a record into the local queue if there is room.
    ///
    /// - Returns: a receipt, by which the acknowledgement can be awaited later.
    /// - Throws: ``KafkaError`` with the code `queueFull` when there is no room.
    public func trySend(_ record: KafkaProducerRecord) throws(KafkaError) -> KafkaSendReceipt {
        guard let waiter = try self.core.handOverIfThereIsRoom(record, operation: .trySend) else {
            throw self.core.queueFull(record, operation: .trySend)
        }
        return KafkaSendReceipt(waiter: waiter)
    }

    /// Sends records and returns when each is acknowledged or has failed, with one suspension for all.
    ///
    /// While the local queue is full, the task is suspended until there is room for more. Records of one partition keep
    /// their order.
    ///
    /// - Returns: a result for each record, in the order of the records. When the task is cancelled, records that were not
    ///   handed over yet have the code `notSent`, those without an answer yet `outcomeUnknown`.
    /// - Throws: `CancellationError` when the task was cancelled before the first record was handed over.
    public func send(
        contentsOf records: some Collection<KafkaProducerRecord>
    )
        async throws -> [Result<KafkaRecordMetadata, KafkaError>]
    {
        try await self.core.send(ArraySlice(records))
    }

    /// Returns when everything that was handed over before has its acknowledgement or its error.
    ///
    /// Records that linger are sent at once.
    ///
    /// - Throws: `CancellationError` at once when the task is cancelled, with the records still on their way;
    ///   ``KafkaError`` with the code `timedOut` when it takes longer than `timeout`.
    public func flush(timeout: Duration = .seconds(30)) async throws {
        try await self.core.flush(timeout: timeout)
    }

    /// The numbers of a topic's partitions.
    ///
    /// - Throws: `CancellationError` at once when the task is cancelled; ``KafkaError`` with the code
    ///   `unknownTopicOrPartition`, or `brokerUnreachable` when no broker answers within `timeout`.
    public func partitions(of topic: String, timeout: Duration = .seconds(5)) async throws -> [Int32] {
        let operation = "partitions of a topic"
        return try await self.core.client(for: operation)
            .partitions(of: topic, timeout: timeout, operation: operation)
    }

    /// Keeps the producer until the task is cancelled, then closes it. Cancelling is closing.
    public func run() async {
        await waitForCancellation()
        await self.close()
    }

    /// Sends what was handed over, within ``Configuration/closeTimeout``, and closes the producer.
    ///
    /// What could not be sent in time fails with the code `notSent` or `outcomeUnknown`. Closing again does nothing more
    /// than wait for the end.
    ///
    /// Questions whose task was cancelled may still be running in librdkafka. They are not waited for: the client's memory
    /// and threads are given back in the background when the last of them has come to its time-out.
    public func close() async {
        await self.core.close()
    }
}

public import Logging

/// Reads records from Kafka.
///
/// A consumer is subscribed to topics as a member of a group, which shares out the partitions, or reads partitions that
/// are assigned to it. It works from when it is made until it is closed; use
/// ``withKafkaConsumer(_:subscribedTo:logger:_:)`` for a lifetime that can't be forgotten. In a `ServiceGroup` it is a
/// `KafkaConsumerService` (module `KafkaClientServiceLifecycle`).
///
/// ```swift
/// try await withKafkaConsumer(
///     .init(bootstrapServers: ["localhost:9092"], group: "billing"),
///     subscribedTo: ["orders"]
/// ) { consumer in
///     for try await record in consumer.records {
///         try await bill(record)
///     }
/// }
/// ```
///
/// ### What is processed, what is committed
///
/// A record counts as processed when the next one is asked for; of ``batches``, likewise a batch. What is processed is
/// committed every few seconds, before a partition is given up and when the consumer is closed (see
/// ``Configuration/commitPolicy``), so a crash repeats records and never skips one. A record in hand when its loop ends by
/// `break`, by an error or by the end of the consumer was not asked beyond: commit it with ``commit(_:)-(KafkaConsumerRecord)``
/// if it is done.
///
/// A consumer has one reader at a time of ``records`` or ``batches``; ``partitions`` and ``process(ordering:concurrency:window:_:)``
/// are for several tasks.
public final class KafkaConsumer: Sendable {
    let core: ConsumerCore

    /// Makes a consumer, which begins to connect in the background.
    ///
    /// - Throws: ``KafkaError`` with the code `configuration` that names the property that is wrong.
    public init(
        configuration: Configuration,
        logger: Logger = Logger(label: "KafkaClient.KafkaConsumer")
    ) throws(KafkaError) {
        self.core = try ConsumerCore(configuration: configuration, logger: logger)
    }

    deinit {
        self.core.abandon()
    }

    // MARK: What to read

    /// Joins the group and reads what it assigns of these topics. Subscribing again changes the topics.
    ///
    /// - Parameter topics: names; one that begins with `^` is a regular expression.
    /// - Throws: ``KafkaError`` with the code `invalidState` without a group or after ``assign(_:)``.
    public func subscribe(to topics: [String]) async throws(KafkaError) {
        try await self.core.subscribe(to: topics)
    }

    /// Reads these partitions, each from a place of its own, without joining the group.
    ///
    /// Assigning again reads these partitions and no others from now on, also those that were read before each from the
    /// place given here; what is in hand or waits in the client is no longer good, and is neither handed out nor counted as
    /// processed. With no partitions, nothing is read until partitions are assigned again; a waiting reader goes on waiting.
    ///
    /// - Throws: ``KafkaError`` with the code `invalidState` when the consumer is subscribed to topics.
    public func assign(_ partitions: [KafkaTopicPartition: KafkaOffset]) async throws(KafkaError) {
        try await self.core.assign(partitions)
    }

    /// The partitions that the consumer reads now.
    public var assignment: Set<KafkaTopicPartition> { self.core.assignment }

    /// Whether the group has given this consumer its share, which may be empty: other members then have all partitions.
    ///
    /// False until the group has answered, and again while it shares out anew what this consumer gave up. An empty share is
    /// not always the last word: a cooperative group gives a new member nothing at first, and more when others have given
    /// it up.
    public var hasAssignment: Bool { self.core.hasAssignment }

    // MARK: Reading

    /// The records, one after the other. Ends when the consumer is closed or the reading task is cancelled.
    public var records: KafkaConsumerRecords { KafkaConsumerRecords(source: self.core) }

    /// The records in batches. Ends when the consumer is closed or the reading task is cancelled.
    public var batches: KafkaConsumerBatches { KafkaConsumerBatches(source: self.core) }

    // MARK: Committing

    /// Commits what was processed, and returns when the broker has taken it.
    ///
    /// - Throws: ``KafkaError`` with the code `outcomeUnknown` when the task is cancelled before the answer.
    public func commit() async throws(KafkaError) {
        try await self.core.commit()
    }

    /// Commits that everything up to this record is processed, and returns when the broker has taken it.
    ///
    /// A commit never takes back a later one: when the group has come further already, this does nothing.
    ///
    /// - Throws: as ``commit(_:)-([KafkaTopicPartition:Int64])``.
    public func commit(_ record: KafkaConsumerRecord) async throws(KafkaError) {
        try await self.core.commit([record.topicPartition: record.offset + 1], of: record.batch)
    }

    /// Commits that everything up to the end of this batch is processed, and returns when the broker has taken it.
    ///
    /// - Throws: as ``commit(_:)-([KafkaTopicPartition:Int64])``.
    public func commit(_ batch: KafkaConsumerBatch) async throws(KafkaError) {
        let positions = batch.positions(after: batch.count)
        try await self.core.commit(Dictionary(positions.map { ($0.partition, $0.offset) }) { max($0, $1) }, of: batch)
    }

    /// Commits positions, and returns when the broker has taken them. They may be lower than what was committed before: this
    /// is how to go back deliberately.
    ///
    /// Commits go to the broker one after the other. What is asked for while one is on its way goes together in the next
    /// one; every caller gets the outcome of the commit that its offsets went with. Errors that pass, such as those of a
    /// coordinator that is moving, are retried for about three seconds. While the consumer joins its group anew, commits wait
    /// for it, at most for ``Configuration/maxPollInterval``.
    ///
    /// A consumer that has not subscribed commits for its group from outside, which the broker allows only while the
    /// group has no members.
    ///
    /// - Parameter offsets: the offset of the next record to read, per partition.
    /// - Throws: ``KafkaError`` with the code `groupMembership` for a partition that the consumer does not own (any more)
    ///   or a group with other members, `outcomeUnknown` when the task is cancelled before the answer.
    public func commit(_ offsets: [KafkaTopicPartition: Int64]) async throws(KafkaError) {
        try await self.core.commit(offsets)
    }

    /// The offsets whose commit the broker has acknowledged since the consumer was made, automatic commits and those of
    /// ``transform(through:interval:attempts:_:)`` included.
    /// It can also be asked after the consumer is closed.
    public var acknowledgedCommits: [KafkaTopicPartition: Int64] { self.core.commits.acknowledged }

    // MARK: Asking

    /// The offsets that the group has committed; partitions without one are left out.
    ///
    /// - Throws: `CancellationError` at once when the task is cancelled; ``KafkaError`` with the code `brokerUnreachable`
    ///   when no broker answers within `timeout`.
    public func committedOffsets(
        for partitions: [KafkaTopicPartition],
        timeout: Duration = .seconds(5)
    ) async throws -> [KafkaTopicPartition: Int64] {
        let operation = "committed offsets"
        return try await self.core.committingClient(operation: operation)
            .committedOffsets(for: partitions, timeout: timeout, operation: operation)
    }

    /// The two ends of a partition's log.
    ///
    /// - Throws: `CancellationError` at once when the task is cancelled; ``KafkaError`` with the code `brokerUnreachable`
    ///   when no broker answers within `timeout`.
    public func watermarks(
        of partition: KafkaTopicPartition,
        timeout: Duration = .seconds(5)
    ) async throws -> KafkaWatermarks {
        let operation = "watermarks"
        return try await self.core.client(for: operation)
            .watermarks(of: partition, timeout: timeout, operation: operation)
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

    // MARK: The end

    /// Keeps the consumer until the task is cancelled, then closes it. Cancelling is closing.
    public func run() async {
        await waitForCancellation()
        await self.close()
    }

    /// Ends reading, commits what is processed, leaves the group and closes the consumer, within
    /// ``Configuration/closeTimeout``.
    ///
    /// While a record is being processed, this waits for the reader to ask for the next one, whose sequence then ends: so
    /// do not call it from the loop that reads, but break out of it first. Closing again does nothing more than wait for
    /// the end.
    ///
    /// Questions whose task was cancelled may still be running in librdkafka. They are not waited for: the client's memory
    /// and threads are given back in the background when the last of them has come to its time-out.
    public func close() async {
        await self.core.close()
    }
}

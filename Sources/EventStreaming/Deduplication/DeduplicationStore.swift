public import KafkaClient

/// Remembers which events were handled.
///
/// ``MemoryDeduplicationStore`` is one. A store in a database handles an event in the transaction in which it remembers it.
public protocol DeduplicationStore: Sendable {
    /// Runs `body` unless the event was handled before.
    ///
    /// What is handled at the same time counts, too: then the call waits. An event whose `body` throws was not handled.
    ///
    /// - Parameters:
    ///   - event: which event it is.
    ///   - position: the record that carries it.
    ///   - body: handles it.
    /// - Returns: what `body` returns; `nil` for an event that was handled before.
    func once<R: Sendable>(
        _ event: EventIdentity,
        at position: RecordPosition,
        _ body: () async throws -> R
    ) async throws -> R?
}

/// What tells an event from all others (CloudEvents 1.0, section 3.1).
public struct EventIdentity: Sendable, Hashable {
    /// Where it happened.
    public var source: String
    /// Its id there.
    public var id: String

    /// The identity of an event.
    public init(source: String, id: String) {
        self.source = source
        self.id = id
    }
}

extension EventMetadata {
    /// What tells the event from all others.
    public var identity: EventIdentity { EventIdentity(source: self.source, id: self.id) }
}

/// The place of a record.
public struct RecordPosition: Sendable, Hashable {
    /// Topic and partition.
    public var partition: KafkaTopicPartition
    /// The offset in the partition.
    public var offset: Int64

    /// The place of a record.
    public init(partition: KafkaTopicPartition, offset: Int64) {
        self.partition = partition
        self.offset = offset
    }
}

extension ReceivedMessage {
    /// Handles the message unless its event was handled before: an idempotent receiver.
    ///
    /// ```swift
    /// try await message.once(in: store) {
    ///     try await mail(try message.value)
    /// }
    /// ```
    ///
    /// A message without metadata is no event that could come again: it is handled. One that comes from a retry topic is the
    /// message that failed before, rather than a repetition: what its handler had sent was not sent.
    ///
    /// - Returns: what `body` returns; `nil` for an event that was handled before.
    /// - Throws: what `body` throws: the event was not handled then.
    @discardableResult
    public func once<R: Sendable>(
        in store: some DeduplicationStore,
        _ body: () async throws -> R
    ) async throws -> R? {
        guard let event = self.metadata?.identity else { return try await body() }
        return try await store.once(event, at: self.firstPosition, body)
    }

    /// Where the message was first, also when it was read from a retry topic.
    private var firstPosition: RecordPosition {
        guard let retry = self.retry else {
            return RecordPosition(partition: self.topicPartition, offset: self.offset)
        }
        let partition = KafkaTopicPartition(topic: retry.topic, partition: retry.partition)
        return RecordPosition(partition: partition, offset: retry.offset)
    }
}

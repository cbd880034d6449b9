public import EventSourcing
public import EventStreaming
public import KafkaClient

/// A message that a test delivers.
public struct TestMessage: Sendable {
    /// The record that would carry it.
    let record: KafkaProducerRecord

    /// A message to a topic.
    ///
    /// - Throws: `SerdeError` for a message that can't be written.
    public init<Key, Value>(_ message: Message<Key, Value>, to topic: Topic<Key, Value>) throws {
        self.record = try topic.record(of: message, source: "/test")
    }

    /// A message to a topic.
    ///
    /// - Throws: `SerdeError` for a message that can't be written.
    public init<Key, Value>(_ topic: Topic<Key, Value>, _ key: Key, _ value: Value) throws {
        try self.init(Message(key: key, value: value), to: topic)
    }

    /// An event of an entity.
    ///
    /// - Parameters:
    ///   - topic: the topic of the events.
    ///   - registry: their types.
    ///   - entity: what it happened to.
    ///   - event: what happened.
    ///   - sequence: its number among the events of the entity.
    /// - Throws: ``EventRegistryError`` for an event of no registered type.
    public init<Event>(
        topic: String,
        _ registry: EventRegistry<Event>,
        _ entity: EntityID,
        _ event: Event,
        sequence: Int64 = 1
    ) throws {
        let encoded = try registry.encode(event, source: "/test")
        self.record = EntityEventRecord.record(of: encoded, entity: entity, sequence: sequence, topic: topic)
    }

    /// Any record.
    public init(_ record: KafkaProducerRecord) {
        self.record = record
    }

    func incoming(at offset: Int64) -> IncomingRecord {
        .made(
            KafkaRecord(
                topic: self.record.topic,
                partition: self.record.partition ?? 0,
                offset: offset,
                timestamp: self.record.timestamp,
                key: self.record.key,
                value: self.record.value,
                headers: self.record.headers
            )
        )
    }
}

public import KafkaClient

/// A record in a topic of dead letters.
public struct StoredDeadLetter: Sendable, Hashable {
    /// What became of a letter.
    public enum State: String, Sendable, Hashable {
        /// Nothing yet.
        case outstanding
        /// A copy was sent to the topic that its message was in.
        case replayed
        /// It is no letter of a ``Processor``: it lacks the headers.
        case foreign
    }

    /// The record: key, value and headers of the message, with the headers of the letter.
    public var record: KafkaRecord
    /// What its headers tell; `nil` of a foreign record.
    public var letter: DeadLetter?
    /// What became of it.
    public var state: State

    /// Where it is.
    public var position: DeadLetterPosition {
        DeadLetterPosition(topic: self.record.topic, partition: self.record.partition, offset: self.record.offset)
    }
}

internal import KafkaClient
internal import Synchronization

/// What a handler sends for a message.
///
/// It is kept until the handler has returned, so that an attempt that fails leaves nothing behind. Then it goes out: in the
/// transaction of the message, or before the message counts as processed.
///
/// A message without metadata of its own gets an id that follows from the message that is handled, so that it is the same
/// when that is handled again: who reads it can tell a repetition by its id.
public final class ProcessorOutput: Sendable {
    private let processor: String
    private let carriedExtensions: Set<String>
    private let maxMessageBytes: Int
    private let record: KafkaConsumerRecord
    private let state = Mutex(State())

    private struct State {
        var records: [KafkaProducerRecord] = []
        /// The metadata of the message that is handled, once it was asked for.
        var cause: EventMetadata??
    }

    /// - Parameter record: the message that is handled.
    init(for record: KafkaConsumerRecord, configuration: ProcessorConfiguration) {
        self.processor = configuration.name
        self.carriedExtensions = configuration.carriedExtensions
        self.maxMessageBytes = configuration.producer.maxMessageBytes
        self.record = record
    }

    /// Sends a message to a topic when the handler has returned.
    ///
    /// Its metadata says that it comes of the message that is handled, unless it has causation and correlation of its own.
    ///
    /// - Throws: ``SerdeError`` for a key or a value that can't be written, and for a message that is larger than the producer's
    ///   `maxMessageBytes`.
    public func send<Key, Value>(_ message: Message<Key, Value>, to topic: Topic<Key, Value>) throws(SerdeError) {
        try self.state.withLock { state throws(SerdeError) in
            let cause = state.cause ?? EventMetadata(headers: self.record.headers)
            state.cause = .some(cause)
            var message = message
            var metadata =
                message.metadata
                ?? EventMetadata(
                    id: self.id(ofNumber: state.records.count, cause: cause),
                    source: self.processor,
                    type: topic.eventType(message.value),
                    time: .now
                )
            if let cause, !self.carriedExtensions.isEmpty {
                metadata.extensions.merge(cause.extensions.filter { self.carriedExtensions.contains($0.key) }) {
                    own,
                    _ in own
                }
            }
            message.metadata = metadata
            let record = try topic.record(of: message, source: self.processor, causedBy: cause)
            // Now, when it is the failure of the message that is handled, rather than that of all that goes out with it.
            let size = record.maxEncodedSize
            guard size <= self.maxMessageBytes else {
                throw SerdeError(
                    "a message for \(topic.name) has up to \(size) bytes, and `maxMessageBytes` is \(self.maxMessageBytes)"
                )
            }
            state.records.append(record)
        }
    }

    private func id(ofNumber number: Int, cause: EventMetadata?) -> String {
        guard let cause else {
            let place = "\(self.record.topicPartition)@\(self.record.offset)"
            let time = self.record.timestamp?.millisecondsSince1970 ?? 0
            return EventID.derived(from: self.processor, place, "\(number)", at: time)
        }
        // Nothing else of it is the same in every repetition.
        let time = EventID.milliseconds(of: cause.id) ?? 0
        return EventID.derived(from: self.processor, cause.source, cause.id, "\(number)", at: time)
    }

    /// What was sent, in order.
    var sentRecords: [KafkaProducerRecord] { self.state.withLock { $0.records } }
}

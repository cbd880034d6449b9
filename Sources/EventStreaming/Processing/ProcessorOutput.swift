internal import KafkaClient
internal import Synchronization

/// What a handler sends for a message.
///
/// It is kept until the handler has returned, so that an attempt that fails leaves nothing behind. Then it goes out: in the
/// transaction of the message, or before the message counts as processed.
public final class ProcessorOutput: Sendable {
    private let source: String
    private let cause: EventMetadata?
    private let records = Mutex<[KafkaProducerRecord]>([])

    init(source: String, cause: EventMetadata?) {
        self.source = source
        self.cause = cause
    }

    /// Sends a message to a topic when the handler has returned.
    ///
    /// Its metadata says that it comes of the message that is handled, unless it has causation and correlation of its own.
    ///
    /// - Throws: ``SerdeError`` for a key or a value that can't be written.
    public func send<Key, Value>(_ message: Message<Key, Value>, to topic: Topic<Key, Value>) throws(SerdeError) {
        let record = try topic.record(of: message, source: self.source, causedBy: self.cause)
        self.records.withLock { $0.append(record) }
    }

    /// What was sent, in order.
    var sentRecords: [KafkaProducerRecord] { self.records.withLock { $0 } }
}

internal import KafkaClient

/// A topic that a ``Processor`` reads, and what it does with the messages of that topic.
///
/// ```swift
/// let payments = Processor(
///     .init(name: "payments", bootstrapServers: ["localhost:9092"]),
///     inputs: [
///         ProcessorInput(orders) { message, output in ... },
///         ProcessorInput(shipments) { message, output in ... },
///     ]
/// )
/// ```
public struct ProcessorInput: Sendable {
    /// Handles one message.
    public typealias Handler<Key: Sendable, Value: Sendable> =
        @Sendable (ReceivedMessage<Key, Value>, ProcessorOutput) async throws -> Void

    /// The name of the topic.
    public let topic: String

    /// Reads a record, and answers its handler, which may be called several times.
    let prepare: @Sendable (KafkaConsumerRecord) -> @Sendable (ProcessorOutput) async throws -> Void

    /// Reads a topic with a handler of its own.
    ///
    /// - Parameters:
    ///   - topic: the topic, with its serdes.
    ///   - handler: handles one message, and throws where it can't.
    public init<Key, Value>(_ topic: Topic<Key, Value>, handler: @escaping Handler<Key, Value>) {
        self.topic = topic.name
        self.prepare = { record in
            let message = topic.message(of: record)
            return { output in try await handler(message, output) }
        }
    }
}

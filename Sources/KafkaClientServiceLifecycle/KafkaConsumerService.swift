public import KafkaClient
public import ServiceLifecycle

/// A consumer and what it reads for, as a service of a `ServiceGroup`.
///
/// ```swift
/// let billing = KafkaConsumerService(consumer) { consumer in
///     try await consumer.subscribe(to: ["orders"])
///     for try await record in consumer.records {
///         try await bill(record)
///     }
/// }
/// ```
///
/// When the group shuts down gracefully, the sequences of the consumer end behind the record that is in hand, what is
/// processed is committed and the group of consumers left, within ``KafkaConsumer/Configuration/closeTimeout``. The service
/// has ended when the body has returned as well; `maximumGracefulShutdownDuration` of the service group limits a body that
/// does not.
///
/// When the body throws, the consumer is closed in the same way, and the service fails with that error.
public struct KafkaConsumerService: Service {
    private let consumer: KafkaConsumer
    private let body: @Sendable (KafkaConsumer) async throws -> Void

    /// Makes a service of a consumer, which must not be closed by anybody else.
    ///
    /// - Parameter body: reads. It returns when its sequence ends.
    public init(
        _ consumer: KafkaConsumer,
        _ body: @escaping @Sendable (KafkaConsumer) async throws -> Void
    ) {
        self.consumer = consumer
        self.body = body
    }

    /// Runs the body until it returns, and closes the consumer: then, or before when the group shuts down.
    ///
    /// - Throws: what the body throws.
    public func run() async throws {
        try await withGracefulShutdownHandler {
            do {
                try await self.body(self.consumer)
            } catch let error as KafkaError where error.code == .closed && Task.isShuttingDownGracefully {
                // The body was about to begin, or goes on after the end.
            } catch {
                await self.consumer.close()
                throw error
            }
            await self.consumer.close()
        } onGracefulShutdown: { [consumer] in
            // The body sees its sequence end. Its end is waited for above.
            Task { await consumer.close() }
        }
    }
}

public import KafkaClient
public import ServiceLifecycle

/// A producer as a service of a `ServiceGroup`: it works until the group shuts down gracefully or is cancelled, then sends
/// what was handed over, within ``KafkaProducer/Configuration/closeTimeout``, and closes.
///
/// A group shuts its services down in the reverse of their order. Put the producer before the services that send by it, so
/// that it is open until they have ended.
///
/// ```swift
/// let group = ServiceGroup(
///     services: [KafkaProducerService(producer), KafkaConsumerService(consumer) { consumer in ... }],
///     gracefulShutdownSignals: [.sigterm],
///     logger: logger
/// )
/// try await group.run()
/// ```
///
/// When another service of the group fails, `ServiceGroup` cancels them all at once by default. Where records of the last
/// moment matter, give the services the `failureTerminationBehavior` `.gracefullyShutdownGroup`.
public struct KafkaProducerService: Service {
    private let producer: KafkaProducer

    /// Makes a service of a producer, which must not be closed by anybody else.
    public init(_ producer: KafkaProducer) {
        self.producer = producer
    }

    /// Keeps the producer open until the group shuts down or the task is cancelled, then closes it.
    public func run() async {
        // Cancelling is closing.
        await cancelWhenGracefulShutdown { [producer] in await producer.run() }
    }
}

public import KafkaClient
public import ServiceLifecycle

/// A producer as a service of a `ServiceGroup`: it works until its task is cancelled or the group shuts down gracefully, and
/// then sends what was handed over and closes.
extension KafkaProducer: Service {}

/// A consumer as a service of a `ServiceGroup`.
extension KafkaConsumer: Service {}

/// An admin client as a service of a `ServiceGroup`.
extension KafkaAdmin: Service {}

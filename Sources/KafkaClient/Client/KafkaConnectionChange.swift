/// What happened to the connection between a client and all of its brokers.
///
/// A client goes on trying by itself: this is for telling somebody why nothing happens.
public enum KafkaConnectionChange: Sendable, Hashable {
    /// No broker can be reached any more, for this reason, as librdkafka says it.
    case lost(reason: String)
    /// A broker answers again.
    case restored
}

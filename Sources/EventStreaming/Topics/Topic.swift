/// A Kafka topic whose keys and values have types.
///
/// ```swift
/// let orders = Topic<String, OrderEvent>("orders.events", key: .string, value: .json())
/// ```
public struct Topic<Key: Sendable, Value: Sendable>: Sendable {
    /// The name on the brokers.
    public let name: String
    /// How keys are written and read.
    public let key: Serde<Key>
    /// How values are written and read.
    public let value: Serde<Value>
    /// What happened, of values whose sender does not say: the type of their ``EventMetadata``.
    public let eventType: @Sendable (Value) -> String

    /// Makes a description of a topic; nothing is created or looked up.
    ///
    /// - Parameters:
    ///   - name: the name on the brokers.
    ///   - key: how keys are written and read.
    ///   - value: how values are written and read.
    ///   - eventType: the type of events whose sender names none. Default: the name of the Swift type.
    public init(
        _ name: String,
        key: Serde<Key>,
        value: Serde<Value>,
        eventType: @escaping @Sendable (Value) -> String = { "\(Swift.type(of: $0))" }
    ) {
        self.name = name
        self.key = key
        self.value = value
        self.eventType = eventType
    }
}

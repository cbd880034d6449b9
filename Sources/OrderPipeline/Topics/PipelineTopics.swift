public import EventStreaming

/// The topics of the pipeline with the types of what is in them.
public enum PipelineTopics {
    /// What is asked for.
    public static let commands = Self.topic(.commands, OrderCommand.self) { $0.type }
    /// What the orders service decided.
    public static let orders = Self.topic(.orders, OrderEvent.self) { $0.type }
    /// What the payments service did.
    public static let payments = Self.topic(.payments, PaymentEvent.self) { $0.type }
    /// What the shipping service did.
    public static let shipping = Self.topic(.shipping, ShippingEvent.self) { $0.type }
    /// Where each order stands.
    public static let status = Self.topic(.status, OrderStatus.self) { _ in "OrderStatus" }

    private static func topic<Value: Codable & Sendable>(
        _ topic: PipelineTopic,
        _ type: Value.Type,
        eventType: @escaping @Sendable (Value) -> String
    ) -> Topic<String, Value> {
        Topic(topic.rawValue, key: .string, value: .json(), eventType: eventType)
    }
}

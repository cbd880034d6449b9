internal import EventStreaming

/// The topics of the pipeline. Every record has the order's id as its key, so that what concerns one order stays in order.
public enum PipelineTopic: String, Sendable, Hashable, CaseIterable {
    /// ``OrderCommand``: what is asked for.
    case commands = "orders.commands"
    /// ``OrderEvent``: what the orders service decided.
    case orders = "orders.events"
    /// ``PaymentEvent``: what the payments service did.
    case payments = "payments.events"
    /// ``ShippingEvent``: what the shipping service did.
    case shipping = "shipping.events"
    /// ``OrderStatus``: where each order stands; compacted, so that the last status of every order stays.
    case status = "orders.status"

    /// Where the services put records of this topic that they can't process; `nil` for a topic that no service reads.
    public var deadLetters: String? {
        self == .status ? nil : DeadLetterPolicy().topic(self.rawValue)
    }

    /// The names of all topics, those of dead letters included.
    public static var allNames: [String] { Self.allCases.map(\.rawValue) + Self.allCases.compactMap(\.deadLetters) }
}

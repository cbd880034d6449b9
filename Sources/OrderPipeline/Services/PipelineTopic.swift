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
}

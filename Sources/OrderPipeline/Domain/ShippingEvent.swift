public import EventStreaming

/// What the shipping service has done: the value of a record in `shipping.events`.
public enum ShippingEvent: Sendable, Hashable {
    /// The order is on its way.
    case shipped(OrderShipped)
    /// The order can't be sent: the payment must be given back.
    case failed(ShipmentFailed)

    /// The order that the event is about.
    public var orderID: String {
        switch self {
        case .shipped(let event): event.orderId
        case .failed(let event): event.orderId
        }
    }
}

/// An order was shipped.
public struct OrderShipped: Sendable, Hashable, Codable {
    /// The order.
    public var orderId: String
    /// The country it was shipped to.
    public var country: String
    /// When the order was placed.
    public var placedAt: UTCTime
    /// What it was paid with.
    public var amount: Money
}

/// An order can't be shipped.
public struct ShipmentFailed: Sendable, Hashable, Codable {
    /// Why an order can't be shipped.
    public enum Reason: String, Sendable, Codable {
        /// The country is not known.
        case countryUnspecified = "country-unspecified"
    }

    /// The order.
    public var orderId: String
    /// What was paid, and is to be given back.
    public var amount: Money
    /// Why.
    public var reason: Reason
}

extension ShippingEvent: Codable {
    private enum Kind: String, Codable {
        case shipped = "OrderShipped"
        case failed = "ShipmentFailed"
    }

    /// Reads an event by its `type`.
    public init(from decoder: any Decoder) throws {
        switch try decoder.eventType(Kind.self) {
        case .shipped: self = .shipped(try OrderShipped(from: decoder))
        case .failed: self = .failed(try ShipmentFailed(from: decoder))
        }
    }

    /// Writes the event with its `type` beside its fields.
    public func encode(to encoder: any Encoder) throws {
        switch self {
        case .shipped(let event): try encoder.encode(event, type: self.kind)
        case .failed(let event): try encoder.encode(event, type: self.kind)
        }
    }

    /// What happened, by its name in JSON, which is its type in the metadata too.
    public var type: String { self.kind.rawValue }

    private var kind: Kind {
        switch self {
        case .shipped: .shipped
        case .failed: .failed
        }
    }
}

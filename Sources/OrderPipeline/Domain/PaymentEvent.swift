public import EventStreaming

/// What the payments service has done: the value of a record in `payments.events`.
public enum PaymentEvent: Sendable, Hashable {
    /// The money is taken; the order may be shipped.
    case authorised(PaymentAuthorised)
    /// The money is not taken.
    case declined(PaymentDeclined)
    /// The money is given back, since the order could not be shipped.
    case refunded(PaymentRefunded)

    /// The order that the event is about.
    public var orderID: String {
        switch self {
        case .authorised(let event): event.orderId
        case .declined(let event): event.orderId
        case .refunded(let event): event.orderId
        }
    }
}

/// A payment was authorised.
public struct PaymentAuthorised: Sendable, Hashable, Codable {
    /// The order.
    public var orderId: String
    /// The country to ship to.
    public var country: String
    /// When the order was placed.
    public var placedAt: UTCTime
    /// What was paid.
    public var amount: Money
}

/// A payment was declined.
public struct PaymentDeclined: Sendable, Hashable, Codable {
    /// Why a payment is declined.
    public enum Reason: String, Sendable, Codable {
        /// It is above ``PaymentRules/limit``.
        case aboveLimit = "above-limit"
    }

    /// The order.
    public var orderId: String
    /// What was to be paid.
    public var amount: Money
    /// Why.
    public var reason: Reason
}

/// A payment was given back.
public struct PaymentRefunded: Sendable, Hashable, Codable {
    /// The order.
    public var orderId: String
    /// What was given back.
    public var amount: Money
}

extension PaymentEvent: Codable {
    private enum Kind: String, Codable {
        case authorised = "PaymentAuthorised"
        case declined = "PaymentDeclined"
        case refunded = "PaymentRefunded"
    }

    /// Reads an event by its `type`.
    public init(from decoder: any Decoder) throws {
        switch try decoder.eventType(Kind.self) {
        case .authorised: self = .authorised(try PaymentAuthorised(from: decoder))
        case .declined: self = .declined(try PaymentDeclined(from: decoder))
        case .refunded: self = .refunded(try PaymentRefunded(from: decoder))
        }
    }

    /// Writes the event with its `type` beside its fields.
    public func encode(to encoder: any Encoder) throws {
        switch self {
        case .authorised(let event): try encoder.encode(event, type: self.kind)
        case .declined(let event): try encoder.encode(event, type: self.kind)
        case .refunded(let event): try encoder.encode(event, type: self.kind)
        }
    }

    /// What happened, by its name in JSON, which is its type in the metadata too.
    public var type: String { self.kind.rawValue }

    private var kind: Kind {
        switch self {
        case .authorised: .authorised
        case .declined: .declined
        case .refunded: .refunded
        }
    }
}

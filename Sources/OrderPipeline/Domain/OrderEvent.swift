public import EventStreaming

/// What the orders service has decided: the value of a record in `orders.events`.
///
/// Events carry what the services after it need, so that none of them has to ask another or to remember.
public enum OrderEvent: Sendable, Hashable {
    /// The order is taken and waits for its payment.
    case placed(OrderPlaced)
    /// The order is not taken.
    case rejected(InvoiceRejected)
    /// The order is taken back after it was placed.
    case cancelled(OrderCancelled)
    /// The credit note is given.
    case creditNoteIssued(CreditNoteIssued)
    /// The credit note is not given.
    case creditNoteRejected(InvoiceRejected)
    /// The invoice is neither an order nor a credit note: its number does not have the form of what it claims to be.
    case invoiceRefused(InvoiceRefused)

    /// The order that the event is about.
    public var orderID: String {
        switch self {
        case .placed(let event): event.orderId
        case .rejected(let event), .creditNoteRejected(let event): event.orderId
        case .cancelled(let event): event.orderId
        case .creditNoteIssued(let event): event.orderId
        case .invoiceRefused(let event): event.orderId
        }
    }
}

/// An order was placed.
public struct OrderPlaced: Sendable, Hashable, Codable {
    /// The order.
    public var orderId: String
    /// The customer, where one is known.
    public var customerId: String?
    /// The country to ship to.
    public var country: String
    /// When it was placed.
    public var placedAt: UTCTime
    /// How many lines it has.
    public var lineCount: Int
    /// What is to be paid.
    public var total: Money
}

/// An order or a credit note was rejected.
public struct InvoiceRejected: Sendable, Hashable, Codable {
    /// The order or credit note.
    public var orderId: String
    /// How many lines it has.
    public var lineCount: Int
    /// The first rule that it breaks.
    public var reason: RejectionReason
}

/// A placed order was cancelled.
public struct OrderCancelled: Sendable, Hashable, Codable {
    /// Why an order is cancelled.
    public enum Reason: String, Sendable, Codable {
        /// The payment was declined.
        case paymentDeclined = "payment-declined"
        /// It could not be shipped, and the payment was refunded.
        case notShippable = "not-shippable"
    }

    /// The order.
    public var orderId: String
    /// Why.
    public var reason: Reason
}

/// A credit note was issued.
public struct CreditNoteIssued: Sendable, Hashable, Codable {
    /// The credit note.
    public var orderId: String
    /// The customer, where one is known.
    public var customerId: String?
    /// The customer's country.
    public var country: String
    /// When it was asked for.
    public var placedAt: UTCTime
    /// How many lines it has.
    public var lineCount: Int
    /// What is given back: the absolute value of its total.
    public var amount: Money
}

/// An invoice was refused for the form of its number.
public struct InvoiceRefused: Sendable, Hashable, Codable {
    /// The number that was given.
    public var orderId: String
    /// How many lines it has.
    public var lineCount: Int
}

/// Why an order or a credit note is rejected.
public enum RejectionReason: String, Sendable, Hashable, Codable, CaseIterable {
    /// A line of an order has a quantity of 0 or less.
    case quantityNotPositive = "quantity-not-positive"
    /// A line of a credit note has a quantity above 0.
    case quantityPositive = "quantity-positive"
    /// A line has a price below 0.
    case priceNegative = "price-negative"
    /// The total is 0.
    case totalZero = "total-zero"
    /// A line or the total is beyond what 64 bits of thousandths hold.
    case amountTooLarge = "amount-too-large"
}

extension OrderEvent: Codable {
    private enum Kind: String, Codable {
        case placed = "OrderPlaced"
        case rejected = "OrderRejected"
        case cancelled = "OrderCancelled"
        case creditNoteIssued = "CreditNoteIssued"
        case creditNoteRejected = "CreditNoteRejected"
        case invoiceRefused = "InvoiceRefused"
    }

    /// Reads an event by its `type`.
    public init(from decoder: any Decoder) throws {
        switch try decoder.eventType(Kind.self) {
        case .placed: self = .placed(try OrderPlaced(from: decoder))
        case .rejected: self = .rejected(try InvoiceRejected(from: decoder))
        case .cancelled: self = .cancelled(try OrderCancelled(from: decoder))
        case .creditNoteIssued: self = .creditNoteIssued(try CreditNoteIssued(from: decoder))
        case .creditNoteRejected: self = .creditNoteRejected(try InvoiceRejected(from: decoder))
        case .invoiceRefused: self = .invoiceRefused(try InvoiceRefused(from: decoder))
        }
    }

    /// Writes the event with its `type` beside its fields.
    public func encode(to encoder: any Encoder) throws {
        switch self {
        case .placed(let event): try encoder.encode(event, type: self.kind)
        case .rejected(let event): try encoder.encode(event, type: self.kind)
        case .cancelled(let event): try encoder.encode(event, type: self.kind)
        case .creditNoteIssued(let event): try encoder.encode(event, type: self.kind)
        case .creditNoteRejected(let event): try encoder.encode(event, type: self.kind)
        case .invoiceRefused(let event): try encoder.encode(event, type: self.kind)
        }
    }

    /// What happened, by its name in JSON, which is its type in the metadata too.
    public var type: String { self.kind.rawValue }

    private var kind: Kind {
        switch self {
        case .placed: .placed
        case .rejected: .rejected
        case .cancelled: .cancelled
        case .creditNoteIssued: .creditNoteIssued
        case .creditNoteRejected: .creditNoteRejected
        case .invoiceRefused: .invoiceRefused
        }
    }
}

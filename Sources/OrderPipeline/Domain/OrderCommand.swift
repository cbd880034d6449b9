internal import EventStreaming

/// What the pipeline is asked to do: the value of a record in `orders.commands`, and a line of a JSON Lines file.
///
/// The JSON form is the contract in `Schemas/order-command.schema.json`.
public enum OrderCommand: Sendable, Hashable {
    /// Sell what is on the invoice.
    case placeOrder(Invoice)
    /// Give back the money for what is on the invoice.
    case issueCreditNote(Invoice)

    /// The command for an invoice of the Online Retail data, where the number says what it is.
    ///
    /// A number of no known form becomes an order: refusing it is a decision, and not the reader's.
    public init(_ invoice: Invoice) {
        switch InvoiceForm(number: invoice.number) {
        case .creditNote: self = .issueCreditNote(invoice)
        case .order, .other: self = .placeOrder(invoice)
        }
    }

    /// The invoice it is about.
    public var invoice: Invoice {
        switch self {
        case .placeOrder(let invoice), .issueCreditNote(let invoice): invoice
        }
    }
}

extension OrderCommand: Codable {
    private enum Kind: String, Codable {
        case placeOrder = "PlaceOrder"
        case issueCreditNote = "IssueCreditNote"
    }

    private enum CodingKeys: String, CodingKey {
        case type, orderId, customerId, country, placedAt, lines
    }

    /// Reads a command.
    /// - Throws: `DecodingError`, also for an empty order id.
    public init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        let kind = try container.decode(Kind.self, forKey: .type)
        let number = try container.decode(String.self, forKey: .orderId)
        guard !number.isEmpty else {
            throw DecodingError.dataCorruptedError(forKey: .orderId, in: container, debugDescription: "it is empty")
        }
        let invoice = Invoice(
            number: number,
            customerID: try container.decodeIfPresent(String.self, forKey: .customerId),
            country: try container.decode(String.self, forKey: .country),
            placedAt: try container.decode(UTCTime.self, forKey: .placedAt),
            lines: try container.decode([InvoiceLine].self, forKey: .lines)
        )
        switch kind {
        case .placeOrder: self = .placeOrder(invoice)
        case .issueCreditNote: self = .issueCreditNote(invoice)
        }
    }

    /// Writes the command; a customer who is not known is left out.
    public func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(self.kind, forKey: .type)
        let invoice = self.invoice
        try container.encode(invoice.number, forKey: .orderId)
        try container.encodeIfPresent(invoice.customerID, forKey: .customerId)
        try container.encode(invoice.country, forKey: .country)
        try container.encode(invoice.placedAt, forKey: .placedAt)
        try container.encode(invoice.lines, forKey: .lines)
    }

    /// What is asked for, by its name in JSON, which is its type in the metadata too.
    public var type: String { self.kind.rawValue }

    private var kind: Kind {
        switch self {
        case .placeOrder: .placeOrder
        case .issueCreditNote: .issueCreditNote
        }
    }
}

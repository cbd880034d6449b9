public import EventStreaming

/// An invoice as it comes in: an order or a credit note, by what is done with it.
public struct Invoice: Sendable, Hashable {
    /// The invoice number, which is also the order's id and the key of every record about it.
    public var number: String
    /// The customer, where one is known.
    public var customerID: String?
    /// The customer's country; the word `Unspecified` where it is not known.
    public var country: String
    /// When the order was placed, or the credit note asked for.
    public var placedAt: UTCTime
    /// What was bought; in a credit note, with negative quantities, what was taken back.
    public var lines: [InvoiceLine]

    /// Makes an invoice.
    public init(number: String, customerID: String?, country: String, placedAt: UTCTime, lines: [InvoiceLine]) {
        self.number = number
        self.customerID = customerID
        self.country = country
        self.placedAt = placedAt
        self.lines = lines
    }

    /// The sum of quantity times price over the lines.
    /// - Returns: `nil` when a line or the sum is beyond what 64 bits hold.
    public var total: Money? {
        var amounts: [Money] = []
        amounts.reserveCapacity(self.lines.count)
        for line in self.lines {
            guard let amount = line.unitPrice.times(line.quantity) else { return nil }
            amounts.append(amount)
        }
        return Money.sum(of: amounts)
    }
}

/// One line of an invoice.
public struct InvoiceLine: Sendable, Hashable {
    /// The article.
    public var sku: String
    /// What the article is called; may be empty.
    public var description: String
    /// How many; negative in a credit note.
    public var quantity: Int64
    /// The price of one.
    public var unitPrice: Money

    /// Makes a line.
    public init(sku: String, description: String, quantity: Int64, unitPrice: Money) {
        self.sku = sku
        self.description = description
        self.quantity = quantity
        self.unitPrice = unitPrice
    }
}

extension InvoiceLine: Codable {
    private enum CodingKeys: String, CodingKey {
        case sku, description, quantity, unitPrice
    }

    /// Reads a line; the description may be missing.
    public init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        self.sku = try container.decode(String.self, forKey: .sku)
        self.description = try container.decodeIfPresent(String.self, forKey: .description) ?? ""
        self.quantity = try container.decode(Int64.self, forKey: .quantity)
        self.unitPrice = try container.decode(Money.self, forKey: .unitPrice)
    }
}

/// What the form of an invoice number says that the invoice is.
public enum InvoiceForm: Sendable, Hashable {
    /// All digits.
    case order
    /// Begins with `C`.
    case creditNote
    /// Anything else, an adjustment such as `A563185` for example.
    case other

    /// The form of the number.
    public init(number: String) {
        if number.utf8.first == UInt8(ascii: "C") {
            self = .creditNote
        } else if !number.isEmpty, number.utf8.allSatisfy({ (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }) {
            self = .order
        } else {
            self = .other
        }
    }
}

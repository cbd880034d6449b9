/// What a replay adds up to. Amounts are thousandths of a pound.
///
/// Sums are 128 bits wide: no number of amounts of 64 bits makes them overflow.
public struct Totals: Sendable, Hashable {
    /// Distinct invoice numbers that were decided on, of every kind.
    public var invoices = 0
    /// Well-formed lines of these invoices.
    public var lines = 0
    /// Orders that were placed, whatever became of them.
    public var ordersPlaced = 0
    /// Orders that were not placed: a line or the total breaks a rule.
    public var ordersRejected = 0
    /// Placed orders that were cancelled because their payment was declined.
    public var ordersDeclined = 0
    /// Placed and paid orders that could not be shipped: refunded and cancelled.
    public var ordersCompensated = 0
    /// Orders that were shipped.
    public var ordersShipped = 0
    /// Credit notes that were issued.
    public var creditNotes = 0
    /// Credit notes that were not issued: a line or the total breaks a rule.
    public var creditNotesRejected = 0
    /// Invoices that are neither orders nor credit notes by their number.
    public var invoicesRefused = 0
    /// The total of the orders that were placed.
    public var placedAmount: Int128 = 0
    /// The total of the orders that were shipped.
    public var shippedAmount: Int128 = 0
    /// The total of the payments that were given back.
    public var refundedAmount: Int128 = 0
    /// The total of the payments that were declined.
    public var declinedAmount: Int128 = 0
    /// The total of the credit notes that were issued.
    public var creditedAmount: Int128 = 0
    /// Shipped less credited, by country; a country is there when something was shipped or credited.
    public var revenueByCountry: [String: Int128] = [:]
    /// Shipped less credited, by the month in which the order was placed or the credit note asked for (`2010-12`).
    public var revenueByMonth: [String: Int128] = [:]

    /// Nothing yet.
    public init() {}

    /// One number of the totals.
    package struct Figure: Sendable, Hashable {
        package var key: String
        package var value: Int128
        package var isAmount: Bool
    }

    /// The numbers by the names that they have in JSON, in the order of a report.
    package var figures: [Figure] {
        let counts = [
            ("invoices", self.invoices), ("lines", self.lines), ("orders_placed", self.ordersPlaced),
            ("orders_rejected", self.ordersRejected), ("orders_declined", self.ordersDeclined),
            ("orders_compensated", self.ordersCompensated), ("orders_shipped", self.ordersShipped),
            ("credit_notes", self.creditNotes), ("credit_notes_rejected", self.creditNotesRejected),
            ("invoices_refused", self.invoicesRefused),
        ]
        let amounts = [
            ("placed_amount", self.placedAmount), ("shipped_amount", self.shippedAmount),
            ("refunded_amount", self.refundedAmount), ("declined_amount", self.declinedAmount),
            ("credited_amount", self.creditedAmount),
        ]
        return counts.map { Figure(key: $0.0, value: Int128($0.1), isAmount: false) }
            + amounts.map { Figure(key: $0.0, value: $0.1, isAmount: true) }
    }

    /// The totals as one JSON object, over several lines, with sorted countries and months.
    package var json: String {
        var members = self.figures.map { "  \(Self.quoted($0.key)): \($0.value)" }
        for (key, revenue) in [
            ("revenue_by_country", self.revenueByCountry), ("revenue_by_month", self.revenueByMonth),
        ] {
            let rows = revenue.sorted { $0.key < $1.key }.map { "    \(Self.quoted($0.key)): \($0.value)" }
            let object = rows.isEmpty ? "{}" : "{\n" + rows.joined(separator: ",\n") + "\n  }"
            members.append("  \(Self.quoted(key)): \(object)")
        }
        return "{\n" + members.joined(separator: ",\n") + "\n}\n"
    }

    private static func quoted(_ text: String) -> String {
        var quoted = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"", "\\":
                quoted += "\\"
                quoted.unicodeScalars.append(scalar)
            case _ where scalar.value < 0x20:
                let digits = String(scalar.value, radix: 16)
                quoted += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
            default:
                quoted.unicodeScalars.append(scalar)
            }
        }
        return quoted + "\""
    }
}

internal import EventStreaming

/// The totals by one plain pass over the file: what the pipeline must come to.
///
/// It shares the reading of rows with the pipeline and nothing else. The rules stand here a second time, in other words
/// and with wider numbers, so that a mistake in the one shows against the other.
struct PlainPass {
    private struct Sum {
        var isCreditNote: Bool
        var country: String
        var month: String
        var lines = 0
        var total: Int128 = 0
        var smallestQuantity: Int64 = .max
        var largestQuantity: Int64 = .min
        var smallestPrice: Int64 = .max
        var largestLine: UInt128 = 0

        mutating func add(_ line: InvoiceLine) {
            let amount = Int128(line.quantity) * Int128(line.unitPrice.thousandths)
            self.lines += 1
            // A line that no amount can hold spoils the invoice by itself: it need not be in the sum.
            if amount.magnitude <= UInt128(UInt64.max) { self.total += amount }
            self.smallestQuantity = min(self.smallestQuantity, line.quantity)
            self.largestQuantity = max(self.largestQuantity, line.quantity)
            self.smallestPrice = min(self.smallestPrice, line.unitPrice.thousandths)
            self.largestLine = max(self.largestLine, amount.magnitude)
        }

        /// Neither worthless, nor with a price below 0, nor beyond what 64 bits hold.
        var isSound: Bool {
            let largest = UInt128(Int64.max)
            return self.total != 0 && self.smallestPrice >= 0 && self.total.magnitude <= largest
                && self.largestLine <= largest
        }
    }

    private let limit: Int?
    private var sums: [String: Sum] = [:]

    init(limit: Int?) {
        self.limit = limit
    }

    mutating func add(_ row: RetailRow) {
        guard self.takes(row.invoice) else { return }
        let empty = Sum(isCreditNote: Self.beginsWithC(row.invoice), country: row.country, month: row.date.month)
        self.sums[row.invoice, default: empty].add(row.line)
    }

    mutating func add(_ command: OrderCommand) {
        let invoice = command.invoice
        // A repeated command asks for nothing new.
        guard self.takes(invoice.number), self.sums[invoice.number] == nil else { return }
        var sum = Sum(isCreditNote: false, country: invoice.country, month: invoice.placedAt.month)
        if case .issueCreditNote = command { sum.isCreditNote = true }
        for line in invoice.lines { sum.add(line) }
        self.sums[invoice.number] = sum
    }

    /// Forgets an invoice that turned out not to be usable.
    mutating func remove(_ number: String) {
        self.sums[number] = nil
    }

    private func takes(_ number: String) -> Bool {
        guard let limit = self.limit else { return true }
        return self.sums.count < limit || self.sums[number] != nil
    }

    /// What the invoices that were added come to.
    var totals: Totals {
        var totals = Totals()
        for (number, sum) in self.sums {
            totals.invoices += 1
            totals.lines += sum.lines
            let isNumber = number.unicodeScalars.allSatisfy { ("0"..."9").contains($0) }
            switch (sum.isCreditNote, Self.beginsWithC(number)) {
            case (false, false) where isNumber:
                Self.addOrder(sum, to: &totals)
            case (true, true):
                Self.addCreditNote(sum, to: &totals)
            default:
                totals.invoicesRefused += 1
            }
        }
        return totals
    }

    private static func beginsWithC(_ number: String) -> Bool { number.unicodeScalars.first == "C" }

    private static func addOrder(_ sum: Sum, to totals: inout Totals) {
        guard sum.isSound, sum.smallestQuantity > 0 else {
            totals.ordersRejected += 1
            return
        }
        totals.ordersPlaced += 1
        totals.placedAmount += sum.total
        if sum.total > 10_000_000 {
            totals.ordersDeclined += 1
            totals.declinedAmount += sum.total
        } else if sum.country == "Unspecified" {
            totals.ordersCompensated += 1
            totals.refundedAmount += sum.total
        } else {
            totals.ordersShipped += 1
            totals.shippedAmount += sum.total
            totals.revenueByCountry[sum.country, default: 0] += sum.total
            totals.revenueByMonth[sum.month, default: 0] += sum.total
        }
    }

    private static func addCreditNote(_ sum: Sum, to totals: inout Totals) {
        guard sum.isSound, sum.largestQuantity <= 0 else {
            totals.creditNotesRejected += 1
            return
        }
        // Quantities are 0 or less and prices 0 or more: the total is below 0.
        totals.creditNotes += 1
        totals.creditedAmount -= sum.total
        totals.revenueByCountry[sum.country, default: 0] += sum.total
        totals.revenueByMonth[sum.month, default: 0] += sum.total
    }
}

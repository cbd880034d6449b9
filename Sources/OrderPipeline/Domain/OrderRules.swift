/// The rules by which the orders service takes orders and gives credit notes.
public enum OrderRules {
    /// What becomes of a command.
    ///
    /// A number that does not have the form of what the command asks for is refused; then the rules for orders or for
    /// credit notes decide.
    public static func decide(_ command: OrderCommand) -> OrderEvent {
        switch (command, InvoiceForm(number: command.invoice.number)) {
        case (.placeOrder(let invoice), .order): self.decideOrder(invoice)
        case (.issueCreditNote(let invoice), .creditNote): self.decideCreditNote(invoice)
        default:
            .invoiceRefused(
                InvoiceRefused(orderId: command.invoice.number, lineCount: command.invoice.lines.count)
            )
        }
    }

    /// An order is rejected when any line has a quantity of 0 or less or a price below 0, or when its total is 0.
    private static func decideOrder(_ invoice: Invoice) -> OrderEvent {
        func rejected(_ reason: RejectionReason) -> OrderEvent {
            .rejected(InvoiceRejected(orderId: invoice.number, lineCount: invoice.lines.count, reason: reason))
        }
        guard invoice.lines.allSatisfy({ $0.quantity > 0 }) else { return rejected(.quantityNotPositive) }
        guard invoice.lines.allSatisfy({ $0.unitPrice.thousandths >= 0 }) else { return rejected(.priceNegative) }
        guard let total = invoice.total else { return rejected(.amountTooLarge) }
        guard total.thousandths != 0 else { return rejected(.totalZero) }
        return .placed(
            OrderPlaced(
                orderId: invoice.number,
                customerId: invoice.customerID,
                country: invoice.country,
                placedAt: invoice.placedAt,
                lineCount: invoice.lines.count,
                total: total
            )
        )
    }

    /// A credit note is rejected when any quantity is above 0, any price is below 0, or its total is 0; it is worth the
    /// absolute value of its total.
    private static func decideCreditNote(_ invoice: Invoice) -> OrderEvent {
        func rejected(_ reason: RejectionReason) -> OrderEvent {
            .creditNoteRejected(
                InvoiceRejected(orderId: invoice.number, lineCount: invoice.lines.count, reason: reason)
            )
        }
        guard invoice.lines.allSatisfy({ $0.quantity <= 0 }) else { return rejected(.quantityPositive) }
        guard invoice.lines.allSatisfy({ $0.unitPrice.thousandths >= 0 }) else { return rejected(.priceNegative) }
        guard let amount = invoice.total?.absolute else { return rejected(.amountTooLarge) }
        guard amount.thousandths != 0 else { return rejected(.totalZero) }
        return .creditNoteIssued(
            CreditNoteIssued(
                orderId: invoice.number,
                customerId: invoice.customerID,
                country: invoice.country,
                placedAt: invoice.placedAt,
                lineCount: invoice.lines.count,
                amount: amount
            )
        )
    }
}

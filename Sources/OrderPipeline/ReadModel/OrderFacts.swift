internal import EventStreaming

/// What is known about one order: one fact for each event, each at most once.
///
/// Facts only ever fill in. So it makes no difference in which order the events of three topics arrive, nor how often
/// one of them does, and whatever is derived from facts is right once they are all there.
struct OrderFacts: Sendable {
    /// What was decided on the command.
    enum Decision: Sendable {
        case placed(OrderPlaced)
        case rejected(lineCount: Int)
        case creditNoteIssued(CreditNoteIssued)
        case creditNoteRejected(lineCount: Int)
        case refused(lineCount: Int)
    }

    /// What became of the payment.
    enum Payment: Sendable {
        case authorised
        case declined(Money)
    }

    /// What became of the shipment.
    enum Shipment: Sendable {
        case shipped(OrderShipped)
        case failed
    }

    private(set) var decision: Decision?
    private(set) var payment: Payment?
    private(set) var shipment: Shipment?
    private(set) var refund: Money?
    private(set) var cancellation: OrderCancelled.Reason?
    /// The furthest stage that was published.
    private(set) var stage: OrderStatus.Stage?

    mutating func apply(_ event: OrderEvent) {
        switch event {
        case .placed(let event): self.decide(.placed(event))
        case .rejected(let event): self.decide(.rejected(lineCount: event.lineCount))
        case .creditNoteIssued(let event): self.decide(.creditNoteIssued(event))
        case .creditNoteRejected(let event): self.decide(.creditNoteRejected(lineCount: event.lineCount))
        case .invoiceRefused(let event): self.decide(.refused(lineCount: event.lineCount))
        case .cancelled(let event): self.cancellation = self.cancellation ?? event.reason
        }
    }

    mutating func apply(_ event: PaymentEvent) {
        switch event {
        case .authorised: self.payment = self.payment ?? .authorised
        case .declined(let event): self.payment = self.payment ?? .declined(event.amount)
        case .refunded(let event): self.refund = self.refund ?? event.amount
        }
    }

    mutating func apply(_ event: ShippingEvent) {
        switch event {
        case .shipped(let event): self.shipment = self.shipment ?? .shipped(event)
        case .failed: self.shipment = self.shipment ?? .failed
        }
    }

    mutating func apply(_ status: OrderStatus) {
        if let stage = self.stage, stage.rank >= status.status.rank { return }
        self.stage = status.status
    }

    private mutating func decide(_ decision: Decision) {
        self.decision = self.decision ?? decision
    }

    /// What is still missing before the story of this order is at its end; `nil` at the end.
    var missing: String? {
        if let event = self.missingEvent { return event }
        return self.stage?.isFinal == true ? nil : "its last status"
    }

    private var missingEvent: String? {
        guard let decision = self.decision else { return "a decision on the command" }
        guard case .placed = decision else { return nil }
        switch (self.payment, self.shipment) {
        case (nil, _): return "PaymentAuthorised or PaymentDeclined"
        case (.declined, _): return self.cancellation == nil ? "OrderCancelled" : nil
        case (.authorised, nil): return "OrderShipped or ShipmentFailed"
        case (.authorised, .shipped): return nil
        case (.authorised, .failed):
            if self.refund == nil { return "PaymentRefunded" }
            return self.cancellation == nil ? "OrderCancelled" : nil
        }
    }

    /// Adds the facts to the totals.
    func add(to totals: inout Totals) {
        guard let decision = self.decision else { return }
        totals.invoices += 1
        switch decision {
        case .placed(let order):
            totals.lines += order.lineCount
            totals.ordersPlaced += 1
            totals.placedAmount += Int128(order.total.thousandths)
        case .rejected(let lineCount):
            totals.lines += lineCount
            totals.ordersRejected += 1
        case .creditNoteIssued(let note):
            totals.lines += note.lineCount
            totals.creditNotes += 1
            totals.creditedAmount += Int128(note.amount.thousandths)
            totals.revenueByCountry[note.country, default: 0] -= Int128(note.amount.thousandths)
            totals.revenueByMonth[note.placedAt.month, default: 0] -= Int128(note.amount.thousandths)
        case .creditNoteRejected(let lineCount):
            totals.lines += lineCount
            totals.creditNotesRejected += 1
        case .refused(let lineCount):
            totals.lines += lineCount
            totals.invoicesRefused += 1
        }
        if case .declined(let amount) = self.payment, self.cancellation != nil {
            totals.ordersDeclined += 1
            totals.declinedAmount += Int128(amount.thousandths)
        }
        if let refund = self.refund, self.cancellation != nil {
            totals.ordersCompensated += 1
            totals.refundedAmount += Int128(refund.thousandths)
        }
        if case .shipped(let shipment) = self.shipment {
            totals.ordersShipped += 1
            totals.shippedAmount += Int128(shipment.amount.thousandths)
            totals.revenueByCountry[shipment.country, default: 0] += Int128(shipment.amount.thousandths)
            totals.revenueByMonth[shipment.placedAt.month, default: 0] += Int128(shipment.amount.thousandths)
        }
    }
}

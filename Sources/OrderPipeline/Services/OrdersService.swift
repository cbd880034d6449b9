internal import EventStreaming

/// Takes orders, gives credit notes, and cancels what could not be paid or shipped.
///
/// Each service publishes the status that its own event brings about, in the same transaction: so the statuses of an order
/// come in the order in which they are reached.
enum OrdersService {
    static var inputs: [ProcessorInput] {
        [
            .pipeline(PipelineTopics.commands, self.answers(to:)),
            .pipeline(PipelineTopics.payments, self.answers(to:)),
        ]
    }

    static func answers(to command: OrderCommand) -> [PipelineMessage] {
        let event = OrderRules.decide(command)
        return [.order(event), .status(OrderStatus(orderId: event.orderID, status: Self.stage(after: event)))]
    }

    static func answers(to event: PaymentEvent) -> [PipelineMessage] {
        switch event {
        case .authorised: []
        case .declined(let payment): Self.cancel(payment.orderId, .paymentDeclined)
        case .refunded(let payment): Self.cancel(payment.orderId, .notShippable)
        }
    }

    private static func cancel(_ order: String, _ reason: OrderCancelled.Reason) -> [PipelineMessage] {
        [
            .order(.cancelled(OrderCancelled(orderId: order, reason: reason))),
            .status(OrderStatus(orderId: order, status: .cancelled)),
        ]
    }

    private static func stage(after event: OrderEvent) -> OrderStatus.Stage {
        switch event {
        case .placed: .placed
        case .rejected, .creditNoteRejected: .rejected
        case .cancelled: .cancelled
        case .creditNoteIssued: .credited
        case .invoiceRefused: .refused
        }
    }
}

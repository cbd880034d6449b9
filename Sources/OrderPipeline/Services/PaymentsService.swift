internal import EventStreaming

/// Takes the money for placed orders, and gives it back where the shipment failed.
enum PaymentsService {
    static var inputs: [ProcessorInput] {
        [
            .pipeline(PipelineTopics.orders, self.answers(to:)),
            .pipeline(PipelineTopics.shipping, self.answers(to:)),
        ]
    }

    static func answers(to event: OrderEvent) -> [PipelineMessage] {
        guard case .placed(let order) = event else { return [] }
        let payment = PaymentRules.decide(order)
        guard case .authorised = payment else { return [.payment(payment)] }
        return [.payment(payment), .status(OrderStatus(orderId: order.orderId, status: .paid))]
    }

    static func answers(to event: ShippingEvent) -> [PipelineMessage] {
        guard case .failed(let failure) = event else { return [] }
        // The event says what was paid: the refund does not depend on what this service remembers.
        return [.payment(.refunded(PaymentRefunded(orderId: failure.orderId, amount: failure.amount)))]
    }
}

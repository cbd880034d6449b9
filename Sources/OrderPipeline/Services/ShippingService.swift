internal import EventStreaming

/// Sends paid orders.
enum ShippingService {
    static var inputs: [ProcessorInput] { [.pipeline(PipelineTopics.payments, self.answers(to:))] }

    static func answers(to event: PaymentEvent) -> [PipelineMessage] {
        guard case .authorised(let payment) = event else { return [] }
        let shipment = ShippingRules.decide(payment)
        let stage: OrderStatus.Stage =
            switch shipment {
            case .shipped: .shipped
            case .failed: .compensating
            }
        return [.shipping(shipment), .status(OrderStatus(orderId: payment.orderId, status: stage))]
    }
}

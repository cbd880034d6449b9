/// Takes the money for placed orders, and gives it back where the shipment failed.
struct PaymentsService: PipelineService {
    static let name = "payments"
    static let topics: [PipelineTopic] = [.orders, .shipping]

    private var decided: Set<OrderKey> = []
    private var refunded: Set<OrderKey> = []

    mutating func handle(_ message: PipelineMessage, replay: String?) -> [PipelineMessage] {
        let key = OrderKey(replay: replay, order: message.orderID)
        switch message {
        case .order(.placed(let order)):
            return self.decided.insert(key).inserted ? [.payment(PaymentRules.decide(order))] : []
        case .shipping(.failed(let failure)):
            // The event says what was paid: the refund does not depend on what this service remembers.
            guard self.refunded.insert(key).inserted else { return [] }
            return [.payment(.refunded(PaymentRefunded(orderId: failure.orderId, amount: failure.amount)))]
        default:
            return []
        }
    }
}

/// Sends paid orders.
struct ShippingService: PipelineService {
    static let name = "shipping"
    static let topics: [PipelineTopic] = [.payments]

    private var decided: Set<OrderKey> = []

    mutating func handle(_ message: PipelineMessage, replay: String?) -> [PipelineMessage] {
        guard case .payment(.authorised(let payment)) = message,
            self.decided.insert(OrderKey(replay: replay, order: message.orderID)).inserted
        else { return [] }
        return [.shipping(ShippingRules.decide(payment))]
    }
}

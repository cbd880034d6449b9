/// Takes orders, gives credit notes, cancels what could not be paid or shipped, and publishes where every order stands.
struct OrdersService: PipelineService {
    static let name = "orders"
    static let topics: [PipelineTopic] = [.commands, .payments, .shipping]

    private struct Order {
        var isDecided = false
        var isCancelled = false
        var stage: OrderStatus.Stage?
    }

    private var orders: [OrderKey: Order] = [:]

    mutating func handle(_ message: PipelineMessage, replay: String?) -> [PipelineMessage] {
        let id = message.orderID
        let key = OrderKey(replay: replay, order: id)
        switch message {
        case .command(let command):
            guard self.orders[key]?.isDecided != true else { return [] }
            self.orders[key, default: Order()].isDecided = true
            let event = OrderRules.decide(command)
            return [.order(event)] + self.reach(Self.stage(after: event), key)
        case .payment(.authorised):
            return self.reach(.paid, key)
        case .payment(.declined):
            return self.cancel(key, reason: .paymentDeclined)
        case .payment(.refunded):
            return self.cancel(key, reason: .notShippable)
        case .shipping(.shipped):
            return self.reach(.shipped, key)
        case .shipping(.failed):
            return self.reach(.compensating, key)
        case .order, .status:
            return []
        }
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

    private mutating func cancel(_ key: OrderKey, reason: OrderCancelled.Reason) -> [PipelineMessage] {
        guard self.orders[key]?.isCancelled != true else { return [] }
        self.orders[key, default: Order()].isCancelled = true
        return [.order(.cancelled(OrderCancelled(orderId: key.order, reason: reason)))] + self.reach(.cancelled, key)
    }

    /// Publishes the stage, unless the order is as far already: events of two topics may arrive in any order.
    private mutating func reach(_ stage: OrderStatus.Stage, _ key: OrderKey) -> [PipelineMessage] {
        let reached = self.orders[key]?.stage
        if let reached, reached.rank >= stage.rank { return [] }
        self.orders[key, default: Order()].stage = stage
        // After a start without memory: the order may be further than this, and its status must not go back.
        if reached == nil, stage == .paid || stage == .compensating { return [] }
        return [.status(OrderStatus(orderId: key.order, status: stage))]
    }
}

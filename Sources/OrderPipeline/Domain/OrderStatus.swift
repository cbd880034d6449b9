/// Where an order or a credit note stands: the value of a record in `orders.status`, a compacted topic by order id.
public struct OrderStatus: Sendable, Hashable, Codable {
    /// The stages, in the order in which an order passes them.
    public enum Stage: String, Sendable, Hashable, Codable, CaseIterable {
        /// Taken; waits for its payment.
        case placed
        /// Paid; waits to be shipped.
        case paid
        /// Could not be shipped; waits for its refund.
        case compensating
        /// On its way. The end.
        case shipped
        /// Taken back. The end.
        case cancelled
        /// Not taken. The end.
        case rejected
        /// A number of no known form. The end.
        case refused
        /// A credit note that is given. The end.
        case credited

        /// How far the stage is along the way. Events of different topics may arrive in any order: a stage replaces
        /// only stages of lower rank.
        public var rank: Int {
            switch self {
            case .placed: 0
            case .paid: 1
            case .compensating: 2
            case .shipped, .cancelled, .rejected, .refused, .credited: 3
            }
        }

        /// Whether nothing comes after it.
        public var isFinal: Bool { self.rank == 3 }
    }

    /// The order.
    public var orderId: String
    /// Where it stands.
    public var status: Stage

    /// Makes a status.
    public init(orderId: String, status: Stage) {
        self.orderId = orderId
        self.status = status
    }
}

/// The rule by which the payments service takes money.
public enum PaymentRules {
    /// The largest total that is authorised: £10,000.
    public static let limit = Money(thousandths: 10_000_000)

    /// Payment is authorised, except that a total above ``limit`` is declined.
    public static func decide(_ order: OrderPlaced) -> PaymentEvent {
        guard order.total <= self.limit else {
            return .declined(PaymentDeclined(orderId: order.orderId, amount: order.total, reason: .aboveLimit))
        }
        return .authorised(
            PaymentAuthorised(
                orderId: order.orderId,
                country: order.country,
                placedAt: order.placedAt,
                amount: order.total
            )
        )
    }
}

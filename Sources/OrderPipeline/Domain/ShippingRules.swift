/// The rule by which the shipping service sends orders.
public enum ShippingRules {
    /// What the data says where it does not know the country.
    public static let unspecifiedCountry = "Unspecified"

    /// A paid order is shipped, except that nothing can be sent to a country that is not known.
    public static func decide(_ payment: PaymentAuthorised) -> ShippingEvent {
        guard payment.country != self.unspecifiedCountry else {
            return .failed(
                ShipmentFailed(orderId: payment.orderId, amount: payment.amount, reason: .countryUnspecified)
            )
        }
        return .shipped(
            OrderShipped(
                orderId: payment.orderId,
                country: payment.country,
                placedAt: payment.placedAt,
                amount: payment.amount
            )
        )
    }
}

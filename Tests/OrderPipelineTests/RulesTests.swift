import Testing

@testable import OrderPipeline

@Suite("Rules")
struct RulesTests {
    private func decide(_ number: String, _ lines: [(quantity: Int64, price: Int64)]) throws -> OrderEvent {
        OrderRules.decide(OrderCommand(try Fixtures.invoice(number, lines)))
    }

    private func rejection(_ event: OrderEvent) -> RejectionReason? {
        switch event {
        case .rejected(let event), .creditNoteRejected(let event): event.reason
        default: nil
        }
    }

    @Test("an order is placed with its total, country and time")
    func placed() throws {
        let event = try self.decide("536365", [(6, 2550), (2, 5)])
        #expect(
            event
                == .placed(
                    OrderPlaced(
                        orderId: "536365",
                        customerId: "1",
                        country: "France",
                        placedAt: try "2011-05-06T07:08:09Z".utcTime,
                        lineCount: 2,
                        total: Money(thousandths: 15_310)
                    )
                )
        )
    }

    @Test("an order is rejected for a quantity, a price, its total, or an amount beyond all bounds")
    func rejected() throws {
        #expect(self.rejection(try self.decide("1", [(1, 1), (0, 1)])) == .quantityNotPositive)
        #expect(self.rejection(try self.decide("1", [(1, 1), (-1, 1)])) == .quantityNotPositive)
        #expect(self.rejection(try self.decide("1", [(1, 1), (1, -1)])) == .priceNegative)
        #expect(self.rejection(try self.decide("1", [(1, 0)])) == .totalZero)
        #expect(self.rejection(try self.decide("1", [])) == .totalZero)
        #expect(self.rejection(try self.decide("1", [(.max, .max)])) == .amountTooLarge)
        #expect(self.rejection(try self.decide("1", [(1, .max), (1, 1)])) == .amountTooLarge)
    }

    @Test("a credit note is worth the absolute value of its total")
    func creditNote() throws {
        guard case .creditNoteIssued(let event) = try self.decide("C1", [(-2, 500), (0, 7)]) else {
            Issue.record("not issued")
            return
        }
        #expect(event.amount.thousandths == 1_000)
        #expect(event.lineCount == 2)
    }

    @Test("a credit note is rejected for a quantity, a price, its total, or an amount beyond all bounds")
    func creditNoteRejected() throws {
        #expect(self.rejection(try self.decide("C1", [(-2, 500), (1, 500)])) == .quantityPositive)
        #expect(self.rejection(try self.decide("C1", [(-2, -500)])) == .priceNegative)
        #expect(self.rejection(try self.decide("C1", [(-2, 0)])) == .totalZero)
        #expect(self.rejection(try self.decide("C1", [(.min, 1)])) == .amountTooLarge)
        #expect(self.rejection(try self.decide("C1", [(.min, .max)])) == .amountTooLarge)
    }

    @Test(
        "a number that is neither an order's nor a credit note's is refused",
        arguments: ["A563185", "12 3", "c1", "١"]
    )
    func refused(number: String) throws {
        let invoice = try Fixtures.invoice(number, [(1, 1)])
        let refused = OrderEvent.invoiceRefused(InvoiceRefused(orderId: number, lineCount: 1))
        #expect(OrderRules.decide(.placeOrder(invoice)) == refused)
        #expect(OrderRules.decide(.issueCreditNote(invoice)) == refused)
    }

    @Test("an order can't have the number of a credit note, nor the other way round")
    func crossed() throws {
        let order = OrderCommand.placeOrder(try Fixtures.invoice("C1", [(1, 1)]))
        let note = OrderCommand.issueCreditNote(try Fixtures.invoice("1", [(-1, 1)]))
        #expect(OrderRules.decide(order) == .invoiceRefused(InvoiceRefused(orderId: "C1", lineCount: 1)))
        #expect(OrderRules.decide(note) == .invoiceRefused(InvoiceRefused(orderId: "1", lineCount: 1)))
    }

    @Test("payment is declined above ten thousand pounds and not at them")
    func payment() throws {
        func decide(_ thousandths: Int64) throws -> PaymentEvent {
            guard case .placed(let order) = try self.decide("1", [(1, thousandths)]) else {
                throw FixtureError(text: "not placed")
            }
            return PaymentRules.decide(order)
        }
        guard case .authorised(let payment) = try decide(10_000_000),
            case .declined(let decline) = try decide(10_000_001)
        else {
            Issue.record("the limit is not where it should be")
            return
        }
        #expect(payment.amount.thousandths == 10_000_000)
        #expect(decline.amount.thousandths == 10_000_001)
    }

    @Test("everything is shipped but to a country that is not known")
    func shipping() throws {
        func decide(_ country: String) throws -> ShippingEvent {
            ShippingRules.decide(
                PaymentAuthorised(
                    orderId: "1",
                    country: country,
                    placedAt: try "2011-05-06T07:08:09Z".utcTime,
                    amount: Money(thousandths: 1)
                )
            )
        }
        guard case .shipped = try decide("France"), case .shipped = try decide(""),
            case .failed = try decide("Unspecified")
        else {
            Issue.record("a country is treated wrongly")
            return
        }
    }
}

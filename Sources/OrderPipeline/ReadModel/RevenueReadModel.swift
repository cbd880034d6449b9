/// The read model of one replay: the facts about its orders, and what they add up to.
struct RevenueReadModel: Sendable {
    private var facts: [String: OrderFacts] = [:]
    /// How many orders are at the end of their story.
    private(set) var completed = 0
    /// How many events told something about an order of this replay, repetitions included.
    private(set) var events = 0

    mutating func apply(_ event: OrderEvent) { self.update(event.orderID) { $0.apply(event) } }
    mutating func apply(_ event: PaymentEvent) { self.update(event.orderID) { $0.apply(event) } }
    mutating func apply(_ event: ShippingEvent) { self.update(event.orderID) { $0.apply(event) } }

    private mutating func update(_ order: String, _ apply: (inout OrderFacts) -> Void) {
        self.events += 1
        var facts = self.facts[order] ?? OrderFacts()
        let wasComplete = facts.missing == nil
        apply(&facts)
        if !wasComplete, facts.missing == nil { self.completed += 1 }
        self.facts[order] = facts
    }

    /// The totals of all that is known so far; right for good once every order is complete.
    var totals: Totals {
        self.facts.values.reduce(into: Totals()) { $1.add(to: &$0) }
    }

    /// Which of the orders are not at their end, and the event that each waits for.
    func missing(of orders: some Sequence<String>) -> [(order: String, event: String)] {
        orders.compactMap { order in
            (self.facts[order] ?? OrderFacts()).missing.map { (order, $0) }
        }
    }
}

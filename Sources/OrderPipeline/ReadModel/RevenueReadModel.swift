/// The read model of one replay: the facts about its orders, and what they add up to.
struct RevenueReadModel: Sendable {
    private var facts: [String: OrderFacts] = [:]
    /// How many orders are at the end of their story.
    private(set) var completed = 0
    /// How many events and statuses were taken, repetitions included.
    private(set) var messages = 0

    /// Takes a message; a command tells nothing yet.
    mutating func apply(_ message: PipelineMessage) {
        if case .command = message { return }
        self.messages += 1
        var facts = self.facts[message.orderID] ?? OrderFacts()
        let wasComplete = facts.missing == nil
        switch message {
        case .command: break
        case .order(let event): facts.apply(event)
        case .payment(let event): facts.apply(event)
        case .shipping(let event): facts.apply(event)
        case .status(let status): facts.apply(status)
        }
        if !wasComplete, facts.missing == nil { self.completed += 1 }
        self.facts[message.orderID] = facts
    }

    /// The totals of all that is known so far; right for good once every order is complete.
    var totals: Totals {
        self.facts.values.reduce(into: Totals()) { $1.add(to: &$0) }
    }

    /// Which of the orders are not at their end, each with what it waits for.
    func missing(of orders: some Sequence<String>) -> [(order: String, waitsFor: String)] {
        orders.compactMap { order in
            (self.facts[order] ?? OrderFacts()).missing.map { (order, $0) }
        }
    }
}

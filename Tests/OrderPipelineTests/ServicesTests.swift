import KafkaClient
import TestSupport
import Testing

@testable import OrderPipeline

extension RevenueReadModel {
    /// Takes a command through all services at once and applies what they publish.
    mutating func settle(_ command: OrderCommand) {
        for message in PipelineMessage.story(of: [command]) { self.apply(message) }
    }
}

extension PipelineMessage {
    /// Everything that the services publish on the commands.
    static func story(of commands: [OrderCommand]) -> [PipelineMessage] {
        var (orders, payments, shipping) = (OrdersService(), PaymentsService(), ShippingService())
        var messages = commands.map(PipelineMessage.command)
        var index = 0
        while index < messages.count {
            let message = messages[index]
            if OrdersService.topics.contains(message.topic) { messages += orders.handle(message, replay: "r") }
            if PaymentsService.topics.contains(message.topic) { messages += payments.handle(message, replay: "r") }
            if ShippingService.topics.contains(message.topic) { messages += shipping.handle(message, replay: "r") }
            index += 1
        }
        return Array(messages.dropFirst(commands.count))
    }
}

@Suite("Services and read model")
struct ServicesTests {
    @Test("every case comes to the totals worked out by hand")
    func everyCase() throws {
        var model = RevenueReadModel()
        for command in try Fixtures.everyCase() { model.settle(command) }
        #expect(model.totals == Fixtures.everyCaseTotals)
        #expect(model.completed == 15)
    }

    @Test("the order of the messages and their repetition change nothing")
    func anyOrder() throws {
        let messages = PipelineMessage.story(of: try Fixtures.everyCase())
        var generator = SeededGenerator(seed: 5)
        for _ in 0..<200 {
            var model = RevenueReadModel()
            let repeated = messages + messages.filter { _ in Bool.random(using: &generator) }
            for message in repeated.shuffled(using: &generator) { model.apply(message) }
            #expect(model.totals == Fixtures.everyCaseTotals)
            #expect(model.completed == 15)
        }
    }

    @Test("an order is complete with its last message and not before, whichever it is")
    func completion() throws {
        let commands = try Fixtures.everyCase()
        for command in commands {
            let messages = PipelineMessage.story(of: [command])
            for last in messages.indices {
                // Statuses on the way are not needed for the end.
                if case .status(let status) = messages[last], !status.status.isFinal { continue }
                if case .payment(.authorised) = messages[last] { continue }
                if case .shipping(.failed) = messages[last] { continue }
                var model = RevenueReadModel()
                for index in messages.indices where index != last { model.apply(messages[index]) }
                #expect(model.completed == 0, "\(messages[last])")
                model.apply(messages[last])
                #expect(model.completed == 1)
            }
        }
    }

    @Test("what is missing is said by name")
    func missing() throws {
        var model = RevenueReadModel()
        #expect(model.missing(of: ["1"]).map(\.waitsFor) == ["a decision on the command"])
        let story = PipelineMessage.story(of: [try Fixtures.everyCase()[3]])
        for message in story {
            if case .payment(.refunded) = message { continue }
            model.apply(message)
        }
        #expect(model.missing(of: ["4"]).map(\.waitsFor) == ["PaymentRefunded"])
    }

    @Test("a repeated message is answered once")
    func answersOnce() throws {
        var orders = OrdersService()
        let command = PipelineMessage.command(try Fixtures.everyCase()[0])
        #expect(orders.handle(command, replay: "r").count == 2)
        #expect(orders.handle(command, replay: "r").isEmpty)
        #expect(orders.handle(command, replay: "other").count == 2)
        var payments = PaymentsService()
        guard case .order(let placed) = PipelineMessage.story(of: [try Fixtures.everyCase()[0]])[0] else {
            Issue.record("the first answer is the decision")
            return
        }
        #expect(payments.handle(.order(placed), replay: "r").count == 1)
        #expect(payments.handle(.order(placed), replay: "r").isEmpty)
    }

    @Test("a service that starts again without memory goes on rightly")
    func noMemory() throws {
        var messages = try Fixtures.everyCase().map(PipelineMessage.command)
        var model = RevenueReadModel()
        var index = 0
        while index < messages.count {
            let message = messages[index]
            // A new service for every message, and every message twice.
            for _ in 0..<2 {
                var (orders, payments, shipping) = (OrdersService(), PaymentsService(), ShippingService())
                let answers =
                    orders.handle(message, replay: nil) + payments.handle(message, replay: nil)
                    + shipping.handle(message, replay: nil)
                for answer in answers { model.apply(answer) }
                messages += answers.filter { messages.contains($0) == false }
            }
            index += 1
        }
        #expect(model.totals == Fixtures.everyCaseTotals)
        #expect(model.completed == 15)
    }

    @Test("the status of an order never goes back")
    func status() throws {
        let id = "1"
        let authorised = PipelineMessage.payment(
            .authorised(
                PaymentAuthorised(
                    orderId: id,
                    country: "France",
                    placedAt: try "2011-05-06T07:08:09Z".utcTime,
                    amount: Money(thousandths: 1)
                )
            )
        )
        guard case .payment(.authorised(let payment)) = authorised else { return }
        let shipped = PipelineMessage.shipping(ShippingRules.decide(payment))
        var orders = OrdersService()
        #expect(orders.handle(shipped, replay: nil) == [.status(OrderStatus(orderId: id, status: .shipped))])
        #expect(orders.handle(authorised, replay: nil).isEmpty)
        // After a start without memory nobody knows whether it was shipped already.
        var restarted = OrdersService()
        #expect(restarted.handle(authorised, replay: nil).isEmpty)
        #expect(restarted.handle(shipped, replay: nil) == [.status(OrderStatus(orderId: id, status: .shipped))])
    }
}

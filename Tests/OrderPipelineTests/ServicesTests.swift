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
        var messages = commands.map(PipelineMessage.command)
        var index = 0
        while index < messages.count {
            messages += messages[index].answers
            index += 1
        }
        return Array(messages.dropFirst(commands.count))
    }

    /// What the services that read it answer.
    var answers: [PipelineMessage] {
        switch self {
        case .command(let command): OrdersService.answers(to: command)
        case .order(let event): PaymentsService.answers(to: event)
        case .payment(let event): OrdersService.answers(to: event) + ShippingService.answers(to: event)
        case .shipping(let event): PaymentsService.answers(to: event)
        case .status: []
        }
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

    @Test("the statuses of an order are published in the order in which they are reached")
    func statuses() throws {
        for command in try Fixtures.everyCase() {
            let stages = PipelineMessage.story(of: [command]).compactMap { message in
                if case .status(let status) = message { status.status } else { nil }
            }
            #expect(stages.map(\.rank) == stages.map(\.rank).sorted())
            #expect(stages.last?.isFinal == true)
            #expect(Set(stages).count == stages.count)
        }
    }
}

import EventStreaming
import Foundation
import Testing

@testable import OrderPipeline

@Suite("Messages as JSON")
struct MessageTests {
    @Test("every event of every case comes back as it was")
    func roundTrip() throws {
        let commands = try Fixtures.everyCase()
        let messages = commands.map(PipelineMessage.command) + PipelineMessage.story(of: commands)
        // 15 commands, 15 decisions, 4 payments, 1 refund, 3 shipments, 2 cancellations, and statuses.
        #expect(messages.count > 55)
        for message in messages {
            #expect(try PipelineMessage(message.bytes, of: message.topic) == message)
        }
    }

    @Test("a command has the form of the contract")
    func command() throws {
        let text = """
            {"country":"United Kingdom","customerId":"17850","lines":[{"description":"","quantity":6,"sku":"85123A",\
            "unitPrice":2550}],"orderId":"536365","placedAt":"2010-12-01T08:26:00Z","type":"PlaceOrder"}
            """
        let command = try PipelineTopics.commands.value.decode(Array(text.utf8))
        #expect(String(decoding: try command.json, as: UTF8.self) == text)
    }

    @Test("the examples of the contract are commands, and without a required member they are not")
    func contract() throws {
        let schema = try Data(contentsOf: URL(filePath: Fixtures.commandSchema))
        let object = try #require(try JSONSerialization.jsonObject(with: schema) as? [String: Any])
        let examples = try #require(object["examples"] as? [[String: Any]])
        let required = try #require(object["required"] as? [String])
        #expect(examples.count == 2)
        for example in examples {
            _ = try PipelineTopics.commands.value.decode(Array(JSONSerialization.data(withJSONObject: example)))
            for key in required {
                let part = try JSONSerialization.data(withJSONObject: example.filter { $0.key != key })
                #expect(throws: SerdeError.self) { try PipelineTopics.commands.value.decode(Array(part)) }
            }
        }
    }

    @Test("an event has its type beside its fields")
    func event() throws {
        let event = OrderEvent.cancelled(OrderCancelled(orderId: "1", reason: .notShippable))
        let text = String(decoding: try PipelineTopics.orders.value.encode(event) ?? [], as: UTF8.self)
        #expect(text == #"{"orderId":"1","reason":"not-shippable","type":"OrderCancelled"}"#)
    }

    @Test(
        "what is not a command is refused with a sentence that names the place",
        arguments: [
            ("", "it is not JSON"), ("[]", "expected"), ("{", "it is not JSON"),
            (#"{"type":"PlaceOrder"}"#, "orderId is missing"),
            (#"{"type":"Steal","orderId":"1"}"#, "type"),
            (Self.line(quantity: "6.5"), "not whole"), (Self.line(quantity: "\"6\""), "lines[0].quantity"),
            (Self.line(quantity: "9223372036854775808"), "beyond 64 bits"),
            (Self.line(quantity: "1e400"), "not whole"), (Self.line(quantity: "null"), "lines[0].quantity"),
            (Self.line(id: "\"\""), "orderId"), (Self.line(id: "536365"), "orderId"),
            (Self.line(time: "2010-12-01 08:26:00"), "placedAt: expected a time"),
            (String(repeating: "[", count: 2_000), "it is not JSON"),
        ]
    )
    func malformed(text: String, part: String) {
        do {
            let command = try PipelineTopics.commands.value.decode(Array(text.utf8))
            Issue.record("it was read: \(command)")
        } catch {
            #expect(error.message.contains(part), "\(error)")
        }
    }

    private static func line(
        quantity: String = "6",
        id: String = "\"536365\"",
        time: String = "2010-12-01T08:26:00Z"
    ) -> String {
        """
        {"type":"PlaceOrder","orderId":\(id),"country":"X","placedAt":"\(time)",\
        "lines":[{"sku":"A","quantity":\(quantity),"unitPrice":1}]}
        """
    }
}

extension PipelineMessage {
    /// The value of the record that carries it.
    fileprivate var bytes: [UInt8]? {
        get throws {
            switch self {
            case .command(let value): try PipelineTopics.commands.value.encode(value)
            case .order(let value): try PipelineTopics.orders.value.encode(value)
            case .payment(let value): try PipelineTopics.payments.value.encode(value)
            case .shipping(let value): try PipelineTopics.shipping.value.encode(value)
            case .status(let value): try PipelineTopics.status.value.encode(value)
            }
        }
    }
}

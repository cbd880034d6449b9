import Foundation
import Testing

@testable import OrderPipeline

@Suite("Commands in JSON Lines")
struct OrderCommandFileTests {
    @Test("a command reads as it was written, with every kind of character")
    func roundTrip() throws {
        for command in try Fixtures.everyCase() {
            #expect(try OrderCommand(json: command.json) == command)
        }
        var invoice = try Fixtures.invoice("1", at: "2011-05-06T07:08:09.120Z", [(.min, .max)])
        invoice.lines[0].description = "\u{0}\u{1F}\u{7F}\"\\/\u{8}\u{C}\n\r\té\u{2028}\u{1F600}"
        let command = OrderCommand.placeOrder(invoice)
        #expect(try OrderCommand(json: command.json) == command)
    }

    @Test("escapes, blanks and members that nobody knows are read")
    func lenience() throws {
        let text =
            #" { "type" : "Place\u004frder","orderId":"\ud83d\ude00\/","country":"","x":[{},[],1.5e+3,-0,true,null],"#
            + #""placedAt":"2010-12-01T08:26:00Z","customerId":null,"lines":[{"sku":"","quantity":-0,"unitPrice":1}]}"#
            + "\r"
        let invoice = try OrderCommand(json: Array(text.utf8)).invoice
        #expect(invoice.number == "\u{1F600}/")
        #expect(invoice.lines == [InvoiceLine(sku: "", description: "", quantity: 0, unitPrice: Money(thousandths: 1))])
    }

    @Test(
        "what is not a command is refused with a sentence that names the place",
        arguments: [
            ("", "it is not JSON: it ends too early, column 1"), ("[]", "expected an object"),
            ("{", "it is not JSON: it ends too early, column 2"), ("{} x", "more follows the value, column 4"),
            (#"{"type":"PlaceOrder"}"#, "orderId is missing"),
            (#"{"a":1,}"#, "expected a name in double quotes, column 8"),
            (#"{"a":[1,]}"#, "expected a value, column 9"), (#"{"a":1,"a":2}"#, "a is there twice in the same object"),
            (#"{"a":{"b":1,"\u0062":1}}"#, "b is there twice"), ("{'a':1}", "expected a name in double quotes"),
            (#"{"a":01}"#, "expected a comma"), (#"{"a":1.}"#, "expected a value"), (#"{"a":+1}"#, "expected a value"),
            (#"{"a":NaN}"#, "expected a value"), (#"{"a":tru}"#, "expected a value"), ("{\"a\":\"\t\"}", "control"),
            (#"{"a":"\ud83d"}"#, "half of a surrogate pair"), (#"{"a":"\ude00"}"#, "half of a surrogate pair"),
            (#"{"a":"\x"}"#, "an escape that JSON does not have"), (#"{"a":"\u00g0"}"#, "four hexadecimal digits"),
            (Self.line(type: "\"Steal\""), "type: expected PlaceOrder or IssueCreditNote"),
            (Self.line(type: "null"), "type: expected a string"),
            (Self.line(quantity: "6.5"), "lines[0].quantity: expected a whole number"),
            (Self.line(quantity: "1e2"), "lines[0].quantity: expected a whole number"),
            (Self.line(quantity: "\"6\""), "lines[0].quantity: expected a whole number"),
            (Self.line(quantity: "null"), "lines[0].quantity: expected a whole number"),
            (Self.line(quantity: "9223372036854775808"), "lines[0].quantity: 9223372036854775808 is beyond 64 bits"),
            (Self.line(id: "\"\""), "orderId: it is empty"), (Self.line(id: "536365"), "orderId: expected a string"),
            (Self.line(time: "2010-12-01 08:26:00"), "placedAt: expected a time"),
            (String(repeating: "[", count: 100_000), "nested deeper than 100"),
        ]
    )
    func malformed(text: String, part: String) {
        do {
            let command = try OrderCommand(json: Array(text.utf8))
            Issue.record("it was read: \(command)")
        } catch {
            #expect(error.reason.contains(part))
        }
    }

    @Test("two names that differ in Unicode's form alone are two, and bytes that are not UTF-8 are refused")
    func bytes() throws {
        let line = Self.line().dropLast()
        #expect(try OrderCommand(json: Array("\(line),\"\u{E9}\":1,\"e\u{301}\":1}".utf8)).invoice.number == "536365")
        #expect { try OrderCommand(json: Array("\(line),\"".utf8) + [0xFF] + Array("\":1}".utf8)) } throws: {
            "\($0)" == "it is not UTF-8"
        }
    }

    private static func line(
        type: String = "\"PlaceOrder\"",
        quantity: String = "6",
        id: String = "\"536365\"",
        time: String = "2010-12-01T08:26:00Z"
    ) -> String {
        """
        {"type":\(type),"orderId":\(id),"country":"X","placedAt":"\(time)",\
        "lines":[{"sku":"A","quantity":\(quantity),"unitPrice":1}]}
        """
    }
}

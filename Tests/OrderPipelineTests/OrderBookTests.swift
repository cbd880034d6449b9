import CommandLineSupport
import EventStreaming
import Foundation
import TestSupport
import Testing

@testable import OrderPipeline

@Suite("OrderBook")
struct OrderBookTests {
    private static let header = "InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID,Country\n"

    private func book(_ name: String, _ text: some Sequence<UInt8>, limit: Int? = nil) async throws -> OrderBook {
        try await Fixtures.withFile(name, text) { try await OrderBook(reading: OrderFile(path: $0), limit: limit) }
    }

    @Test("the rows of an invoice are put together wherever they stand, and the first one tells country and time")
    func grouping() async throws {
        let book = try await self.book(
            "orders.csv",
            (Self.header + """
                536365,A,"A ""B"", C",6,2010-12-01 08:26:00,2.55,17850,United Kingdom
                536366,B,,1,2010-12-01 09:00:00,1,,France
                C536367,C,,-1,2010-12-02 09:00:00,1,,France
                536365,D,,2,2011-01-01 10:00:00,0.001,17850,Norway

                """).utf8
        )
        #expect(book.malformedCount == 0)
        #expect(book.commands.map(\.invoice.number) == ["536365", "536366", "C536367"])
        let first = try #require(book.commands.first).invoice
        #expect(first.country == "United Kingdom")
        #expect(first.placedAt.month == "2010-12")
        #expect(first.customerID == "17850")
        #expect(first.lines.map(\.sku) == ["A", "D"])
        #expect(first.lines.map(\.description) == ["A \"B\", C", ""])
        #expect(first.lines.map(\.unitPrice.thousandths) == [2550, 1])
        #expect(book.commands[1].invoice.customerID == nil)
        guard case .issueCreditNote = book.commands[2] else {
            Issue.record("C536367 is a credit note")
            return
        }
    }

    @Test("a limit takes the first invoices with all their rows, also those that come later")
    func limit() async throws {
        let rows = ["1", "2", "3", "1", "2"].map { "\($0),A,,1,2010-12-01 08:26:00,1,,France\n" }.joined()
        let book = try await self.book("orders.csv", (Self.header + rows).utf8, limit: 2)
        #expect(book.commands.map(\.invoice.number) == ["1", "2"])
        #expect(book.commands.map(\.invoice.lines.count) == [2, 2])
        #expect(book.expected.invoices == 2)
        #expect(book.expected.lines == 4)
    }

    @Test("malformed rows are named by line and reason, and the others go on")
    func malformedRows() async throws {
        var text = Array((Self.header + "1,A,,1,2010-12-01 08:26:00,1,,France\n").utf8)
        let bad = [
            "2,A,,1,2010-12-01 08:26:00,1,\n", ",A,,1,2010-12-01 08:26:00,1,,France\n",
            "2,A,,1.5,2010-12-01 08:26:00,1,,France\n", "2,A,,1,2010-12-41 08:26:00,1,,France\n",
            "2,A,,1,2010-12-01 08:26:00,1.2345,,France\n", "2,A,,99999999999999999999,2010-12-01 08:26:00,1,,France\n",
            "2,A,\"x\"y,1,2010-12-01 08:26:00,1,,France\n",
        ]
        for line in bad { text += Array(line.utf8) }
        text += Array("3,A,".utf8) + [0xFF] + Array(",1,2010-12-01 08:26:00,1,,France\n".utf8)
        text += Array("4,A,,1,2010-12-01 08:26:00,1,,France\n".utf8)
        let book = try await self.book("orders.csv", text)
        #expect(book.malformed.map(\.line) == Array(3...10))
        #expect(book.malformedCount == 8)
        let parts = ["7 columns", "InvoiceNo", "Quantity", "InvoiceDate", "UnitPrice", "Quantity", "quote", "UTF-8"]
        for (line, part) in zip(book.malformed, parts) { #expect(line.reason.contains(part)) }
        #expect(book.numbers == ["1", "4"])
    }

    @Test("only the first malformed rows are kept, all are counted")
    func manyMalformed() async throws {
        let book = try await self.book("orders.csv", (Self.header + String(repeating: "x\n", count: 1_000)).utf8)
        #expect(book.malformedCount == 1_000)
        #expect(book.malformed.count == OrderBook.shownMalformedLines)
    }

    @Test("JSON Lines: repeated orders stay commands and count once, malformed lines are named")
    func jsonLines() async throws {
        let commands = try Fixtures.everyCase()
        var lines = try commands.map { String(decoding: try $0.json, as: UTF8.self) }
        lines.insert("{\"type\":\"PlaceOrder\"}", at: 1)
        lines += ["", "not JSON", lines[0]]
        let book = try await self.book("orders.jsonl", lines.joined(separator: "\r\n").utf8)
        #expect(book.commands == commands + [commands[0]])
        #expect(book.malformed.map(\.line) == [2, 18])
        #expect(book.expected == Fixtures.everyCaseTotals)
    }

    @Test("a name that does not tell: the first character does")
    func format() async throws {
        let json = "  " + String(decoding: try Fixtures.everyCase()[0].json, as: UTF8.self)
        #expect(try await self.book("orders", json.utf8).numbers == ["1"])
        let csv = "\u{FEFF}" + Self.header + "1,A,,1,2010-12-01 08:26:00,1,,France\n"
        #expect(try await self.book("orders", csv.utf8).numbers == ["1"])
        #expect(OrderFile(path: "a.csv.xz").formatByName == .csv)
        #expect(OrderFile(path: "a.ndjson.gz").formatByName == .jsonLines)
        #expect(OrderFile(path: "a.txt").formatByName == nil)
    }

    @Test("a file of another layout, an empty one and one that is not there are errors that name it")
    func unreadable() async throws {
        for text in ["a,b\n1,2\n", "\n"] {
            await #expect(throws: OrderFileError.self) { try await self.book("orders.csv", text.utf8) }
        }
        for name in ["orders.csv", "orders.jsonl", "orders"] {
            let error = await #expect(throws: OrderFileError.self) { try await self.book(name, []) }
            #expect(error?.description.contains("/\(name): it is empty, expected the columns InvoiceNo,") == true)
        }
        await #expect(throws: InputError.self) {
            try await OrderBook(reading: OrderFile(path: "/nowhere/orders.csv"))
        }
        await #expect(throws: InputError.self) { try await self.book("orders.csv.gz", "not gzip".utf8) }
    }

    @Test("the plain pass over the excerpt comes to what the Python script says")
    func excerpt() async throws {
        let book = try await OrderBook(reading: OrderFile(path: Fixtures.excerpt))
        #expect(book.malformedCount == 0)
        #expect(book.commands.count == 1_000)
        let expected = try ParsedTotals(json: try Data(contentsOf: URL(filePath: Fixtures.excerptTotals)))
        #expect(try ParsedTotals(json: Data(book.expected.json.utf8)) == expected)
        // Every case of the rules that the data has.
        for key in ["orders_declined", "orders_compensated", "orders_rejected", "credit_notes", "invoices_refused"] {
            #expect(expected.figures[key, default: 0] > 0)
        }
    }

    @Test("hostile files end in totals or an error")
    func hostile() async throws {
        var generator = SeededGenerator(seed: 99)
        let pieces = [
            "1", "C2", ",", ",", ",", "\"", "\n", "-9223372036854775808", "9223372036854775807", "2010-12-01 08:26:00",
            "0.001", "{", "}", "\u{0}", "Unspecified",
        ]
        for _ in 0..<200 {
            let text = (0..<200).map { _ in pieces[Int.random(in: 0..<pieces.count, using: &generator)] }.joined()
            let rows = (0..<20).map { _ in
                let amounts = ["-9223372036854775808", "9223372036854775807", "9223372036854775.807", "0", "-1"]
                let number = ["1", "C2", "A3"][Int.random(in: 0..<3, using: &generator)]
                let quantity = amounts[Int.random(in: 0..<5, using: &generator)]
                let price = amounts[Int.random(in: 0..<5, using: &generator)]
                return "\(number),A,,\(quantity),2010-12-01 08:26:00,\(price),,X\n"
            }.joined()
            let book = try await self.book("orders.csv", (Self.header + rows + text).utf8)
            // What the services decide agrees with the plain pass on extreme numbers, too.
            let model = book.commands.reduce(into: RevenueReadModel()) { $0.settle($1) }
            #expect(model.totals == book.expected)
        }
    }
}

/// Totals read back from JSON.
struct ParsedTotals: Equatable {
    var figures: [String: Int] = [:]
    var revenue: [String: [String: Int]] = [:]

    init(json: Data) throws {
        guard let object = try JSONSerialization.jsonObject(with: json) as? [String: Any] else {
            throw FixtureError(text: "not an object")
        }
        for (key, value) in object {
            if let value = value as? Int { self.figures[key] = value }
            if let value = value as? [String: Int] { self.revenue[key] = value }
        }
        guard self.figures.count == 15, self.revenue.count == 2 else { throw FixtureError(text: "not the totals") }
    }
}

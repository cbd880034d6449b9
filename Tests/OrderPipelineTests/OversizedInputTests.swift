import TestSupport
import Testing

@testable import OrderPipeline

/// Rows, lines and invoices beyond what can be sent cost themselves and nothing else.
@Suite("Oversized input", .timeLimit(.minutes(2)))
struct OversizedInputTests {
    private static let header = "InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID,Country\n"

    private func book(_ name: String, _ text: String, limit: Int? = nil) async throws -> OrderBook {
        try await Fixtures.withFile(name, text.utf8) { try await OrderBook(reading: OrderFile(path: $0), limit: limit) }
    }

    private func row(_ number: String, _ description: String = "") -> String {
        "\(number),A,\(description),1,2010-12-01 08:26:00,1,,France\n"
    }

    @Test("a giant row is named by its line, and its invoice goes on without it", arguments: [false, true])
    func row(isQuoted: Bool) async throws {
        let giant = String(repeating: "x", count: 5_000_000)
        let text = self.row("1") + self.row("2") + self.row("2", isQuoted ? "\"\(giant)\"" : giant) + self.row("3")
        let book = try await self.book("orders.csv", Self.header + text)
        #expect(book.malformed.map(\.line) == [4])
        #expect(book.malformed.first?.reason.contains("bytes, more than 262,144") == true)
        #expect(book.commands.map(\.invoice.lines.count) == [1, 1, 1])
        #expect(book.expected.lines == 3)
    }

    @Test("a line beyond the limit of lines is named, and the lines around it are read")
    func line() async throws {
        let giant = String(repeating: "x", count: OrderFile.maximumLineBytes)
        let csv = try await self.book("orders.csv", Self.header + self.row("1") + self.row("2", giant) + self.row("3"))
        #expect(csv.malformed == [MalformedLine(line: 3, reason: "the line is longer than 16,777,216 bytes")])
        #expect(csv.numbers == ["1", "3"])

        // A quote that is open before it does not take it in.
        let open = try await self.book(
            "orders.csv",
            Self.header + self.row("1", "\"") + self.row("2") + self.row("3", giant) + self.row("4", "\"")
        )
        #expect(open.malformed.map(\.line) == [2, 4, 5])
        #expect(open.numbers == ["2"])

        let command = String(decoding: try Fixtures.everyCase()[0].json, as: UTF8.self)
        for name in ["orders.jsonl", "orders"] {
            let json = try await self.book(name, "{\"\(giant)\":1}\n\(command)\n")
            #expect(json.malformed.map(\.line) == [1])
            #expect(json.numbers == ["1"])
        }
    }

    @Test("an invoice whose command can't be sent is named by its first line and number, for both passes")
    func invoice() async throws {
        let rows = String(repeating: self.row("536365", "WHITE HANGING HEART T-LIGHT HOLDER"), count: 12_000)
        let text = Self.header + self.row("1") + rows + self.row("2") + self.row("536365") + self.row("3")
        let book = try await self.book("orders.csv", text)
        let malformed = try #require(book.malformed.first)
        #expect(book.malformedCount == 1)
        #expect(malformed.line == 3)
        #expect(malformed.reason.hasPrefix("invoice 536365 is skipped: its 12,001 lines make a command of 1,"))
        #expect(book.commands.map(\.invoice.number) == ["1", "2", "3"])
        #expect(book.numbers == ["1", "2", "3"])
        #expect(book.expected.invoices == 3)
        // It is one of the first two all the same.
        #expect(try await self.book("orders.csv", text, limit: 2).numbers == ["1"])
    }

    @Test("a command of JSON Lines that can't be sent is malformed")
    func command() async throws {
        var commands = try Array(Fixtures.everyCase().prefix(3))
        var invoice = commands[1].invoice
        invoice.lines = Array(repeating: invoice.lines[0], count: 25_000)
        commands[1] = .placeOrder(invoice)
        let lines = try commands.map { String(decoding: try $0.json, as: UTF8.self) }
        let book = try await self.book("orders.jsonl", lines.joined(separator: "\n"))
        #expect(book.malformed.map(\.line) == [2])
        #expect(book.malformed.first?.reason.hasPrefix("invoice 2 is skipped: its 25,000 lines make") == true)
        #expect(book.numbers == ["1", "3"])
        #expect(book.expected.invoices == 2)
    }

    @Test("what is just not too large is taken by the producer and the broker, with all events about it")
    func largest() async throws {
        // Nothing of it repeats: compression must not be what makes it fit.
        var generator = SeededGenerator(seed: 6)
        func text(_ count: Int) -> String {
            String(decoding: (0..<count).map { _ in UInt8.random(in: 0x23...0x5B, using: &generator) }, as: UTF8.self)
        }
        var commands: [OrderCommand] = []
        for (number, country) in [("1", 900_000), (String(repeating: "7", count: 490_000), 9_000)] {
            var invoice = try Fixtures.invoice(number, country: text(country), [(1, 1_000)])
            let size = try OrderCommand(invoice).json.count + number.utf8.count
            invoice.lines[0].sku += text(CommandSize.limit - size)
            commands.append(OrderCommand(invoice))
        }
        for command in commands {
            #expect(try CommandSize().complaint(about: command) == nil)
            var invoice = command.invoice
            invoice.lines[0].sku += "x"
            #expect(try CommandSize().complaint(about: OrderCommand(invoice)) != nil)
        }
        let expected = commands.reduce(into: RevenueReadModel()) { $0.settle($1) }.totals
        #expect(expected.ordersShipped == 2)
        let outcome = try await withPipelineCluster { cluster in
            try await Replay(cluster: cluster, logger: .silent).run(commands)
        }
        #expect(outcome.totals == expected)
    }
}

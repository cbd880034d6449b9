import Foundation
import Subprocess
import TestSupport
import Testing

@testable import OrderPipeline

/// The pipeline and the script that judges it must take the same lines of any file.
@Suite(
    "The script and the reader agree",
    .enabled(if: Fixtures.hasPython, "python3 is not installed"),
    .timeLimit(.minutes(2))
)
struct ScriptAgreementTests {
    private static let header = "InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID,Country\n"

    /// What can be wrong with a row.
    private static let damages: [@Sendable (String) -> [UInt8]] = [
        { Array($0.replacing(",", with: ",\"", maxReplacements: 1).utf8) },
        { Array($0.replacing("\"", with: "").utf8) },
        { Array($0.replacing(",2011-", with: ",2011-13-").utf8) },
        { Array($0.replacing(":", with: ";").utf8) },
        { Array($0.replacing(".", with: ".0001").utf8) },
        { Array($0.replacing(".", with: ",").utf8) },
        { Array($0.replacing("United Kingdom", with: String(repeating: "x", count: 300_000)).utf8) },
        { Array($0.replacing(" ", with: "\u{0}").utf8) },
        { Array($0.replacing(" ", with: "\"\"").utf8) },
        { Array($0.utf8) + [0xFF] },
        { [0xC3] + Array($0.utf8) },
        { Array($0.utf8) + [UInt8(ascii: "\r")] },
        { Array($0.utf8) + [UInt8(ascii: ",")] },
        { Array("\($0)\n\r\n\(Self.header)".utf8) },
        { Array($0.utf8.prefix(20)) },
        { Array("\"\($0)\"".utf8) },
        { Array("\"\($0)".utf8) },
        { Array(($0 + "\"").utf8) },
        { Array($0.replacing(",1,", with: ",99999999999999999999,").utf8) },
        { Array($0.replacing(",1,", with: ",-9223372036854775808,").utf8) },
        { Array($0.replacing(",1,", with: ",000000000000000000000000000001,").utf8) },
        { Array(String($0.drop { $0 != "," }).utf8) },
    ]

    /// What can be wrong with a command.
    private static let replacements: [(String, String)] = [
        ("}]}", "}],}"), ("}]}", "}]},"), ("\"type\":", "\"type\":\"PlaceOrder\",\"type\":"),
        ("\"quantity\":", "\"quantity\":0"),
        ("\"quantity\":", "\"quantity\":-"), ("\"lines\":[", "\"lines\":[1,"), ("\"sku\":\"", "\"sku\":\"\\ud800"),
        ("\"sku\":\"", "\"sku\":\"\\ud83d\\ude00"), ("\"sku\":\"", "\"sku\":\"\t"), ("\"sku\"", "\"sko\""),
        ("Z\"", "\""),
        ("Z\"", ".5Z\""), ("Z\"", ".0000Z\""), ("\"unitPrice\":", "\"unitPrice\":1e1,\"x\":"), ("{", "{\"x\":NaN,"),
        ("{", "{\"x\":12345678901234567890.5E-7,"), ("{", "{\"x\":\(String(repeating: "[", count: 99))1]"), ("{", "[{"),
        ("{", "{\"x\":\(String(repeating: "[", count: 99) + String(repeating: "]", count: 99)),"),
        ("{", "{\"x\":\(String(repeating: "[", count: 100) + String(repeating: "]", count: 100)),"),
        ("{", "{\"x\":\(String(repeating: "[", count: 3000) + String(repeating: "]", count: 3000)),"),
        ("{", "{\"x\":\(String(repeating: "9", count: 5000)),"), ("\"country\":\"", "\"country\":\"e\u{301}"),
        ("\"orderId\":\"", "\"orderId\":\""), ("\"orderId\":\"", "\"orderId\":\"C"),
        ("\"customerId\":", "\"customerId\":null,\"x\":"),
        ("\"quantity\":", "\"quantity\":true,\"x\":"), ("\"quantity\":", "\"quantity\":9223372036854775808,\"x\":"),
        ("{", " \u{B}{"),
        ("\"description\":\"", "\"description\":\"\(String(repeating: "\\u0001", count: 170_000))"),
    ]

    @Test("on damaged rows", arguments: 0..<8)
    func rows(seed: UInt64) async throws {
        var generator = SeededGenerator(seed: seed)
        let text = try String(contentsOfFile: Fixtures.excerpt, encoding: .utf8)
        var lines = text.split(separator: "\n").map { Array($0.utf8) }
        let from = Int.random(in: 1..<(lines.count - 1_000), using: &generator)
        lines = [lines[0]] + lines[from..<(from + 1_000)]
        for _ in 0..<60 {
            let index = Int.random(in: 1..<lines.count, using: &generator)
            let damage = Self.damages[Int.random(in: 0..<Self.damages.count, using: &generator)]
            lines[index] = damage(String(decoding: lines[index], as: UTF8.self))
        }
        for _ in 0..<20 {
            let index = Int.random(in: 1..<lines.count, using: &generator)
            guard !lines[index].isEmpty else { continue }
            let position = Int.random(in: 0..<lines[index].count, using: &generator)
            let bytes = Array("\",\n\r\t0 -\u{0}".utf8)
            lines[index][position] = bytes[Int.random(in: 0..<bytes.count, using: &generator)]
        }
        let end = Array((seed.isMultiple(of: 2) ? "\n" : "\r\n").utf8)
        try await self.compare("orders.csv", lines.flatMap { $0 + end })
    }

    @Test("on damaged commands", arguments: 0..<6)
    func commands(seed: UInt64) async throws {
        var generator = SeededGenerator(seed: seed)
        let book = try await OrderBook(reading: OrderFile(path: Fixtures.excerpt), limit: 120)
        var bytes: [UInt8] = []
        for (index, command) in book.commands.enumerated() {
            var line = String(decoding: try command.json, as: UTF8.self)
            if index.isMultiple(of: 2) {
                let choice = Int.random(in: 0..<Self.replacements.count, using: &generator)
                let (old, new) = Self.replacements[choice]
                line = line.replacing(old, with: new, maxReplacements: 1)
            }
            bytes += Array(line.utf8) + Array((index.isMultiple(of: 3) ? "\r\n" : "\n").utf8)
            if index.isMultiple(of: 10) { bytes += [0xFF, 0x0A, 0x20, 0x09, 0x0A] }
        }
        try await self.compare("orders.jsonl", bytes)
    }

    @Test("on giant rows, invoices and lines")
    func sizes() async throws {
        func row(_ number: String, _ text: String) -> String { "\(number),A,\(text),1,2010-12-01 08:26:00,1,,France\n" }
        let fill = String(repeating: "x", count: 1000)
        var text = Self.header + row("1", "") + row("2", String(repeating: "x", count: OrderFile.maximumLineBytes))
        text += row("3", "\"") + row("4", fill)
        // Around the limits of a record and of a command, to the byte.
        for count in 262_100...262_120 { text += row("5", String(repeating: "y", count: count)) }
        func invoice(_ number: String, _ length: Int) -> String {
            String(repeating: row(number, "\"\(fill)\u{1}é\"\"\""), count: 900)
                + row(number, String(repeating: "z", count: length))
        }
        let smallest = try await Fixtures.withFile("orders.csv", (Self.header + invoice("1000", 0)).utf8) { path in
            let book = try await OrderBook(reading: OrderFile(path: path))
            return try #require(book.commands.first).json.count + 4
        }
        for (index, difference) in [-1, 0, 1, 2].enumerated() {
            text += invoice("\(1_001 + index)", CommandSize.limit - smallest + difference)
        }
        text += "6,A,\"" + String(repeating: "a\n", count: 140_000) + "\",1,2010-12-01 08:26:00,1,,France\n"
        try await self.compare("orders.csv", Array(text.utf8))
        try await self.compare("orders.csv", Array(text.utf8), limit: 5)
    }

    @Test("on files that can't be read", arguments: ["", "\n", "a,b\n", "\u{FEFF}\n", "BZh91AY&SY", "PK\u{3}\u{4}"])
    func unreadable(text: String) async throws {
        try await Fixtures.withFile("orders", text.utf8) { path in
            await #expect(throws: (any Error).self) { try await OrderBook(reading: OrderFile(path: path)) }
            let result = try await self.script([path])
            #expect(result.status == 1)
            #expect(result.errors.hasPrefix("can't read \(path): "))
            #expect(result.errors.split(separator: "\n").count == 1)
        }
    }

    private func compare(_ name: String, _ bytes: [UInt8], limit: Int? = nil) async throws {
        try await Fixtures.withFile(name, bytes) { path in
            let book = try await OrderBook(reading: OrderFile(path: path), limit: limit)
            let result = try await self.script([path] + (limit.map { ["--invoices", "\($0)"] } ?? []))
            #expect(result.status == (book.malformedCount > 0 ? 4 : 0), "\(result.errors)")
            var lines: [Int] = []
            var rest = 0
            for line in result.errors.split(separator: "\n") {
                let text = line.dropFirst(path.utf8.count)
                if text.hasPrefix(": ") {
                    rest = Int(text.dropFirst(2).prefix { $0 != " " }.filter { $0 != "," }) ?? -1
                } else {
                    lines.append(Int(text.dropFirst().prefix { $0 != ":" }) ?? -1)
                }
            }
            #expect(lines == book.malformed.map(\.line), "\(result.errors)\n\(book.malformed)")
            #expect(lines.count + rest == book.malformedCount)
            #expect(
                try ParsedTotals(json: Data(result.output.utf8)) == ParsedTotals(json: Data(book.expected.json.utf8))
            )
            // And the services come to the same, of course.
            let model = book.commands.reduce(into: RevenueReadModel()) { $0.settle($1) }
            #expect(model.totals == book.expected)
        }
    }

    private func script(_ arguments: [String]) async throws -> (status: Int32, output: String, errors: String) {
        let result = try await Subprocess.run(
            .name("python3"),
            arguments: Arguments([Fixtures.totalsScript] + arguments),
            output: .string(limit: 1 << 20),
            error: .string(limit: 1 << 20)
        )
        guard case .exited(let status) = result.terminationStatus else { throw FixtureError(text: "killed") }
        return (status, result.standardOutput, result.standardError)
    }
}

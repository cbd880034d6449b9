import Foundation
import TestSupport
import Testing

@testable import OrderPipeline

@Suite("CSVParser")
struct CSVParserTests {
    private enum Found: Hashable {
        case record([String], line: Int)
        case malformed(line: Int)
    }

    private func parse(_ text: some Collection<UInt8>, columns: Int) -> [Found] {
        var parser = CSVParser(columnCount: columns)
        var found: [Found] = []
        func take(_ item: CSVParser.Item) {
            switch item {
            case .record(let record, let line):
                found.append(
                    .record((0..<record.count).map { String(decoding: record[$0], as: UTF8.self) }, line: line)
                )
            case .malformed(let line, _):
                found.append(.malformed(line: line))
            }
        }
        var lines = Array(text).split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
        if lines.last?.isEmpty == true { lines.removeLast() }
        for line in lines { parser.append(line, take) }
        parser.finish(take)
        return found
    }

    private func parse(_ text: String, columns: Int) -> [Found] { self.parse(text.utf8, columns: columns) }

    private func quoted(_ field: String) -> String {
        "\"" + field.replacingOccurrences(of: "\"", with: "\"\"") + "\""
    }

    @Test("fields, empty fields, quotes, commas, doubled quotes and spaces")
    func fields() {
        #expect(self.parse("a,b\n", columns: 2) == [.record(["a", "b"], line: 1)])
        #expect(self.parse(",\n", columns: 2) == [.record(["", ""], line: 1)])
        #expect(self.parse("\"\",\"\"", columns: 2) == [.record(["", ""], line: 1)])
        #expect(self.parse("\"a,b\",\" c \"", columns: 2) == [.record(["a,b", " c "], line: 1)])
        #expect(self.parse("\"7\"\" RULER\",\"\"\"\"", columns: 2) == [.record(["7\" RULER", "\""], line: 1)])
    }

    @Test("a quoted field may hold line ends of both kinds")
    func lineEnds() {
        let second = Found.record(["d", "e"], line: 3)
        #expect(self.parse("a,\"b\nc\"\nd,e\n", columns: 2) == [.record(["a", "b\nc"], line: 1), second])
        #expect(self.parse("a,\"b\r\n\r\nc\"\r\n", columns: 2) == [.record(["a", "b\r\n\r\nc"], line: 1)])
        #expect(self.parse("a,b\r\n\"c\"\r\nd,e\r\n", columns: 2).last == second)
    }

    @Test("empty lines are passed over and counted")
    func emptyLines() {
        #expect(self.parse("\n\r\na,b\n\n", columns: 2) == [.record(["a", "b"], line: 3)])
    }

    @Test("a malformed line costs itself and no other")
    func malformed() {
        let good = Found.record(["c", "d"], line: 2)
        #expect(self.parse("a\nc,d\n", columns: 2) == [.malformed(line: 1), good])
        #expect(self.parse("a,b,c\nc,d\n", columns: 2) == [.malformed(line: 1), good])
        #expect(self.parse("a\"b,c\nc,d\n", columns: 2) == [.malformed(line: 1), good])
        #expect(self.parse("\"a\"b,c\nc,d\n", columns: 2) == [.malformed(line: 1), good])
    }

    @Test("a quote that is never closed does not swallow the lines after it")
    func unclosed() {
        #expect(
            self.parse("a,\"b\nc,d\ne,f\n", columns: 2)
                == [.malformed(line: 1), .record(["c", "d"], line: 2), .record(["e", "f"], line: 3)]
        )
        // The quote that the next field opens seems to close the stray one.
        #expect(
            self.parse("a,\"b\nc,d\ne,\"f\"\n", columns: 2)
                == [.malformed(line: 1), .record(["c", "d"], line: 2), .record(["e", "f"], line: 3)]
        )
        #expect(
            self.parse("a,\"b\nc,\"d\ne,f\n", columns: 2)
                == [.malformed(line: 1), .malformed(line: 2), .record(["e", "f"], line: 3)]
        )
    }

    @Test("a quote that stays open beyond the limit is given up")
    func limit() {
        let filler = String(repeating: "x,y\n", count: CSVParser.maximumRecordBytes / 4 + 10)
        let found = self.parse("a,\"b\n" + filler + "c,\"d\"\n", columns: 2)
        #expect(found.first == .malformed(line: 1))
        #expect(found.count == CSVParser.maximumRecordBytes / 4 + 12)
        #expect(found.dropFirst().allSatisfy { if case .record = $0 { true } else { false } })
    }

    @Test("whatever fields there are, they come back from RFC 4180")
    func roundTrip() {
        var generator = SeededGenerator(seed: 4180)
        let pieces = ["a", "\"", ",", "\n", "\r\n", " ", "é", "\\", "'", ";", "\t"]
        for _ in 0..<2_000 {
            let records = (0..<3).map { _ in
                (0..<3).map { _ in
                    (0..<Int.random(in: 0...5, using: &generator)).map { _ in
                        pieces[Int.random(in: 0..<pieces.count, using: &generator)]
                    }.joined()
                }
            }
            let text = records.map { $0.map(self.quoted).joined(separator: ",") + "\n" }.joined()
            let found = self.parse(text, columns: 3).map { item in
                if case .record(let fields, _) = item { fields } else { [String]() }
            }
            #expect(found == records)
        }
    }

    @Test("hostile bytes are records or malformed lines, never a trap, and every line is one or the other")
    func hostile() {
        var generator = SeededGenerator(seed: 1)
        let alphabet = Array("\"\"\"\",,\n\n\r0a".utf8) + [0, 0xFF, 0xC3]
        for _ in 0..<5_000 {
            let bytes = (0..<Int.random(in: 0...60, using: &generator)).map { _ in
                alphabet[Int.random(in: 0..<alphabet.count, using: &generator)]
            }
            var covered: [Int] = []
            for item in self.parse(bytes, columns: 2) {
                switch item {
                case .malformed(let line): covered.append(line)
                case .record(let fields, let line):
                    #expect(fields.count == 2)
                    let ends = fields.reduce(0) { $0 + $1.utf8.count { $0 == UInt8(ascii: "\n") } }
                    covered.append(contentsOf: line...(line + ends))
                }
            }
            var lines = bytes.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
            if lines.last?.isEmpty == true { lines.removeLast() }
            let empty = Set(lines.indices.filter { lines[$0].isEmpty || Array(lines[$0]) == [13] }.map { $0 + 1 })
            #expect(Set(covered).count == covered.count)
            #expect(Set(covered).union(empty) == Set(lines.indices.map { $0 + 1 }))
        }
    }
}

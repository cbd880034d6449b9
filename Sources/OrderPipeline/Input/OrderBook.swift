/// A file of orders, read: what to ask the pipeline for, and what should come of it.
package struct OrderBook: Sendable {
    /// How many malformed lines are kept to be shown; all are counted.
    package static let shownMalformedLines = 20

    /// The commands, in the order in which their invoices first appear in the file.
    package let commands: [OrderCommand]
    /// The distinct invoice numbers of the commands.
    package let numbers: Set<String>
    /// The totals by a plain pass over the same rows.
    package let expected: Totals
    /// The first malformed lines; an invoice that is too large to be sent counts as one, by its first line.
    package let malformed: [MalformedLine]
    /// How many there are.
    package let malformedCount: Int

    /// Reads a file to its end.
    /// - Parameters:
    ///   - file: The file.
    ///   - limit: Only the first so many distinct invoice numbers are taken, with all their lines; `nil` takes all.
    /// - Throws: `InputError` and ``OrderFileError`` when the file can't be read.
    package init(reading file: OrderFile, limit: Int? = nil) async throws {
        var collector = CommandCollector(limit: limit)
        var plain = PlainPass(limit: limit)
        var malformed: [MalformedLine] = []
        var malformedCount = 0
        try await file.read { item in
            switch item {
            case .row(let row, let line):
                collector.add(row, line: line)
                plain.add(row)
            case .command(let command):
                collector.add(command)
                plain.add(command)
            case .malformed(let line):
                malformedCount += 1
                if malformed.count < Self.shownMalformedLines { malformed.append(line) }
            }
        }
        let oversized = try collector.removeOversized()
        for (number, _) in oversized { plain.remove(number) }
        malformed = (malformed + oversized.map(\.malformed)).sorted { $0.line < $1.line }
        self.commands = collector.commands
        self.numbers = collector.numbers
        self.expected = plain.totals
        self.malformed = Array(malformed.prefix(Self.shownMalformedLines))
        self.malformedCount = malformedCount + oversized.count
    }
}

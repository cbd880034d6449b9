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
    /// The first malformed lines.
    package let malformed: [MalformedLine]
    /// How many lines are malformed.
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
            case .row(let row):
                collector.add(row)
                plain.add(row)
            case .command(let command):
                collector.add(command)
                plain.add(command)
            case .malformed(let line):
                malformedCount += 1
                if malformed.count < Self.shownMalformedLines { malformed.append(line) }
            }
        }
        self.commands = collector.commands
        self.numbers = collector.numbers
        self.expected = plain.totals
        self.malformed = malformed
        self.malformedCount = malformedCount
    }
}

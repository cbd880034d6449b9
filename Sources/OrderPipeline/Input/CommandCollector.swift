/// Makes commands of what a file holds.
///
/// The rows of one invoice are put together wherever in the file they stand; its customer, country and date are those of
/// its first row. Commands of JSON Lines stay as they are, also those that repeat an order.
struct CommandCollector {
    private let limit: Int
    private let size = CommandSize()
    private var invoices: [Invoice] = []
    /// The line in which each of the invoices begins.
    private var lines: [Int] = []
    private var indices: [String: Int] = [:]
    private var whole: [OrderCommand] = []

    /// - Parameter limit: Only the first so many distinct invoice numbers are taken; `nil` takes all.
    init(limit: Int?) {
        self.limit = limit ?? .max
    }

    /// - Parameter line: The number of the line that the row begins in.
    mutating func add(_ row: RetailRow, line: Int) {
        if let index = self.indices[row.invoice] {
            self.invoices[index].lines.append(row.line)
        } else if self.indices.count < self.limit {
            self.indices[row.invoice] = self.invoices.count
            self.lines.append(line)
            self.invoices.append(
                Invoice(
                    number: row.invoice,
                    customerID: row.customerID,
                    country: row.country,
                    placedAt: row.date,
                    lines: [row.line]
                )
            )
        }
    }

    /// Takes a command that is not too large.
    mutating func add(_ command: OrderCommand) {
        let number = command.invoice.number
        if self.indices[number] == nil {
            guard self.indices.count < self.limit else { return }
            self.indices[number] = self.whole.count
        }
        self.whole.append(command)
    }

    /// Takes out the invoices whose commands are too large to be sent; called when all rows are there.
    /// - Returns: Their numbers, each with what is wrong.
    mutating func removeOversized() throws -> [(number: String, malformed: MalformedLine)] {
        var removed: [(number: String, malformed: MalformedLine)] = []
        for (invoice, line) in zip(self.invoices, self.lines) {
            guard let reason = try self.size.complaint(about: OrderCommand(invoice)) else { continue }
            removed.append((invoice.number, MalformedLine(line: line, reason: reason)))
        }
        guard !removed.isEmpty else { return [] }
        for (number, _) in removed { self.indices[number] = nil }
        self.invoices.removeAll { self.indices[$0.number] == nil }
        return removed
    }

    /// The distinct invoice numbers.
    var numbers: Set<String> { Set(self.indices.keys) }

    /// The commands, in the order in which their invoices first appear.
    var commands: [OrderCommand] { self.invoices.map(OrderCommand.init) + self.whole }
}

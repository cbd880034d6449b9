/// Makes commands of what a file holds.
///
/// The rows of one invoice are put together wherever in the file they stand; its customer, country and date are those of
/// its first row. Commands of JSON Lines stay as they are, also those that repeat an order.
struct CommandCollector {
    private let limit: Int
    private var invoices: [Invoice] = []
    private var indices: [String: Int] = [:]
    private var whole: [OrderCommand] = []

    /// - Parameter limit: Only the first so many distinct invoice numbers are taken; `nil` takes all.
    init(limit: Int?) {
        self.limit = limit ?? .max
    }

    mutating func add(_ row: RetailRow) {
        if let index = self.indices[row.invoice] {
            self.invoices[index].lines.append(row.line)
        } else if self.indices.count < self.limit {
            self.indices[row.invoice] = self.invoices.count
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

    mutating func add(_ command: OrderCommand) {
        let number = command.invoice.number
        if self.indices[number] == nil {
            guard self.indices.count < self.limit else { return }
            self.indices[number] = self.whole.count
        }
        self.whole.append(command)
    }

    /// The distinct invoice numbers.
    var numbers: Set<String> { Set(self.indices.keys) }

    /// The commands, in the order in which their invoices first appear.
    var commands: [OrderCommand] { self.invoices.map(OrderCommand.init) + self.whole }
}

internal import EventStreaming

/// One row of a file in the Online Retail layout: one line of one invoice.
struct RetailRow: Sendable, Hashable {
    /// The columns, in their order.
    static let columns = [
        "InvoiceNo", "StockCode", "Description", "Quantity", "InvoiceDate", "UnitPrice", "CustomerID", "Country",
    ]

    /// The invoice that the line belongs to.
    var invoice: String
    /// When the invoice was made; the data has no zone, UTC is taken.
    var date: UTCTime
    /// The customer, where one is known.
    var customerID: String?
    /// The customer's country.
    var country: String
    /// The line.
    var line: InvoiceLine
}

/// Makes rows of CSV records. Not `Sendable`: one task reads a file.
final class RetailRowParser {
    /// Why a record is not a row.
    struct Failure: Error {
        var reason: String
    }

    /// Texts that many rows have in common, so that a whole file in memory holds each once.
    private var texts: Set<String> = []

    /// Makes a row of a record of eight columns.
    /// - Throws: ``Failure`` that names the first column that can't be used.
    func row(_ record: CSVRecord) throws(Failure) -> RetailRow {
        let invoice = try self.text(record, 0)
        guard !invoice.isEmpty else { throw Failure(reason: "InvoiceNo is empty") }
        guard let quantity = Int64(decimal: record[3]) else {
            throw self.failure(record, 3, expected: "a whole number")
        }
        guard let date = UTCTime(dateTime: record[4]) else {
            throw self.failure(record, 4, expected: "a time such as 2010-12-01 08:26:00")
        }
        guard let price = Money(pounds: record[5]) else {
            throw self.failure(record, 5, expected: "pounds with up to three decimals")
        }
        let customer = try self.text(record, 6)
        return RetailRow(
            invoice: invoice,
            date: date,
            customerID: customer.isEmpty ? nil : customer,
            country: try self.text(record, 7),
            line: InvoiceLine(
                sku: try self.text(record, 1),
                description: try self.text(record, 2),
                quantity: quantity,
                unitPrice: price
            )
        )
    }

    private func text(_ record: CSVRecord, _ column: Int) throws(Failure) -> String {
        guard let text = record.text(column) else {
            throw Failure(reason: "\(RetailRow.columns[column]) is not UTF-8")
        }
        // Up to 15 bytes are stored in the string itself.
        return text.utf8.count > 15 ? self.texts.insert(text).memberAfterInsert : text
    }

    private func failure(_ record: CSVRecord, _ column: Int, expected: String) -> Failure {
        let value = String(decoding: record[column].prefix(40), as: UTF8.self)
        return Failure(reason: "\(RetailRow.columns[column]) is \"\(value)\", expected \(expected)")
    }
}

import EventStreaming
import Foundation

@testable import OrderPipeline

/// What tests of the pipeline have in common.
enum Fixtures {
    /// The excerpt of real invoices that ships with the project.
    static let excerpt = Self.path("Sources/order-pipeline/Resources/online-retail-excerpt.csv")
    /// What the Python script expects of it.
    static let excerptTotals = Self.path("Sources/order-pipeline/Resources/online-retail-excerpt.totals.json")
    /// That script.
    static let totalsScript = Self.path("Sources/order-pipeline/Resources/expected-totals.py")
    /// Whether it can be run.
    static let hasPython = (ProcessInfo.processInfo.environment["PATH"] ?? "").split(separator: ":")
        .contains { FileManager.default.isExecutableFile(atPath: "\($0)/python3") }
    /// The contract of commands.
    static let commandSchema = Self.path("Schemas/order-command.schema.json")

    private static func path(_ name: String) -> String {
        URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
            .appending(path: name).path
    }

    /// An invoice of lines given as quantity and thousandths.
    static func invoice(
        _ number: String,
        country: String = "France",
        at time: String = "2011-05-06T07:08:09Z",
        _ lines: [(quantity: Int64, price: Int64)]
    ) throws -> Invoice {
        Invoice(
            number: number,
            customerID: "1",
            country: country,
            placedAt: try time.utcTime,
            lines: lines.enumerated().map { index, line in
                InvoiceLine(
                    sku: "S\(index)",
                    description: "",
                    quantity: line.quantity,
                    unitPrice: Money(thousandths: line.price)
                )
            }
        )
    }

    /// A command for every outcome that the rules know.
    static func everyCase() throws -> [OrderCommand] {
        [
            .placeOrder(try self.invoice("1", [(2, 2_550), (1, 1)])),
            .placeOrder(try self.invoice("2", country: "EIRE", at: "2011-06-01T00:00:00Z", [(1, 10_000_000)])),
            .placeOrder(try self.invoice("3", [(1, 10_000_001)])),
            .placeOrder(try self.invoice("4", country: "Unspecified", [(3, 1_000)])),
            .placeOrder(try self.invoice("5", [(1, 1_000), (0, 1_000)])),
            .placeOrder(try self.invoice("6", [(1, 1_000), (1, -1)])),
            .placeOrder(try self.invoice("7", [(5, 0)])),
            .placeOrder(try self.invoice("8", [(.max, .max)])),
            .issueCreditNote(try self.invoice("C1", [(-2, 500)])),
            .issueCreditNote(try self.invoice("C2", [(-2, 500), (1, 1)])),
            .issueCreditNote(try self.invoice("C3", [(-2, -500)])),
            .issueCreditNote(try self.invoice("C4", [(-2, 0)])),
            .placeOrder(try self.invoice("A1", [(1, 1_000)])),
            .placeOrder(try self.invoice("C5", [(1, 1_000)])),
            .issueCreditNote(try self.invoice("9", [(-1, 1_000)])),
        ]
    }

    /// What ``everyCase()`` comes to, worked out by hand.
    static var everyCaseTotals: Totals {
        var totals = Totals()
        totals.invoices = 15
        totals.lines = 19
        totals.ordersPlaced = 4
        totals.ordersRejected = 4
        totals.ordersDeclined = 1
        totals.ordersCompensated = 1
        totals.ordersShipped = 2
        totals.creditNotes = 1
        totals.creditNotesRejected = 3
        totals.invoicesRefused = 3
        totals.placedAmount = 5_101 + 10_000_000 + 10_000_001 + 3_000
        totals.shippedAmount = 5_101 + 10_000_000
        totals.refundedAmount = 3_000
        totals.declinedAmount = 10_000_001
        totals.creditedAmount = 1_000
        totals.revenueByCountry = ["France": 4_101, "EIRE": 10_000_000]
        totals.revenueByMonth = ["2011-05": 4_101, "2011-06": 10_000_000]
        return totals
    }

    /// Writes a file, gives its path to the body and removes it.
    static func withFile<Result>(
        _ name: String,
        _ contents: some Sequence<UInt8>,
        _ body: (String) async throws -> Result
    ) async throws -> Result {
        try await self.withFolder { folder in
            let file = URL(filePath: folder).appending(component: name)
            try Data(contents).write(to: file)
            return try await body(file.path)
        }
    }

    /// Makes a folder, gives its path to the body and removes it.
    static func withFolder<Result>(_ body: (String) async throws -> Result) async throws -> Result {
        let folder = FileManager.default.temporaryDirectory.appending(component: UUID().uuidString)
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        return try await body(folder.path)
    }
}

/// A value of a test that is not what it must be.
struct FixtureError: Error {
    var text: String
}

extension String {
    /// The moment that the text says.
    var utcTime: UTCTime {
        get throws {
            guard let time = UTCTime(rfc3339: self.utf8) else { throw FixtureError(text: self) }
            return time
        }
    }
}

extension OrderCommand {
    /// The command as a line of a file, and the value of a record.
    var json: [UInt8] {
        get throws {
            guard let bytes = try PipelineTopics.commands.value.encode(self) else {
                throw FixtureError(text: "no bytes")
            }
            return bytes
        }
    }
}

extension OrderCommand {
    /// The same command for another number.
    func renumbered(_ change: (String) -> String) -> OrderCommand {
        var invoice = self.invoice
        invoice.number = change(invoice.number)
        switch self {
        case .placeOrder: return .placeOrder(invoice)
        case .issueCreditNote: return .issueCreditNote(invoice)
        }
    }
}

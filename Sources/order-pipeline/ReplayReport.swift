internal import CommandLineSupport
internal import OrderPipeline

/// The report of a replay, for people.
struct ReplayReport {
    private static let shownCountries = 10
    private static let barWidth = 30

    /// What came of the replay.
    let outcome: Replay.Outcome
    /// What should have come of it, where it is to be compared.
    let expected: Totals?

    /// The report; the totals come last.
    func text(color: Bool) -> String {
        let totals = self.outcome.totals
        let countries = totals.revenueByCountry.sorted { ($1.value, $0.key) < ($0.value, $1.key) }
        var text = ""
        if !countries.isEmpty {
            let shown = countries.prefix(Self.shownCountries)
            text += "Revenue by country"
            text += shown.count < countries.count ? " (\(shown.count) of \(countries.count))\n\n" : "\n\n"
            text += Self.chart(Array(shown), title: "country", color: color) + "\n"
            text += "Revenue by month\n\n"
            text += Self.chart(totals.revenueByMonth.sorted { $0.key < $1.key }, title: "month", color: color) + "\n"
        }
        text += self.table(color: color) + "\n"
        text += self.conclusion
        return text
    }

    /// The totals that differ from what was expected, each as a sentence.
    var differences: [String] {
        guard let expected = self.expected else { return [] }
        let totals = self.outcome.totals
        var differences = zip(totals.figures, expected.figures).compactMap { figure, expected in
            figure == expected ? nil : "\(figure.key) is \(figure.value), expected \(expected.value)"
        }
        for (name, revenue, expected) in [
            ("revenue_by_country", totals.revenueByCountry, expected.revenueByCountry),
            ("revenue_by_month", totals.revenueByMonth, expected.revenueByMonth),
        ] {
            for key in Set(revenue.keys).union(expected.keys).sorted() where revenue[key] != expected[key] {
                let (found, wanted) = (Self.value(revenue[key]), Self.value(expected[key]))
                differences.append("\(name) of \(key) is \(found), expected \(wanted)")
            }
        }
        return differences
    }

    // MARK: Parts

    private func table(color: Bool) -> String {
        var columns: [TextTable.Column] = [.init("total"), .init("replayed", alignment: .right)]
        if self.expected != nil { columns += [.init("plain pass", alignment: .right), .init("agrees")] }
        var table = TextTable(columns: columns)
        func append(_ key: String, _ value: String, _ expected: String, agrees: Bool) {
            let verdict: TextTable.Cell = agrees ? .init("yes", style: .good) : .init("NO", style: .bad)
            table.append([.init(key), .init(value), .init(expected), verdict])
        }
        let totals = self.outcome.totals
        let expected = self.expected ?? totals
        for (figure, wanted) in zip(totals.figures, expected.figures) {
            append(figure.key, Self.text(figure), Self.text(wanted), agrees: figure == wanted)
        }
        append(
            "revenue_by_country",
            "\(totals.revenueByCountry.count) countries",
            "\(expected.revenueByCountry.count) countries",
            agrees: totals.revenueByCountry == expected.revenueByCountry
        )
        append(
            "revenue_by_month",
            "\(totals.revenueByMonth.count) months",
            "\(expected.revenueByMonth.count) months",
            agrees: totals.revenueByMonth == expected.revenueByMonth
        )
        return table.rendered(color: color)
    }

    private var conclusion: String {
        let seconds = self.outcome.working / .seconds(1)
        let rate = seconds > 0 ? Int(Double(self.outcome.totals.invoices) / seconds) : 0
        var text = """
            \(self.outcome.totals.invoices.grouped) invoices in \(Self.tenths(self.outcome.elapsed)) s, of which \
            \(Self.tenths(self.outcome.elapsed - self.outcome.working)) s passed before the consumer groups had formed; \
            \(self.outcome.messages.grouped) events, \(rate.grouped) invoices/s.

            """
        if self.expected != nil {
            let differences = self.differences
            if differences.isEmpty {
                text += "Every total agrees with an independent plain pass over the file.\n"
            } else {
                text += differences.map { "differs: \($0.withoutControlCharacters)\n" }.joined()
            }
        }
        return text
    }

    private static func chart(_ rows: [(key: String, value: Int128)], title: String, color: Bool) -> String {
        var table = TextTable(columns: [.init(title), .init("revenue", alignment: .right), .init("")])
        let largest = max(1, rows.map(\.value).max() ?? 1)
        for row in rows {
            let length = row.value <= 0 ? 0 : Int(Double(row.value) / Double(largest) * Double(Self.barWidth))
            let bar = String(repeating: "#", count: min(Self.barWidth, length))
            table.append([.init(row.key), .init(Self.pounds(row.value)), .init(bar, style: .faint)])
        }
        return table.rendered(color: color)
    }

    private static func text(_ figure: Totals.Figure) -> String {
        figure.isAmount ? self.pounds(figure.value) : figure.value.grouped
    }

    private static func value(_ value: Int128?) -> String { value.map { "\($0)" } ?? "not there" }

    /// `£1,081,381.140`
    private static func pounds(_ thousandths: Int128) -> String {
        let text = Money.pounds(Int128(thousandths.magnitude))
        let fraction = text.suffix(4)
        return (thousandths < 0 ? "-" : "") + "£" + (thousandths.magnitude / 1000).grouped + fraction
    }

    private static func tenths(_ duration: Duration) -> String {
        let tenths = Int(duration / .milliseconds(100) + 0.5)
        return "\(tenths / 10).\(tenths % 10)"
    }
}

import Foundation

extension Row {
    /// One JSON object on a line. `ratio` is a difference or a value where `comparison` says so.
    var json: String {
        let fields = [
            ("name", quoted(self.name)),
            ("ours", number(self.ours)),
            ("reference", number(self.reference)),
            ("ratio", number(self.ratio)),
            ("budget", number(self.budget)),
            ("met", self.isMet ? "true" : "false"),
            ("comparison", quoted(self.comparison.rawValue)),
            ("unit", quoted(self.unit)),
            ("rounds", "[" + self.rounds.map(number).joined(separator: ",") + "]"),
            ("cpu_ratio", number(self.cpu)),
        ]
        return "{" + fields.map { "\"\($0)\":\($1)" }.joined(separator: ",") + "}"
    }

    /// A table for people.
    static func table(_ rows: [Row]) -> String {
        let header = ["name", "unit", "ours", "reference", "ratio", "rounds", "cpu", "budget", "met"]
        let lines = [header] + rows.map(\.cells)
        let widths = header.indices.map { column in lines.map { $0[column].count }.max() ?? 0 }
        return lines.map { cells in
            let padded = zip(cells, widths).enumerated().map { column, cell in
                let space = String(repeating: " ", count: cell.1 - cell.0.count)
                return (2...6).contains(column) ? space + cell.0 : cell.0 + space
            }
            return padded.joined(separator: "  ")
        }.joined(separator: "\n")
    }

    private var cells: [String] {
        let least = self.rounds.min() ?? .nan
        let most = self.rounds.max() ?? .nan
        return [
            self.name,
            self.unit,
            figure(self.ours),
            self.reference.isNaN ? "-" : figure(self.reference),
            fixed(self.ratio, 2),
            "\(fixed(least, 2)) to \(fixed(most, 2))",
            self.cpu.isNaN ? "-" : fixed(self.cpu, 2),
            "\(self.comparison == .ratioAtLeast ? "at least" : "at most") \(fixed(self.budget, 2))",
            self.isMet ? "yes" : "NO",
        ]
    }
}

/// Large figures whole, small ones with the digits that matter.
private func figure(_ value: Double) -> String {
    fixed(value, abs(value) >= 1_000 ? 0 : abs(value) >= 10 ? 1 : 3)
}

private func fixed(_ value: Double, _ digits: Int) -> String {
    String(format: "%.\(digits)f", value)
}

/// JSON has no infinity and no NaN.
private func number(_ value: Double) -> String {
    value.isFinite ? String(format: "%.6g", value) : "null"
}

/// Names and units are ours: nothing in them needs escaping.
private func quoted(_ text: String) -> String {
    "\"\(text)\""
}

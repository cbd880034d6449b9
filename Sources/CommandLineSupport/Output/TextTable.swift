/// A table of text with aligned columns, for a terminal or a log.
///
/// ```swift
/// var table = TextTable(columns: [.init("partition", alignment: .right), .init("state")])
/// table.append(["0", .init("agrees", style: .good)])
/// print(table.rendered(color: Terminal.colorsStandardOutput))
/// ```
package struct TextTable: Sendable {
    /// Where the text of a column stands.
    package enum Alignment: Sendable {
        /// For words.
        case left
        /// For numbers.
        case right
    }

    /// How a cell is set apart where colour is allowed.
    package enum Style: Sendable {
        /// As the terminal shows text.
        case plain
        /// Green.
        case good
        /// Red.
        case bad
        /// Faint.
        case faint
    }

    /// A column: its title and its alignment.
    package struct Column: Sendable {
        package var title: String
        package var alignment: Alignment

        /// Makes a column; words stand left unless said otherwise.
        package init(_ title: String, alignment: Alignment = .left) {
            self.title = title
            self.alignment = alignment
        }
    }

    /// The text of one row in one column.
    package struct Cell: Sendable, ExpressibleByStringInterpolation {
        package var text: String
        package var style: Style

        /// Makes a cell.
        package init(_ text: String, style: Style = .plain) {
            self.text = text
            self.style = style
        }

        /// Makes a plain cell.
        package init(stringLiteral value: String) {
            self.init(value)
        }
    }

    private let columns: [Column]
    private var rows: [[Cell]] = []

    /// Makes an empty table.
    package init(columns: [Column]) {
        self.columns = columns
    }

    /// Appends a row. Cells that are missing stay empty, cells beyond the columns are left out.
    package mutating func append(_ cells: [Cell]) {
        self.rows.append(
            self.columns.indices.map { index in
                guard index < cells.count else { return "" }
                return Cell(cells[index].text.withoutControlCharacters, style: cells[index].style)
            }
        )
    }

    /// The table as text: titles, a rule, the rows, each with a line end; no spaces at the end of a line.
    package func rendered(color: Bool) -> String {
        let widths = self.columns.indices.map { index in
            self.rows.reduce(self.columns[index].title.count) { max($0, $1[index].text.count) }
        }
        var text = self.line(self.columns.map { Cell($0.title) }, widths: widths, color: false)
        text += self.line(widths.map { Cell(String(repeating: "-", count: $0)) }, widths: widths, color: false)
        for row in self.rows { text += self.line(row, widths: widths, color: color) }
        return text
    }

    private func line(_ cells: [Cell], widths: [Int], color: Bool) -> String {
        var line = ""
        var pending = 0
        for (index, cell) in cells.enumerated() {
            let room = widths[index] - cell.text.count
            if self.columns[index].alignment == .right { pending += room }
            if !cell.text.isEmpty {
                line += String(repeating: " ", count: pending)
                line += color ? cell.style.applied(to: cell.text) : cell.text
                pending = 0
            }
            pending += self.columns[index].alignment == .left ? room : 0
            pending += 2
        }
        return line + "\n"
    }
}

extension TextTable.Style {
    fileprivate func applied(to text: String) -> String {
        switch self {
        case .plain: text
        case .good: "\u{1B}[32m\(text)\u{1B}[0m"
        case .bad: "\u{1B}[31m\(text)\u{1B}[0m"
        case .faint: "\u{1B}[2m\(text)\u{1B}[0m"
        }
    }
}

extension String {
    /// The text with control characters written out, so that data can neither break a line nor steer a terminal.
    package var withoutControlCharacters: String {
        guard self.unicodeScalars.contains(where: { $0.properties.generalCategory == .control }) else { return self }
        return self.unicodeScalars.reduce(into: "") { text, scalar in
            if scalar.properties.generalCategory == .control {
                text += scalar.escaped(asASCII: true)
            } else {
                text.unicodeScalars.append(scalar)
            }
        }
    }
}

internal import CommandLineSupport

/// A file of orders: CSV in the Online Retail layout, or JSON Lines of commands, as it is or packed by xz or gzip.
package struct OrderFile: Sendable {
    /// What the file holds, in its order.
    enum Item {
        /// A row of CSV.
        case row(RetailRow)
        /// A line of JSON Lines.
        case command(OrderCommand)
        /// A line that can't be used.
        case malformed(MalformedLine)
    }

    /// How the file is written.
    package enum Format: Sendable, Hashable {
        /// The Online Retail layout.
        case csv
        /// One command in a line.
        case jsonLines
    }

    /// Where it is; `-` is standard input.
    package let path: String

    /// Names the file; nothing is opened yet.
    package init(path: String) {
        self.path = path
    }

    /// The format that the name tells.
    package var formatByName: Format? {
        var name = self.path[...]
        for packing in [".xz", ".gz"] where name.hasSuffix(packing) { name = name.dropLast(packing.count) }
        if name.hasSuffix(".csv") { return .csv }
        return [".jsonl", ".ndjson", ".json"].contains(where: name.hasSuffix) ? .jsonLines : nil
    }

    /// Reads the file from its beginning to its end.
    ///
    /// Where the name does not tell the format, the first character does: a brace begins JSON.
    /// - Throws: `InputError` and ``OrderFileError`` when the file can't be read, and what the body throws.
    func read(_ body: (Item) throws -> Void) async throws {
        try await withLines(of: self.path, lineEnd: .lineFeed) { lines in
            var reader: Reader?
            for try await line in lines {
                try Task.checkCancellation()
                if reader != nil {
                    try reader?.append(line, body)
                    continue
                }
                let text = line.starts(with: [0xEF, 0xBB, 0xBF]) ? line.dropFirst(3) : line
                let isJSON = text.first { $0 != UInt8(ascii: " ") && $0 != UInt8(ascii: "\t") } == UInt8(ascii: "{")
                reader = Reader(path: self.path, format: self.formatByName ?? (isJSON ? .jsonLines : .csv))
                try reader?.append(text, body)
            }
            guard reader != nil || self.formatByName == .jsonLines else {
                throw OrderFileError.notRetail(path: self.path, found: "")
            }
            try reader?.finish(body)
        }
    }
}

/// A line that can't be used.
package struct MalformedLine: Sendable, Hashable {
    /// Its number in the file, from 1.
    package var line: Int
    /// What is wrong with it.
    package var reason: String
}

/// Why a file is not a file of orders.
package enum OrderFileError: Error, Sendable, Hashable, CustomStringConvertible {
    /// The first line is not the header of the Online Retail layout.
    case notRetail(path: String, found: String)

    package var description: String {
        switch self {
        case .notRetail(let path, let found):
            """
            can't read \(path): its first line is \(found.isEmpty ? "empty" : "\"\(found.withoutControlCharacters)\""), \
            expected the columns \(RetailRow.columns.joined(separator: ",")), or JSON Lines of commands
            """
        }
    }
}

/// Reads one format line by line.
private struct Reader {
    private let path: String
    private let format: OrderFile.Format
    private var csv = CSVParser(columnCount: RetailRow.columns.count)
    private let rows = RetailRowParser()
    private let json = JSONCodec()
    private var lineCount = 0

    init(path: String, format: OrderFile.Format) {
        self.path = path
        self.format = format
    }

    mutating func append(_ line: ArraySlice<UInt8>, _ body: (OrderFile.Item) throws -> Void) throws {
        self.lineCount += 1
        switch self.format {
        case .csv:
            if self.lineCount == 1 { try self.checkHeader(line) }
            try self.csv.append(line) { [rows = self.rows] in try Self.convert($0, with: rows, body) }
        case .jsonLines:
            try self.appendJSON(line, body)
        }
    }

    mutating func finish(_ body: (OrderFile.Item) throws -> Void) throws {
        try self.csv.finish { [rows = self.rows] in try Self.convert($0, with: rows, body) }
    }

    private func checkHeader(_ line: ArraySlice<UInt8>) throws {
        var parser = CSVParser(columnCount: RetailRow.columns.count)
        var isHeader = false
        parser.append(line) { item in
            guard case .record(let record, _) = item else { return }
            isHeader = RetailRow.columns.indices.allSatisfy { record.text($0) == RetailRow.columns[$0] }
        }
        guard isHeader else {
            let found = String(decoding: line.prefix(80), as: UTF8.self)
            throw OrderFileError.notRetail(path: self.path, found: found)
        }
    }

    private static func convert(
        _ item: CSVParser.Item,
        with rows: RetailRowParser,
        _ body: (OrderFile.Item) throws -> Void
    ) throws {
        switch item {
        case .malformed(let line, let reason):
            try body(.malformed(MalformedLine(line: line, reason: reason)))
        case .record(_, line: 1):
            // The header.
            break
        case .record(let record, let line):
            let row: RetailRow
            do {
                row = try rows.row(record)
            } catch {
                return try body(.malformed(MalformedLine(line: line, reason: error.reason)))
            }
            try body(.row(row))
        }
    }

    private func appendJSON(_ line: ArraySlice<UInt8>, _ body: (OrderFile.Item) throws -> Void) throws {
        let blanks: Set<UInt8> = [UInt8(ascii: " "), UInt8(ascii: "\t"), UInt8(ascii: "\r")]
        if line.allSatisfy(blanks.contains) { return }
        let command: OrderCommand
        do {
            command = try self.json.decode(OrderCommand.self, from: line)
        } catch {
            return try body(.malformed(MalformedLine(line: self.lineCount, reason: error.reason)))
        }
        try body(.command(command))
    }
}

internal import CommandLineSupport

/// Reads one format line by line.
struct OrderFileReader {
    private let path: String
    private let format: OrderFile.Format
    private var csv = CSVParser(columnCount: RetailRow.columns.count)
    private let rows = RetailRowParser()
    private let size = CommandSize()
    private var lineCount = 0

    /// - Parameters:
    ///   - path: For the errors.
    ///   - format: What the lines are.
    init(path: String, format: OrderFile.Format) {
        self.path = path
        self.format = format
    }

    /// Takes the next line and gives the body what it completes.
    /// - Throws: ``OrderFileError`` when it is the first and not the header, and what the body throws.
    mutating func append(_ line: OrderFile.Line, _ body: (OrderFile.Item) throws -> Void) throws {
        self.lineCount += 1
        switch (line, self.format) {
        case (.text(let bytes), .csv):
            if self.lineCount == 1 { try self.checkHeader(bytes) }
            try self.csv.append(bytes) { [rows = self.rows] in try Self.convert($0, with: rows, body) }
        case (.tooLong, .csv):
            guard self.lineCount > 1 else {
                throw InputError.lineTooLong(path: self.path, line: 1, limit: OrderFile.maximumLineBytes)
            }
            try self.csv.appendUnreadable(reason: Self.tooLong) { [rows = self.rows] in
                try Self.convert($0, with: rows, body)
            }
        case (.text(let bytes), .jsonLines):
            try self.appendJSON(bytes, body)
        case (.tooLong, .jsonLines):
            try body(.malformed(MalformedLine(line: self.lineCount, reason: Self.tooLong)))
        }
    }

    /// Ends the file and gives the body what is left.
    mutating func finish(_ body: (OrderFile.Item) throws -> Void) throws {
        try self.csv.finish { [rows = self.rows] in try Self.convert($0, with: rows, body) }
    }

    private static var tooLong: String { "the line is longer than \(OrderFile.maximumLineBytes.grouped) bytes" }

    // MARK: CSV

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
            try body(.row(row, line: line))
        }
    }

    // MARK: JSON Lines

    private func appendJSON(_ line: ArraySlice<UInt8>, _ body: (OrderFile.Item) throws -> Void) throws {
        let blanks: Set<UInt8> = [UInt8(ascii: " "), UInt8(ascii: "\t"), UInt8(ascii: "\r")]
        if line.allSatisfy(blanks.contains) { return }
        let command: OrderCommand
        do {
            command = try OrderCommand(json: line)
        } catch {
            return try body(.malformed(MalformedLine(line: self.lineCount, reason: error.reason)))
        }
        if let reason = try self.size.complaint(about: command) {
            return try body(.malformed(MalformedLine(line: self.lineCount, reason: reason)))
        }
        try body(.command(command))
    }
}

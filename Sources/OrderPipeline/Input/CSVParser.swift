internal import CommandLineSupport

/// Makes CSV records (RFC 4180) of the lines of a file.
///
/// Fields are separated by commas; a field in double quotes may hold commas, line ends and doubled quotes. Lines may
/// end with a line feed or with a carriage return and a line feed. Empty lines are passed over.
///
/// A line that is not CSV, or does not have the expected number of columns, is malformed, and no other with it: when a
/// quote that should not be there has made it swallow the lines after it, those are read again by themselves.
struct CSVParser {
    /// What lines turn out to be.
    enum Item {
        /// A record, and the number of the line that it begins in.
        case record(CSVRecord, line: Int)
        /// A line that can't be used, and why.
        case malformed(line: Int, reason: String)
    }

    private struct Line {
        var number: Int
        var bytes: ArraySlice<UInt8>
    }

    private enum State {
        case fieldStart
        case unquoted
        case quoted
        /// After a quote in a quoted field: the first of a doubled one, or the field's end.
        case quoteInQuoted
    }

    /// The bytes that a record may have in the file; a quote that is open beyond them counts as never closed.
    ///
    /// No order line comes near it. It bounds what an open quote can hold, and is a part of what a command may be
    /// (``CommandSize``), so that one absurd row does not cost its whole invoice.
    static let maximumRecordBytes = 256 * 1024

    private static let unclosedQuote = "a double quote is never closed"

    private let columnCount: Int
    private var lineCount = 0
    private var record = CSVRecord()
    private var state = State.fieldStart
    /// The lines of the record that is open, in case they must be read again.
    private var open: [Line] = []
    private var openBytes = 0

    /// - Parameter columnCount: How many columns every record has.
    init(columnCount: Int) {
        self.columnCount = columnCount
    }

    /// Takes the next line, without its line feed, and gives the body what it completes.
    mutating func append(_ bytes: ArraySlice<UInt8>, _ body: (Item) throws -> Void) rethrows {
        self.lineCount += 1
        try self.take([Line(number: self.lineCount, bytes: bytes)], body)
    }

    /// Takes the next line, of which nothing is known but that it can't be read.
    mutating func appendUnreadable(reason: String, _ body: (Item) throws -> Void) rethrows {
        // No record goes on through it.
        try self.finish(body)
        self.lineCount += 1
        try body(.malformed(line: self.lineCount, reason: reason))
    }

    /// Ends the file and gives the body what is left.
    mutating func finish(_ body: (Item) throws -> Void) rethrows {
        while let first = self.open.first {
            let rest = self.open.dropFirst()
            self.close()
            try body(.malformed(line: first.number, reason: Self.unclosedQuote))
            try self.take(rest.reversed(), body)
        }
    }

    // MARK: Lines

    /// - Parameter lines: The lines to read, the last one first.
    private mutating func take(_ lines: [Line], _ body: (Item) throws -> Void) rethrows {
        var lines = lines
        while let line = lines.popLast() {
            if self.open.isEmpty {
                guard line.bytes != [], line.bytes != [UInt8(ascii: "\r")] else { continue }
                self.record.removeAll()
                self.state = .fieldStart
            }
            let failure = self.failure(afterReading: line.bytes)
            if failure == nil, self.state == .quoted {
                self.open.append(line)
                self.openBytes += line.bytes.count + 1
                continue
            }
            let first = self.open.first?.number ?? line.number
            if let failure {
                try body(.malformed(line: first, reason: failure))
                if !self.open.isEmpty { lines.append(contentsOf: (self.open.dropFirst() + [line]).reversed()) }
            } else {
                try body(.record(self.record, line: first))
            }
            self.close()
        }
    }

    private mutating func close() {
        self.open.removeAll(keepingCapacity: true)
        self.openBytes = 0
    }

    /// Reads a line into the record.
    /// - Returns: Why the record is malformed; `nil` when it is complete or goes on in the next line.
    private mutating func failure(afterReading line: ArraySlice<UInt8>) -> String? {
        guard self.openBytes + line.count <= Self.maximumRecordBytes else {
            let (count, limit) = (line.count.grouped, Self.maximumRecordBytes.grouped)
            return self.open.isEmpty ? "the row has \(count) bytes, more than \(limit)" : Self.unclosedQuote
        }
        let endsWithReturn = line.last == UInt8(ascii: "\r")
        for byte in endsWithReturn ? line.dropLast() : line {
            switch (self.state, byte) {
            case (.quoted, UInt8(ascii: "\"")):
                self.state = .quoteInQuoted
            case (.quoteInQuoted, UInt8(ascii: "\"")):
                self.record.append(byte)
                self.state = .quoted
            case (.quoted, _):
                self.record.append(byte)
            case (_, UInt8(ascii: ",")):
                self.record.endField()
                self.state = .fieldStart
            case (.fieldStart, UInt8(ascii: "\"")):
                self.state = .quoted
            case (.quoteInQuoted, _):
                return "text after the closing double quote of a field"
            case (_, UInt8(ascii: "\"")):
                return "a double quote inside a field that is not quoted"
            default:
                self.record.append(byte)
                self.state = .unquoted
            }
        }
        if self.state == .quoted {
            // The line end belongs to the field.
            if endsWithReturn { self.record.append(UInt8(ascii: "\r")) }
            self.record.append(UInt8(ascii: "\n"))
            return nil
        }
        self.record.endField()
        return self.record.count == self.columnCount
            ? nil : "\(self.record.count) columns, expected \(self.columnCount)"
    }
}

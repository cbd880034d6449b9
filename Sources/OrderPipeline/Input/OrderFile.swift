internal import CommandLineSupport

/// A file of orders: CSV in the Online Retail layout, or JSON Lines of commands, as it is or packed by xz or gzip.
package struct OrderFile: Sendable {
    /// What the file holds, in its order.
    enum Item {
        /// A row of CSV, and the number of the line that it begins in.
        case row(RetailRow, line: Int)
        /// A line of JSON Lines.
        case command(OrderCommand)
        /// A line that can't be used.
        case malformed(MalformedLine)
    }

    /// A line of the file.
    enum Line {
        /// Without its line feed.
        case text(ArraySlice<UInt8>)
        /// Longer than ``OrderFile/maximumLineBytes``, and passed over.
        case tooLong
    }

    /// The bytes that a line may have.
    static let maximumLineBytes = 16 * 1024 * 1024

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
    /// Where the name does not tell the format, the first character does: a brace begins JSON. A line that is too long is
    /// malformed, and no other with it.
    /// - Throws: `InputError` and ``OrderFileError`` when the file can't be read, and what the body throws.
    func read(_ body: (Item) throws -> Void) async throws {
        try await withLines(of: self.path, lineEnd: .lineFeed, maximumLength: Self.maximumLineBytes) { lines in
            var iterator = lines.makeAsyncIterator()
            guard var line = try await Self.next(&iterator) else { throw OrderFileError.empty(path: self.path) }
            if case .text(let bytes) = line, bytes.starts(with: [0xEF, 0xBB, 0xBF]) {
                line = .text(bytes.dropFirst(3))
            }
            var reader = OrderFileReader(path: self.path, format: self.formatByName ?? Self.format(of: line))
            try reader.append(line, body)
            while let line = try await Self.next(&iterator) {
                try Task.checkCancellation()
                try reader.append(line, body)
            }
            try reader.finish(body)
        }
    }

    private static func next(_ iterator: inout InputLines.Iterator) async throws -> Line? {
        do {
            return try await iterator.next().map(Line.text)
        } catch InputError.lineTooLong {
            return .tooLong
        }
    }

    /// A line that is too long is no header: it can only be a command.
    private static func format(of first: Line) -> Format {
        guard case .text(let bytes) = first else { return .jsonLines }
        let isJSON = bytes.first { $0 != UInt8(ascii: " ") && $0 != UInt8(ascii: "\t") } == UInt8(ascii: "{")
        return isJSON ? .jsonLines : .csv
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
    /// The file has no byte.
    case empty(path: String)
    /// The first line is not the header of the Online Retail layout.
    case notRetail(path: String, found: String)

    package var description: String {
        switch self {
        case .empty(let path):
            "can't read \(InputError.name(path)): it is empty, \(Self.expected)"
        case .notRetail(let path, let found):
            """
            can't read \(InputError.name(path)): its first line is \
            \(found.isEmpty ? "empty" : "\"\(found.withoutControlCharacters)\""), \(Self.expected)
            """
        }
    }

    private static var expected: String {
        "expected the columns \(RetailRow.columns.joined(separator: ",")), or JSON Lines of commands"
    }
}

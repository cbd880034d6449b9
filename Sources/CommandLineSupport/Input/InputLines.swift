/// What ends a line.
package enum LineEnd: Sendable {
    /// A line feed, with the carriage return before it where there is one: text files of every origin.
    case lineFeedOrCarriageReturnLineFeed
    /// A line feed alone; a carriage return before it belongs to the line: data that must stay as it is.
    case lineFeed
}

/// The lines of an input, as bytes without their ends, read on demand.
///
/// It is single-pass: it goes on where the last iterator stopped. A last line without an end counts; the empty rest
/// after the last line end does not. An element shares the memory of the block it was read with: copy what is kept
/// for long.
package struct InputLines: AsyncSequence {
    package typealias Element = ArraySlice<UInt8>
    package typealias Failure = any Error

    private let reader: LineReader

    init(_ source: InputSource, lineEnd: LineEnd, maximumLength: Int) {
        self.reader = LineReader(source, lineEnd: lineEnd, maximumLength: maximumLength)
    }

    /// The input as blocks of bytes instead of lines. Use one or the other.
    package var chunks: InputChunks { InputChunks(source: self.reader.source) }

    /// The lines in batches: each has all lines that are there without waiting, at least one and at most `limit`.
    ///
    /// For work that is cheaper for many lines at once and must not keep the line that somebody just typed.
    package func batches(ofAtMost limit: Int) -> InputLineBatches {
        InputLineBatches(reader: self.reader, limit: Swift.max(1, limit))
    }

    package func makeAsyncIterator() -> Iterator { Iterator(reader: self.reader) }

    /// Reads the lines.
    package struct Iterator: AsyncIteratorProtocol {
        private let reader: LineReader

        init(reader: LineReader) {
            self.reader = reader
        }

        /// The next line, or `nil` at the end.
        /// - Throws: ``InputError``, or `CancellationError` when the task was cancelled while it waited for input. After
        ///   ``InputError/lineTooLong(path:line:limit:)`` the next call goes on with the line after that one.
        package mutating func next() async throws -> ArraySlice<UInt8>? {
            try await self.reader.next()
        }

        package mutating func next(isolation actor: isolated (any Actor)?) async throws -> ArraySlice<UInt8>? {
            try await self.reader.next(isolation: actor)
        }
    }
}

/// The lines of an input, as many at a time as are there.
package struct InputLineBatches: AsyncSequence {
    package typealias Element = [ArraySlice<UInt8>]
    package typealias Failure = any Error

    let reader: LineReader
    let limit: Int

    package func makeAsyncIterator() -> Iterator { Iterator(reader: self.reader, limit: self.limit) }

    /// Reads the batches.
    package struct Iterator: AsyncIteratorProtocol {
        let reader: LineReader
        let limit: Int

        /// The next lines, or `nil` at the end.
        /// - Throws: As ``InputLines/Iterator/next()``; the lines before an error were handed out.
        package mutating func next() async throws -> [ArraySlice<UInt8>]? {
            try await self.reader.nextBatch(ofAtMost: self.limit)
        }
    }
}

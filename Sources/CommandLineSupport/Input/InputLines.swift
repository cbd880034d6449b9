#if canImport(Glibc)
internal import Glibc
#elseif canImport(Darwin)
internal import Darwin
#endif

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

    package func makeAsyncIterator() -> Iterator { Iterator(reader: self.reader) }

    /// Reads the lines.
    package struct Iterator: AsyncIteratorProtocol {
        private let reader: LineReader

        fileprivate init(reader: LineReader) {
            self.reader = reader
        }

        /// The next line, or `nil` at the end.
        /// - Throws: ``InputError``, or `CancellationError` when the task was cancelled while it waited for input.
        package mutating func next() async throws -> ArraySlice<UInt8>? {
            try await self.reader.next()
        }

        package mutating func next(isolation actor: isolated (any Actor)?) async throws -> ArraySlice<UInt8>? {
            try await self.reader.next(isolation: actor)
        }
    }
}

/// The blocks of an input as they are read; for those who split it themselves.
package struct InputChunks: AsyncSequence {
    package typealias Element = [UInt8]
    package typealias Failure = any Error

    let source: InputSource

    package func makeAsyncIterator() -> Iterator { Iterator(source: self.source) }

    /// Reads the blocks.
    package struct Iterator: AsyncIteratorProtocol {
        let source: InputSource

        /// The next block, never empty, or `nil` at the end.
        /// - Throws: ``InputError``, or `CancellationError` when the task was cancelled while it waited for input.
        package mutating func next() async throws -> [UInt8]? {
            try await self.source.nextChunk()
        }
    }
}

/// Cuts blocks into lines.
///
/// A class, so that a second iterator over the same lines goes on after the first. Not `Sendable`: one task reads.
private final class LineReader {
    let source: InputSource
    private let lineEnd: LineEnd
    private let maximumLength: Int
    private var buffer: [UInt8] = []
    /// Where the next line begins.
    private var start = 0
    /// Up to where no line feed was found.
    private var searched = 0
    private var line = 0
    private var isAtEnd = false

    init(_ source: InputSource, lineEnd: LineEnd, maximumLength: Int) {
        self.source = source
        self.lineEnd = lineEnd
        self.maximumLength = maximumLength
    }

    func next(isolation: isolated (any Actor)? = #isolation) async throws -> ArraySlice<UInt8>? {
        while true {
            if let end = self.endOfLine() {
                let found = self.start..<end
                self.start = end + 1
                self.searched = end + 1
                return try self.checked(self.buffer[found])
            }
            self.searched = self.buffer.count
            if self.isAtEnd {
                guard self.start < self.buffer.count else { return nil }
                let rest = self.buffer[self.start...]
                self.start = self.buffer.count
                return try self.checked(rest)
            }
            try await self.refill()
        }
    }

    private func refill(isolation: isolated (any Actor)? = #isolation) async throws {
        // Two bytes more than allowed: the line end itself may still come.
        guard self.buffer.count - self.start <= self.maximumLength + 1 else { throw self.tooLong(self.line + 1) }
        guard let chunk = try await self.source.nextChunk() else {
            self.isAtEnd = true
            return
        }
        if self.start == self.buffer.count {
            self.buffer = chunk
        } else {
            // The lines handed out may share the old buffer: only what is left of it moves on.
            if self.start > 0 { self.buffer = Array(self.buffer[self.start...]) }
            self.buffer.append(contentsOf: chunk)
        }
        self.searched -= self.start
        self.start = 0
    }

    private func endOfLine() -> Int? {
        self.buffer.withUnsafeBytes { bytes in
            guard let base = bytes.baseAddress, self.searched < bytes.count else { return nil }
            let from = base + self.searched
            guard let found = memchr(from, Int32(UInt8(ascii: "\n")), bytes.count - self.searched) else { return nil }
            return base.distance(to: UnsafeRawPointer(found))
        }
    }

    private func checked(_ slice: ArraySlice<UInt8>) throws -> ArraySlice<UInt8> {
        self.line += 1
        let strips = self.lineEnd == .lineFeedOrCarriageReturnLineFeed && slice.last == UInt8(ascii: "\r")
        let text = strips ? slice.dropLast() : slice
        guard text.count <= self.maximumLength else { throw self.tooLong(self.line) }
        return text
    }

    private func tooLong(_ line: Int) -> InputError {
        .lineTooLong(path: self.source.path, line: line, limit: self.maximumLength)
    }
}

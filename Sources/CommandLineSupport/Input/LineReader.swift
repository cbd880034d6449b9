#if canImport(Glibc)
internal import Glibc
#elseif canImport(Darwin)
internal import Darwin
#endif

/// Cuts blocks into lines.
///
/// A class, so that a second iterator over the same lines goes on after the first. Not `Sendable`: one task reads.
final class LineReader {
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
    /// Whether what comes up to the next line end belongs to a line that was too long.
    private var isSkipping = false

    init(_ source: InputSource, lineEnd: LineEnd, maximumLength: Int) {
        self.source = source
        self.lineEnd = lineEnd
        self.maximumLength = maximumLength
    }

    func next(isolation: isolated (any Actor)? = #isolation) async throws -> ArraySlice<UInt8>? {
        while true {
            if let end = self.endOfLine() {
                if self.isSkipping {
                    self.isSkipping = false
                    self.start = end + 1
                    self.searched = end + 1
                    continue
                }
                return try self.take(upTo: end)
            }
            self.searched = self.buffer.count
            if self.isSkipping { self.dropBuffer() }
            if self.isAtEnd {
                guard self.start < self.buffer.count else { return nil }
                let rest = self.buffer[self.start...]
                self.start = self.buffer.count
                return try self.checked(rest)
            }
            try await self.refill()
        }
    }

    /// The lines that are there, at least one; `nil` at the end.
    func nextBatch(
        ofAtMost limit: Int,
        isolation: isolated (any Actor)? = #isolation
    ) async throws -> [ArraySlice<UInt8>]? {
        guard let first = try await self.next() else { return nil }
        var lines = [first]
        // A line that is too long stays for the next call, whose error must not swallow the lines before it.
        while lines.count < limit, let end = self.endOfLine(), end - self.start <= self.maximumLength {
            lines.append(try self.take(upTo: end))
        }
        return lines
    }

    private func refill(isolation: isolated (any Actor)? = #isolation) async throws {
        // Two bytes more than allowed: the line end itself may still come.
        guard self.buffer.count - self.start <= self.maximumLength + 1 else {
            // The rest of the line is passed over block by block: a line may be longer than memory.
            self.isSkipping = true
            self.dropBuffer()
            self.line += 1
            throw self.tooLong(self.line)
        }
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

    private func dropBuffer() {
        self.buffer = []
        self.start = 0
        self.searched = 0
    }

    private func endOfLine() -> Int? {
        self.buffer.withUnsafeBytes { bytes in
            guard let base = bytes.baseAddress, self.searched < bytes.count else { return nil }
            let from = base + self.searched
            guard let found = memchr(from, Int32(UInt8(ascii: "\n")), bytes.count - self.searched) else { return nil }
            return base.distance(to: UnsafeRawPointer(found))
        }
    }

    private func take(upTo end: Int) throws -> ArraySlice<UInt8> {
        let found = self.start..<end
        self.start = end + 1
        self.searched = end + 1
        return try self.checked(self.buffer[found])
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

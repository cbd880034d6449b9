import Foundation
import Testing

@testable import CommandLineSupport

@Suite(.timeLimit(.minutes(1)))
struct InputLinesTests {
    private func lines(
        of path: String,
        lineEnd: LineEnd = .lineFeedOrCarriageReturnLineFeed,
        maximumLength: Int = 1024
    ) async throws -> [String] {
        try await withLines(of: path, lineEnd: lineEnd, maximumLength: maximumLength) { lines in
            var found: [String] = []
            for try await line in lines { found.append(String(decoding: line, as: UTF8.self)) }
            return found
        }
    }

    @Test(
        arguments: [
            ("", []),
            ("\n", [""]),
            ("a", ["a"]),
            ("a\n", ["a"]),
            ("a\n\nb", ["a", "", "b"]),
            ("a\r\nb\rc\r\n", ["a", "b\rc"]),
            ("\r", [""]),
        ] as [(String, [String])]
    )
    func `a text is cut at its line ends`(text: String, expected: [String]) async throws {
        try await withTemporaryDirectory { directory in
            let path = try "input".written(text.utf8, in: directory)
            #expect(try await self.lines(of: path) == expected)
        }
    }

    @Test func `a carriage return stays where only a line feed ends a line`() async throws {
        try await withTemporaryDirectory { directory in
            let path = try "input".written("a\r\nb\r".utf8, in: directory)
            #expect(try await self.lines(of: path, lineEnd: .lineFeed) == ["a\r", "b\r"])
        }
    }

    @Test func `lines that span the blocks they are read in arrive whole`() async throws {
        // Lengths from nothing to beyond one block, so that line ends fall everywhere in a block.
        let expected =
            (0..<400).map { String(repeating: Character(UnicodeScalar(97 + UInt8($0 % 26))), count: $0 * 17) }
            + [String(repeating: "x", count: 600_000), "last"]
        try await withTemporaryDirectory { directory in
            let path = try "input".written(expected.joined(separator: "\n").utf8, in: directory)
            let found = try await self.lines(of: path, maximumLength: 1 << 20)
            #expect(found == expected)
        }
    }

    @Test func `a second loop goes on where the first one stopped`() async throws {
        try await withTemporaryDirectory { directory in
            let path = try "input".written("a\nb\nc\n".utf8, in: directory)
            try await withLines(of: path) { lines in
                for try await line in lines {
                    #expect(Array(line) == Array("a".utf8))
                    break
                }
                var rest: [String] = []
                for try await line in lines { rest.append(String(decoding: line, as: UTF8.self)) }
                #expect(rest == ["b", "c"])
            }
        }
    }

    @Test func `batches have what is there, up to their limit, and lose none around a line that is too long`()
        async throws
    {
        try await withTemporaryDirectory { directory in
            let path = try "input".written("a\nb\nc\nd\n\(String(repeating: "x", count: 2000))\ne".utf8, in: directory)
            try await withLines(of: path, maximumLength: 1024) { lines in
                var batches = lines.batches(ofAtMost: 3).makeAsyncIterator()
                let first = try await batches.next()
                #expect(first?.map { String(decoding: $0, as: UTF8.self) } == ["a", "b", "c"])
                let second = try await batches.next()
                #expect(second?.map { String(decoding: $0, as: UTF8.self) } == ["d"])
                await #expect(throws: InputError.lineTooLong(path: path, line: 5, limit: 1024)) {
                    try await batches.next()
                }
                let third = try await batches.next()
                #expect(third?.map { String(decoding: $0, as: UTF8.self) } == ["e"])
                #expect(try await batches.next() == nil)
            }
        }
    }

    @Test func `a line of the greatest length is read and one byte more is an error with its number`() async throws {
        try await withTemporaryDirectory { directory in
            let fits = String(repeating: "x", count: 1024)
            let good = try "good".written("a\n\(fits)\r\n\(fits)".utf8, in: directory)
            #expect(try await self.lines(of: good) == ["a", fits, fits])
            let bad = try "bad".written("a\n\(fits)y\n".utf8, in: directory)
            await #expect(throws: InputError.lineTooLong(path: bad, line: 2, limit: 1024)) {
                try await self.lines(of: bad)
            }
        }
    }

    @Test(arguments: [1025, 1026, 1027, 5_000, 700_000])
    func `after a line that is too long the next one is read, and its number is right`(length: Int) async throws {
        let long = String(repeating: "x", count: length)
        for lineEnd in ["\n", "\r\n"] {
            try await withTemporaryDirectory { directory in
                let text = ["a", long, "b", long, long, "", "c", long].joined(separator: lineEnd)
                let path = try "input".written(text.utf8, in: directory)
                let found = try await withLines(of: path, maximumLength: 1024) { lines in
                    var found: [String] = []
                    var iterator = lines.makeAsyncIterator()
                    while true {
                        do {
                            guard let line = try await iterator.next() else { return found }
                            found.append(String(decoding: line, as: UTF8.self))
                        } catch InputError.lineTooLong(_, let line, _) {
                            found.append("too long: \(line)")
                        }
                    }
                }
                let expected = ["a", "too long: 2", "b", "too long: 4", "too long: 5", "", "c", "too long: 8"]
                #expect(found == expected)
            }
        }
    }

    @Test func `an endless line ends with an error in bounded memory`() async throws {
        await #expect(throws: InputError.lineTooLong(path: "/dev/zero", line: 1, limit: 1 << 20)) {
            try await self.lines(of: "/dev/zero", maximumLength: 1 << 20)
        }
    }

    @Test func `what can't be opened is said with its path and the reason`() async throws {
        try await withTemporaryDirectory { directory in
            await #expect(throws: InputError.cannotRead(path: directory, reason: "it is a directory")) {
                try await self.lines(of: directory)
            }
            for name in ["missing", "missing.xz", "missing.gz"] {
                let path = "\(directory)/\(name)"
                let error = await #expect(throws: InputError.self) { try await self.lines(of: path) }
                #expect(error?.description == "can't read \(path): No such file or directory")
            }
        }
    }

    @Test func `the blocks of an input are all of its bytes`() async throws {
        let bytes = (0..<700_000).map { UInt8(truncatingIfNeeded: $0 &* 31) }
        try await withTemporaryDirectory { directory in
            let path = try "input".written(bytes, in: directory)
            let found = try await withLines(of: path) { lines in
                try await lines.chunks.reduce(into: [UInt8]()) { $0 += $1 }
            }
            #expect(found == bytes)
        }
    }

    @Test func `a reader that waits for a pipe is woken by cancellation`() async throws {
        try await withTemporaryDirectory { directory in
            let path = "\(directory)/pipe"
            try #require(mkfifo(path, 0o600) == 0)
            let writer = open(path, O_RDWR)
            defer { close(writer) }
            let (started, signal) = AsyncStream.makeStream(of: Void.self)
            let task = Task {
                try await withLines(of: path) { lines in
                    var count = 0
                    for try await _ in lines {
                        count += 1
                        signal.finish()
                    }
                    return count
                }
            }
            // The first line arrives although the pipe stays open, and the second never comes.
            #expect(write(writer, "a\n", 2) == 2)
            for await _ in started {}
            task.cancel()
            await #expect(throws: CancellationError.self) { try await task.value }
        }
    }
}

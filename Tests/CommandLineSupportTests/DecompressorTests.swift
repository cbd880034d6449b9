import Foundation
import Subprocess
import Testing

@testable import CommandLineSupport

@Suite(.timeLimit(.minutes(1)))
struct DecompressorTests {
    private static let text = (0..<100_000).map { "line \($0)" }.joined(separator: "\n")

    /// Compresses with the tool itself; the result is what users have.
    private func compressed(_ name: String, with tool: String, in directory: String) async throws -> String {
        let plain = try "plain".written(Self.text.utf8, in: directory)
        let result = try await run(
            .name(tool),
            arguments: ["-c", plain],
            output: .bytes(limit: 16 << 20),
            error: .discarded
        )
        try #require(result.terminationStatus.isSuccess)
        return try name.written(result.standardOutput, in: directory)
    }

    @Test(arguments: [("a file.xz", "xz"), ("-file.gz", "gzip")])
    func `a compressed file reads as its content`(name: String, tool: String) async throws {
        try await withTemporaryDirectory { directory in
            let path = try await self.compressed(name, with: tool, in: directory)
            let count = try await withLines(of: path) { lines in
                var count = 0
                for try await line in lines {
                    #expect(line.elementsEqual("line \(count)".utf8))
                    count += 1
                }
                return count
            }
            #expect(count == 100_000)
        }
    }

    @Test(arguments: [("cut.xz", "xz", "Unexpected end of input"), ("cut.gz", "gzip", "unexpected end of file")])
    func `a damaged file ends with what the tool said`(name: String, tool: String, reason: String) async throws {
        try await withTemporaryDirectory { directory in
            let whole = try await self.compressed("whole", with: tool, in: directory)
            let bytes = try Data(contentsOf: URL(filePath: whole))
            let path = try name.written(bytes.prefix(bytes.count / 2), in: directory)
            let error = await #expect(throws: InputError.self) {
                try await withLines(of: path) { lines in
                    for try await _ in lines {}
                    // The error must come from the reading itself, before somebody takes the half for the whole.
                    Issue.record("the lines ended without an error")
                }
            }
            #expect(error?.description.hasPrefix("can't read \(path): ") == true)
            #expect(error?.description.contains(reason) == true)
        }
    }

    @Test func `leaving early ends the tool without an error`() async throws {
        try await withTemporaryDirectory { directory in
            let path = try await self.compressed("whole.xz", with: "xz", in: directory)
            let first = try await withLines(of: path) { lines in
                for try await line in lines { return String(decoding: line, as: UTF8.self) }
                return ""
            }
            #expect(first == "line 0")
        }
    }
}

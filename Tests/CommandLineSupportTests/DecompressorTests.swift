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

    @Test(arguments: [("a file.xz", "xz"), ("-file.gz", "gzip"), ("xz without a name", "xz"), ("orders.csv", "gzip")])
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

    @Test(
        arguments: [
            ("cut.xz", "xz", "Unexpected end of input"), ("cut.gz", "gzip", "unexpected end of file"),
            ("cut", "gzip", "unexpected end of file"),
        ]
    )
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

    @Test func `what comes byte by byte through a pipe is recognised`() async throws {
        try await withTemporaryDirectory { directory in
            let file = try await self.compressed("packed", with: "gzip", in: directory)
            let packed = try Array(Data(contentsOf: URL(filePath: file)))
            let path = "\(directory)/pipe"
            try #require(mkfifo(path, 0o600) == 0)
            // Opened for reading as well: that waits for no reader.
            let descriptor = open(path, O_RDWR)
            let writer = Task.detached {
                for byte in packed.prefix(10) { _ = withUnsafeBytes(of: byte) { write(descriptor, $0.baseAddress, 1) } }
                _ = packed.dropFirst(10).withUnsafeBytes { write(descriptor, $0.baseAddress, $0.count) }
                close(descriptor)
            }
            let count = try await withLines(of: path) { lines in
                var count = 0
                for try await line in lines {
                    #expect(line.elementsEqual("line \(count)".utf8))
                    count += 1
                }
                return count
            }
            #expect(count == 100_000)
            await writer.value
        }
    }

    @Test(
        arguments: [
            ("zstd", [0x28, 0xB5, 0x2F, 0xFD, 0x24]), ("zip", Array("PK\u{3}\u{4}\u{14}".utf8)),
            ("bzip2", Array("BZh91AY&SY".utf8)), ("7z", [0x37, 0x7A, 0xBC, 0xAF, 0x27, 0x1C, 0]),
            ("lz4", [0x04, 0x22, 0x4D, 0x18]),
        ] as [(String, [UInt8])]
    )
    func `what can't be unpacked here is said by its name`(name: String, bytes: [UInt8]) async throws {
        try await withTemporaryDirectory { directory in
            let path = try "orders.csv".written(bytes, in: directory)
            let reason = "it is packed by \(name); unpack it first"
            await #expect(throws: InputError.cannotRead(path: path, reason: reason)) {
                try await withLines(of: path) { lines in for try await _ in lines {} }
            }
        }
    }

    @Test(arguments: ["B", "BZ", "BZh9", "PK", "7z", "P\nK", "\u{1}"])
    func `text that begins like something packed stays what it is`(text: String) async throws {
        try await withTemporaryDirectory { directory in
            let path = try "input".written(text.utf8, in: directory)
            let found = try await withLines(of: path) { lines in
                try await lines.chunks.reduce(into: [UInt8]()) { $0 += $1 }
            }
            #expect(found == Array(text.utf8))
        }
    }

    @Test func `only bytes that may become a signature wait for more`() {
        #expect(Packing(beginning: []) == nil)
        #expect(Packing(beginning: Array("BZh9".utf8)) == nil)
        #expect(Packing(beginning: Array("B\n".utf8)) == Packing.none)
        #expect(Packing(beginning: [0x1F]) == nil)
        #expect(Packing(beginning: [0x1F, 0x8B]) == .unpackable(.gzip))
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

import Foundation
import TestSupport
import Testing

@testable import CommandLineSupport

/// Closes both ends of a pipe that are still open.
private final class Pipe: Sendable {
    let readEnd: Int32
    let writeEnd: Int32

    init() throws {
        var ends: [Int32] = [0, 0]
        try #require(pipe(&ends) == 0)
        // Processes that other tests start must not keep an end open.
        for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
        (self.readEnd, self.writeEnd) = (ends[0], ends[1])
    }
}

@Suite(.timeLimit(.minutes(1)))
struct StandardOutputTests {
    init() {
        _ = signal(SIGPIPE, SIG_IGN)
    }

    @Test func `more than a pipe holds arrives whole and in order`() async throws {
        let pipe = try Pipe()
        let expected = (0..<50_000).map { "record \($0)\n" }.joined()
        async let written: Void = {
            let output = StandardOutput(rawDescriptor: pipe.writeEnd)
            for index in 0..<50_000 { try await output.write("record \(index)\n") }
            try await output.flush()
            close(pipe.writeEnd)
        }()
        let found = try await withLines(of: "/dev/fd/\(pipe.readEnd)") { lines in
            try await lines.chunks.reduce(into: [UInt8]()) { $0 += $1 }
        }
        close(pipe.readEnd)
        try await written
        #expect(String(decoding: found, as: UTF8.self) == expected)
    }

    @Test func `a reader that has gone is the error closed, and stays it`() async throws {
        let pipe = try Pipe()
        close(pipe.readEnd)
        let output = StandardOutput(rawDescriptor: pipe.writeEnd)
        // A process that another test starts just now has the other end for a moment, too.
        try await eventually("the reader has gone") {
            try await output.write("text")
            do {
                try await output.flush()
                return false
            } catch OutputError.closed {
                return true
            }
        }
        await #expect(throws: OutputError.closed) { try await output.write("more") }
        await #expect(throws: OutputError.closed) { try await output.flush() }
        close(pipe.writeEnd)
    }

    @Test func `a full disk is said with its reason`() async throws {
        let descriptor = open("/dev/full", O_WRONLY)
        defer { close(descriptor) }
        let output = StandardOutput(rawDescriptor: descriptor)
        try await output.write("text")
        await #expect(throws: OutputError.failed("No space left on device")) { try await output.flush() }
    }

    @Test func `cancelling ends a write that nobody reads`() async throws {
        let pipe = try Pipe()
        let task = Task {
            let output = StandardOutput(rawDescriptor: pipe.writeEnd)
            while true { try await output.write(String(repeating: "x", count: 10_000)) }
        }
        task.cancel()
        await #expect(throws: CancellationError.self) { try await task.value }
        close(pipe.readEnd)
        close(pipe.writeEnd)
    }
}

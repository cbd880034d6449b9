internal import Synchronization

#if canImport(System)
internal import System
#else
internal import SystemPackage
#endif

/// Buffered standard output for data.
///
/// Text is collected and written in blocks on a thread of its own, so that a slow reader (a pager, a full pipe)
/// suspends the writing task and blocks no concurrency thread. What is written appears in the order of the calls.
/// Call ``flush()`` where somebody waits for a line; the command runner flushes at the end.
package final class StandardOutput: Sendable {
    /// The process's standard output.
    package static let shared = StandardOutput(rawDescriptor: FileDescriptor.standardOutput.rawValue)

    private static let blockSize = 64 * 1024

    private struct State {
        var buffer: [UInt8] = []
        var failure: OutputError?
    }

    private let port: DescriptorPort
    private let state = Mutex(State())

    /// Wraps a descriptor, which stays the caller's to close.
    package init(rawDescriptor: Int32) {
        self.port = DescriptorPort(FileDescriptor(rawValue: rawDescriptor), label: "kstream.output")
    }

    /// Appends text; returns at once unless a block is full.
    /// - Throws: ``OutputError/closed`` once the reader has gone away, or why a write failed.
    package func write(_ text: String) async throws {
        try await self.write(bytes: text.utf8)
    }

    /// Appends bytes; returns at once unless a block is full.
    /// - Throws: ``OutputError/closed`` once the reader has gone away, or why a write failed.
    package func write(bytes: some Collection<UInt8>) async throws {
        let isFull = try self.state.withLock { state in
            if let failure = state.failure { throw failure }
            state.buffer.append(contentsOf: bytes)
            return state.buffer.count >= Self.blockSize
        }
        if isFull { try await self.flush() }
    }

    /// Writes out what is collected.
    ///
    /// In a cancelled task it waits for the reader no longer than a second, so that an interrupt ends the program.
    /// - Throws: ``OutputError/closed`` once the reader has gone away, or why a write failed.
    package func flush() async throws {
        do {
            try await self.port.write {
                try self.state.withLock { state in
                    if let failure = state.failure { throw failure }
                    return exchange(&state.buffer, with: [])
                }
            }
        } catch let error as Errno {
            let failure: OutputError = error == .brokenPipe ? .closed : .failed("\(error)")
            self.state.withLock { $0.failure = failure }
            throw failure
        }
    }
}

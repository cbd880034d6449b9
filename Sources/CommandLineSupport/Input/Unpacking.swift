#if canImport(System)
internal import System
#else
internal import SystemPackage
#endif
#if canImport(Glibc)
internal import Glibc
#elseif canImport(Darwin)
internal import Darwin
#endif

/// An input on its way through the tool that unpacks it.
///
/// The tool gets the input through a pipe, and not by its name: standard input has none, and the bytes by which the
/// packing was recognised are read already.
final class Unpacking: Sendable {
    private static let chunkSize = 256 * 1024

    private let path: String
    private let port: DescriptorPort
    private let task: Task<Void, any Error>

    /// Starts the tool.
    /// - Parameters:
    ///   - path: What the input is called.
    ///   - tool: What unpacks it.
    ///   - beginning: The bytes that are read already.
    ///   - next: Reads the bytes after them; `nil` at the end.
    /// - Throws: ``InputError`` when there is no pipe to be had.
    init(
        path: String,
        tool: Decompressor,
        beginning: [UInt8],
        _ next: @escaping @Sendable () async throws -> [UInt8]?
    ) throws {
        let packed = try Self.pipe(path: path)
        let unpacked = try Self.pipe(path: path)
        // A tool that ends early must arrive as an error of `write`, also outside of ``CommandRunner``.
        _ = signal(SIGPIPE, SIG_IGN)
        self.path = path
        self.port = DescriptorPort(unpacked.readEnd, label: "kstream.unpacked")
        self.task = Task {
            // Closed after the tool has ended: the end of the input then means that its exit status is known.
            // Nothing is lost when closing fails, since a pipe keeps nothing back.
            defer { try? unpacked.writeEnd.close() }
            try await withThrowingTaskGroup(of: Void.self) { tasks in
                tasks.addTask {
                    try await Self.feed(DescriptorPort(packed.writeEnd, label: "kstream.packed"), beginning, next)
                }
                tasks.addTask { try await tool.run(path: path, input: packed.readEnd, output: unpacked.writeEnd) }
                // The first error ends the other: a tool that failed needs no input, and without input there is no end.
                try await tasks.waitForAll()
            }
        }
    }

    private static func pipe(path: String) throws -> (readEnd: FileDescriptor, writeEnd: FileDescriptor) {
        do {
            let ends = try FileDescriptor.pipe()
            _ = fcntl(ends.readEnd.rawValue, F_SETFD, FD_CLOEXEC)
            _ = fcntl(ends.writeEnd.rawValue, F_SETFD, FD_CLOEXEC)
            return ends
        } catch let error as Errno {
            throw InputError.cannotRead(path: path, reason: "\(error)")
        }
    }

    private static func feed(
        _ port: DescriptorPort,
        _ beginning: [UInt8],
        _ next: @Sendable () async throws -> [UInt8]?
    ) async throws {
        do {
            var chunk: [UInt8]? = beginning
            while let bytes = chunk {
                try await port.write { bytes }
                chunk = try await next()
            }
            await port.close()
        } catch Errno.brokenPipe {
            // The tool wants no more; whether that is right, its exit status says.
            await port.close()
        } catch {
            await port.close()
            throw error
        }
    }

    /// The next bytes of what the tool wrote, `nil` at the end.
    func nextChunk() async throws -> [UInt8]? {
        do {
            let chunk = try await self.port.read(upTo: Self.chunkSize)
            if !chunk.isEmpty { return chunk }
        } catch let error as Errno {
            throw InputError.cannotRead(path: self.path, reason: "\(error)")
        }
        try await self.task.value
        return nil
    }

    /// Ends the tool, and returns when it has ended.
    func close() async {
        self.task.cancel()
        await self.port.close()
        _ = await self.task.result
    }
}

internal import Synchronization

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

/// Gives the lines of a file, of standard input or of a compressed file to the body.
///
/// Input is read as the body asks for it, in bounded memory and without blocking a concurrency thread. Names that end
/// in `.xz` and `.gz` are read through `xz -dc` and `gzip -dc`; when the tool is missing or fails, the lines end with
/// an ``InputError`` that carries what it wrote to standard error.
///
/// ```swift
/// try await withLines(of: "orders.csv.xz") { lines in
///     for try await line in lines { ... }
/// }
/// ```
/// - Parameters:
///   - path: A file's path, or `-` for standard input.
///   - lineEnd: What ends a line.
///   - maximumLength: The bytes that a line may have; beyond them the lines end with an error.
///   - body: Reads the lines; they are not to be used after it has returned.
/// - Returns: What the body returns.
/// - Throws: ``InputError`` when the input can't be opened, and what the body throws.
package func withLines<Result>(
    of path: String,
    lineEnd: LineEnd = .lineFeedOrCarriageReturnLineFeed,
    maximumLength: Int = 16 * 1024 * 1024,
    _ body: (InputLines) async throws -> Result
) async throws -> Result {
    let source = try await InputSource.open(path)
    let result: Result
    do {
        result = try await body(InputLines(source, lineEnd: lineEnd, maximumLength: maximumLength))
    } catch {
        await source.close()
        throw error
    }
    await source.close()
    return result
}

/// An open input: a descriptor, and the tool that feeds it where there is one.
final class InputSource: Sendable {
    private static let chunkSize = 256 * 1024

    let path: String
    private let port: DescriptorPort
    private let decompressor: Task<Void, any Error>?
    private let ownsDescriptor: Bool
    private let isClosed = Mutex(false)

    private init(
        path: String,
        descriptor: FileDescriptor,
        decompressor: Task<Void, any Error>? = nil,
        ownsDescriptor: Bool = true
    ) {
        self.path = path
        self.port = DescriptorPort(descriptor, label: "kstream.input")
        self.decompressor = decompressor
        self.ownsDescriptor = ownsDescriptor
    }

    static func open(_ path: String) async throws -> InputSource {
        if path == "-" { return InputSource(path: path, descriptor: .standardInput, ownsDescriptor: false) }
        let descriptor = try self.openFile(path)
        guard let tool = Decompressor(forPath: path) else { return InputSource(path: path, descriptor: descriptor) }
        // Opened only to say in one voice that a file is missing or not readable: the tool opens it itself.
        try? descriptor.close()
        do {
            let ends = try FileDescriptor.pipe()
            _ = fcntl(ends.readEnd.rawValue, F_SETFD, FD_CLOEXEC)
            _ = fcntl(ends.writeEnd.rawValue, F_SETFD, FD_CLOEXEC)
            let task = Task {
                // Closed after the tool has ended: the end of the input then means that its exit status is known.
                defer { try? ends.writeEnd.close() }
                try await tool.run(path: path, output: ends.writeEnd)
            }
            return InputSource(path: path, descriptor: ends.readEnd, decompressor: task)
        } catch let error as Errno {
            throw InputError.cannotRead(path: path, reason: "\(error)")
        }
    }

    /// Without waiting for the writer of a named pipe, which `open` would do on the calling thread.
    private static func openFile(_ path: String) throws -> FileDescriptor {
        do {
            let descriptor = try FileDescriptor.open(path, .readOnly, options: [.closeOnExec, .nonBlocking])
            var information = stat()
            if fstat(descriptor.rawValue, &information) == 0, information.st_mode & S_IFMT == S_IFDIR {
                try? descriptor.close()
                throw InputError.cannotRead(path: path, reason: "it is a directory")
            }
            return descriptor
        } catch let error as Errno {
            throw InputError.cannotRead(path: path, reason: "\(error)")
        }
    }

    /// The next bytes, `nil` at the end.
    func nextChunk() async throws -> [UInt8]? {
        guard !self.isClosed.withLock({ $0 }) else {
            throw InputError.cannotRead(path: self.path, reason: "it is closed already")
        }
        do {
            let chunk = try await self.port.read(upTo: Self.chunkSize)
            if !chunk.isEmpty { return chunk }
        } catch let error as Errno {
            throw InputError.cannotRead(path: self.path, reason: "\(error)")
        }
        try await self.decompressor?.value
        return nil
    }

    /// Closes the descriptor and ends the tool, whether or not all was read.
    func close() async {
        let wasClosed = self.isClosed.withLock { exchange(&$0, with: true) }
        guard !wasClosed else { return }
        self.decompressor?.cancel()
        if self.ownsDescriptor { await self.port.close() }
        _ = await self.decompressor?.result
    }
}

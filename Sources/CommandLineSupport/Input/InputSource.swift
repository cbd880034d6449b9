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
/// Input is read as the body asks for it, in bounded memory and without blocking a concurrency thread. What is packed by
/// xz or gzip, as its name or its first bytes say, is read through `xz -dc` or `gzip -dc`; when the tool is missing or
/// fails, the lines end with an ``InputError`` that carries what it wrote to standard error. So do they for what is packed
/// by anything else that is known.
///
/// ```swift
/// try await withLines(of: "orders.csv.xz") { lines in
///     for try await line in lines { ... }
/// }
/// ```
/// - Parameters:
///   - path: A file's path, or `-` for standard input.
///   - lineEnd: What ends a line.
///   - maximumLength: The bytes that a line may have. A longer one is an error, after which an iterator goes on with the
///     next line; it is never held in memory.
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

/// An open input: a descriptor, and the tool that unpacks it where there is one.
final class InputSource: Sendable {
    private static let chunkSize = 256 * 1024

    private struct State {
        /// `nil` until the first bytes have said how the input is packed.
        var stage: Stage?
        var isClosed = false
    }

    private enum Stage {
        case plain
        case unpacked(Unpacking)
    }

    let path: String
    private let port: DescriptorPort
    private let ownsDescriptor: Bool
    private let state: Mutex<State>

    private init(path: String, descriptor: FileDescriptor, ownsDescriptor: Bool = true) {
        self.path = path
        self.port = DescriptorPort(descriptor, label: "kstream.input")
        self.ownsDescriptor = ownsDescriptor
        self.state = Mutex(State())
    }

    static func open(_ path: String) async throws -> InputSource {
        if path == "-" { return InputSource(path: path, descriptor: .standardInput, ownsDescriptor: false) }
        let source = InputSource(path: path, descriptor: try self.openFile(path))
        // A name that says how the file is packed is believed: where it is wrong, the tool says so.
        if let tool = Decompressor.named(by: path) {
            do {
                try source.unpack(with: tool, beginning: [])
            } catch {
                await source.close()
                throw error
            }
        }
        return source
    }

    /// Without waiting for the writer of a named pipe, which `open` would do on the calling thread.
    private static func openFile(_ path: String) throws -> FileDescriptor {
        do {
            let descriptor = try FileDescriptor.open(path, .readOnly, options: [.closeOnExec, .nonBlocking])
            var information = stat()
            if fstat(descriptor.rawValue, &information) == 0, information.st_mode & S_IFMT == S_IFDIR {
                // Nothing was written through it: there is nothing that closing could fail to do.
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
        let (stage, isClosed) = self.state.withLock { ($0.stage, $0.isClosed) }
        guard !isClosed else { throw InputError.cannotRead(path: self.path, reason: "it is closed already") }
        switch stage {
        case .plain: return try await self.read()
        case .unpacked(let unpacking): return try await unpacking.nextChunk()
        case nil: return try await self.firstChunk()
        }
    }

    /// Reads until the bytes say how the input is packed.
    private func firstChunk() async throws -> [UInt8]? {
        var beginning: [UInt8] = []
        var packing = Packing(beginning: beginning)
        while packing == nil, let chunk = try await self.read() {
            beginning += chunk
            packing = Packing(beginning: beginning)
        }
        switch packing {
        case .unpackable(let tool):
            try self.unpack(with: tool, beginning: beginning)
            return try await self.nextChunk()
        case .foreign(let name):
            throw InputError.cannotRead(path: self.path, reason: "it is packed by \(name); unpack it first")
        case .some(.none), nil:
            self.state.withLock { $0.stage = .plain }
            return beginning.isEmpty ? nil : beginning
        }
    }

    private func read() async throws -> [UInt8]? {
        do {
            let chunk = try await self.port.read(upTo: Self.chunkSize)
            return chunk.isEmpty ? nil : chunk
        } catch let error as Errno {
            throw InputError.cannotRead(path: self.path, reason: "\(error)")
        }
    }

    /// From here on the chunks are what the tool makes of the input.
    private func unpack(with tool: Decompressor, beginning: [UInt8]) throws {
        let unpacking = try Unpacking(path: self.path, tool: tool, beginning: beginning) { try await self.read() }
        self.state.withLock { $0.stage = .unpacked(unpacking) }
    }

    /// Closes the descriptor and ends the tool, whether or not all was read.
    func close() async {
        let stage = self.state.withLock { state -> Stage? in
            guard !state.isClosed else { return nil }
            state.isClosed = true
            return state.stage ?? .plain
        }
        guard let stage else { return }
        if case .unpacked(let unpacking) = stage { await unpacking.close() }
        if self.ownsDescriptor { await self.port.close() }
    }
}

internal import Dispatch
internal import Synchronization

#if canImport(Glibc)
internal import Glibc
#elseif canImport(Musl)
internal import Musl
#else
internal import Darwin
#endif

/// A file that processes write to in order to tell each other that something has changed.
///
/// Unchecked, because the source of events is set once, before anybody else has the object.
final class ChangeFile: @unchecked Sendable {
    private let path: String
    private let descriptor: Int32
    /// Tells this object from all others, in whatever process or container.
    private let id = (UInt64.random(in: .min ... .max), UInt64.random(in: .min ... .max))
    private var source: (any DispatchSourceProtocol)?

    /// Opens a file, and makes it where there is none.
    init(path: String) throws {
        self.path = path
        self.descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o644)
        guard self.descriptor >= 0 else { throw ChangeFileError(path: path, number: errno) }
    }

    deinit {
        self.source?.cancel()
        close(self.descriptor)
    }

    /// Tells the others.
    func write() {
        // When it fails, others find out with the next change.
        withUnsafeBytes(of: self.id) { bytes in _ = pwrite(self.descriptor, bytes.baseAddress, bytes.count, 0) }
    }

    /// Has a closure called when somebody else has written. Once, before anybody else has the object.
    func watch(_ changed: @escaping @Sendable () -> Void) throws {
        let path = self.path
        let id = self.id
        #if os(Linux)
        let watcher = inotify_init1(Int32(IN_NONBLOCK) | Int32(IN_CLOEXEC))
        guard watcher >= 0 else { throw ChangeFileError(path: path, number: errno) }
        guard inotify_add_watch(watcher, path, UInt32(IN_MODIFY)) >= 0 else {
            let number = errno
            close(watcher)
            throw ChangeFileError(path: path, number: number)
        }
        let source = DispatchSource.makeReadSource(fileDescriptor: watcher)
        source.setEventHandler {
            withUnsafeTemporaryAllocation(byteCount: 4_096, alignment: 8) { buffer in
                while read(watcher, buffer.baseAddress, buffer.count) > 0 {}
            }
            if Self.lastWriter(of: path) != id { changed() }
        }
        source.setCancelHandler { close(watcher) }
        #else
        let watched = open(path, O_RDONLY | O_CLOEXEC)
        guard watched >= 0 else { throw ChangeFileError(path: path, number: errno) }
        let source = DispatchSource.makeFileSystemObjectSource(fileDescriptor: watched, eventMask: .write)
        source.setEventHandler { if Self.lastWriter(of: path) != id { changed() } }
        source.setCancelHandler { close(watched) }
        #endif
        source.resume()
        self.source = source
    }

    private static func lastWriter(of path: String) -> (UInt64, UInt64) {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return (0, 0) }
        defer { close(descriptor) }
        var id: (UInt64, UInt64) = (0, 0)
        withUnsafeMutableBytes(of: &id) { bytes in _ = pread(descriptor, bytes.baseAddress, bytes.count, 0) }
        return id
    }
}

/// The file beside a database can't be opened.
public struct ChangeFileError: Error, Sendable, Hashable, CustomStringConvertible {
    /// Its path.
    public let path: String
    /// The system's number of the error.
    public let number: Int32

    /// What is wrong.
    public var description: String { "can't open or watch \(self.path): \(String(cString: strerror(self.number)))" }
}

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
    private let process = getpid()
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
        var number = self.process
        // When it fails, others find out with the next change.
        _ = pwrite(self.descriptor, &number, MemoryLayout<pid_t>.size, 0)
    }

    /// Has a closure called when another process has written. Once, before anybody else has the object.
    func watch(_ changed: @escaping @Sendable () -> Void) {
        let path = self.path
        let process = self.process
        #if os(Linux)
        let watcher = inotify_init1(Int32(IN_NONBLOCK) | Int32(IN_CLOEXEC))
        guard watcher >= 0 else { return }
        guard inotify_add_watch(watcher, path, UInt32(IN_MODIFY)) >= 0 else {
            close(watcher)
            return
        }
        let source = DispatchSource.makeReadSource(fileDescriptor: watcher)
        source.setEventHandler {
            withUnsafeTemporaryAllocation(byteCount: 4_096, alignment: 8) { buffer in
                while read(watcher, buffer.baseAddress, buffer.count) > 0 {}
            }
            if Self.lastWriter(of: path) != process { changed() }
        }
        source.setCancelHandler { close(watcher) }
        #else
        let watched = open(path, O_RDONLY | O_CLOEXEC)
        guard watched >= 0 else { return }
        let source = DispatchSource.makeFileSystemObjectSource(fileDescriptor: watched, eventMask: .write)
        source.setEventHandler { if Self.lastWriter(of: path) != process { changed() } }
        source.setCancelHandler { close(watched) }
        #endif
        source.resume()
        self.source = source
    }

    private static func lastWriter(of path: String) -> pid_t {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return 0 }
        defer { close(descriptor) }
        var number: pid_t = 0
        _ = pread(descriptor, &number, MemoryLayout<pid_t>.size, 0)
        return number
    }
}

/// The file beside a database can't be opened.
public struct ChangeFileError: Error, Sendable, Hashable, CustomStringConvertible {
    /// Its path.
    public let path: String
    /// The system's number of the error.
    public let number: Int32

    /// What is wrong.
    public var description: String { "can't open \(self.path): \(String(cString: strerror(self.number)))" }
}

internal import Dispatch
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

/// Reads and writes a file descriptor on a thread of its own, one operation at a time.
///
/// It works alike for files, pipes, terminals and devices, and leaves the descriptor's flags as they are: standard
/// input and output are shared with other processes, which a non-blocking mode would break. An operation whose task is
/// cancelled while it waits is woken through a pipe.
final class DescriptorPort: Sendable {
    /// The largest write that can't block once the system says that a pipe has room.
    private static let atomicWrite = 4096

    private let descriptor: FileDescriptor
    private let queue: DispatchQueue
    private let wake: Result<WakePipe, Errno>
    private let isRegularFile: Bool

    init(_ descriptor: FileDescriptor, label: String) {
        self.descriptor = descriptor
        self.queue = DispatchQueue(label: label)
        self.wake = WakePipe.make()
        var information = stat()
        self.isRegularFile =
            fstat(descriptor.rawValue, &information) == 0 && information.st_mode & S_IFMT == S_IFREG
    }

    deinit {
        if case .success(let pipe) = self.wake { pipe.close() }
    }

    /// The next bytes, as soon as there are any; empty at the end.
    func read(upTo count: Int) async throws -> [UInt8] {
        try await self.perform { cancelled in
            while true {
                try self.wait(for: POLLIN, unless: cancelled, grace: 0)
                do {
                    let bytes = try [UInt8](unsafeUninitializedCapacity: count) { buffer, initialized in
                        initialized = try self.descriptor.read(into: UnsafeMutableRawBufferPointer(buffer))
                    }
                    // A short read must not pin a whole buffer for as long as somebody keeps a line of it.
                    return bytes.count < count / 2 ? Array(bytes[...]) : bytes
                } catch Errno.resourceTemporarilyUnavailable {
                    continue
                }
            }
        }
    }

    /// Writes all of what `take` returns; `take` is called when the writes before it are done.
    func write(_ take: @escaping @Sendable () throws -> [UInt8]) async throws {
        try await self.perform { cancelled in
            let bytes = try take()
            var position = 0
            while position < bytes.count {
                try self.wait(for: POLLOUT, unless: cancelled, grace: 1000)
                let end = self.isRegularFile ? bytes.count : min(bytes.count, position + Self.atomicWrite)
                do {
                    position += try bytes[position..<end].withUnsafeBytes { try self.descriptor.write($0) }
                } catch Errno.resourceTemporarilyUnavailable {
                    continue
                }
            }
        }
    }

    /// Closes the descriptor once the operations before it are done.
    func close() async {
        await withCheckedContinuation { continuation in
            self.queue.async {
                // The operations before it have said what went wrong with the data; a descriptor can't be closed twice.
                try? self.descriptor.close()
                continuation.resume()
            }
        }
    }

    private func perform<Value: Sendable>(
        _ operation: @escaping @Sendable (CancellationFlag) throws -> Value
    ) async throws -> Value {
        let cancelled = CancellationFlag()
        return try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { continuation in
                self.queue.async {
                    continuation.resume(with: Result { try operation(cancelled) })
                }
            }
        } onCancel: {
            cancelled.set()
            if case .success(let pipe) = self.wake { pipe.signal() }
        }
    }

    /// Waits until the descriptor is ready.
    /// - Parameter grace: How many milliseconds a cancelled operation still waits.
    private func wait(for events: Int32, unless cancelled: CancellationFlag, grace: Int32) throws {
        let pipe = try self.wake.get()
        while true {
            let isCancelled = cancelled.isSet
            var entries = [
                pollfd(fd: self.descriptor.rawValue, events: Int16(events), revents: 0),
                pollfd(fd: isCancelled ? -1 : pipe.readEnd.rawValue, events: Int16(POLLIN), revents: 0),
            ]
            let count = poll(&entries, 2, isCancelled ? grace : -1)
            if count < 0 {
                guard errno == EINTR else { throw Errno(rawValue: errno) }
                continue
            }
            if entries[0].revents != 0, !isCancelled || grace > 0 { return }
            if isCancelled { throw CancellationError() }
            if entries[1].revents != 0 { pipe.drain() }
        }
    }
}

/// Whether the task of one operation has been cancelled.
private final class CancellationFlag: Sendable {
    private let value = Atomic(false)

    var isSet: Bool { self.value.load(ordering: .sequentiallyConsistent) }

    func set() { self.value.store(true, ordering: .sequentiallyConsistent) }
}

/// A pipe that ends a `poll`.
private struct WakePipe: Sendable {
    let readEnd: FileDescriptor
    let writeEnd: FileDescriptor

    static func make() -> Result<WakePipe, Errno> {
        do {
            let ends = try FileDescriptor.pipe()
            for end in [ends.readEnd, ends.writeEnd] {
                _ = fcntl(end.rawValue, F_SETFL, O_NONBLOCK)
                _ = fcntl(end.rawValue, F_SETFD, FD_CLOEXEC)
            }
            return .success(WakePipe(readEnd: ends.readEnd, writeEnd: ends.writeEnd))
        } catch let error as Errno {
            return .failure(error)
        } catch {
            return .failure(.ioError)
        }
    }

    func signal() {
        // A full pipe refuses the byte, and wakes the reader by what is in it.
        _ = try? self.writeEnd.writeAll(CollectionOfOne(UInt8(1)))
    }

    func drain() {
        var byte: UInt8 = 0
        // Empty, the pipe answers with an error, which ends the loop like the end of input.
        while withUnsafeMutableBytes(of: &byte, { (try? self.readEnd.read(into: $0)) ?? 0 }) > 0 {}
    }

    func close() {
        // A pipe within the process keeps nothing that closing could fail to write.
        try? self.readEnd.close()
        try? self.writeEnd.close()
    }
}

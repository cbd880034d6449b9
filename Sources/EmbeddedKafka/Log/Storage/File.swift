internal import NIOCore

#if canImport(Darwin)
internal import Darwin
#elseif canImport(Glibc)
internal import Glibc
#elseif canImport(Musl)
internal import Musl
#endif

/// An open file that is read and written at positions.
final class File {
    enum Mode {
        case read
        /// Reads and writes; the file is made if it isn't there.
        case write
        /// As `write`, and nothing of an older file stays.
        case replace

        fileprivate var flags: Int32 {
            switch self {
            case .read: O_RDONLY
            case .write: O_RDWR | O_CREAT
            case .replace: O_RDWR | O_CREAT | O_TRUNC
            }
        }
    }

    let path: String
    /// -1: closed.
    private var descriptor: Int32
    private var isLocked = false

    init(_ path: String, mode: Mode) throws(LogError) {
        self.path = path
        self.descriptor = systemOpen(path, mode.flags | O_CLOEXEC)
        guard self.descriptor >= 0 else { throw FileSystem.error("open", path) }
    }

    deinit { self.close() }

    func close() {
        // Closing alone does not give a lock back while a process that is just being started has a copy of the descriptor.
        if self.isLocked { flock(self.descriptor, LOCK_UN) }
        self.isLocked = false
        if self.descriptor >= 0 { systemClose(self.descriptor) }
        self.descriptor = -1
    }

    func size() throws(LogError) -> Int {
        var status = stat()
        guard fstat(self.descriptor, &status) == 0 else { throw FileSystem.error("look at", self.path) }
        return Int(status.st_size)
    }

    /// Reads bytes that are there.
    func read(at position: Int, count: Int, into buffer: inout ByteBuffer) throws(LogError) {
        var failure: Int32 = 0
        let read = buffer.writeWithUnsafeMutableBytes(minimumWritableBytes: count) { memory in
            var done = 0
            while done < count {
                let part = UnsafeMutableRawBufferPointer(rebasing: memory[done..<count])
                let result = pread(self.descriptor, part.baseAddress, part.count, off_t(position + done))
                if result > 0 {
                    done += result
                } else if result == 0 || errno != EINTR {
                    failure = result == 0 ? 0 : errno
                    break
                }
            }
            return done
        }
        guard read < count else { return }
        guard failure == 0 else { throw FileSystem.error("read", self.path, number: failure) }
        throw LogError("The file \(self.path) ends before byte \(position + count).")
    }

    func write(_ bytes: ByteBuffer, at position: Int) throws(LogError) {
        let failure = bytes.withUnsafeReadableBytes { self.write($0, at: position) }
        guard failure == 0 else { throw FileSystem.error("write to", self.path, number: failure) }
    }

    func write(_ bytes: [UInt8], at position: Int) throws(LogError) {
        let failure = bytes.withUnsafeBytes { self.write($0, at: position) }
        guard failure == 0 else { throw FileSystem.error("write to", self.path, number: failure) }
    }

    func truncate(to size: Int) throws(LogError) {
        guard ftruncate(self.descriptor, off_t(size)) == 0 else { throw FileSystem.error("truncate", self.path) }
    }

    /// Makes the content safe from the loss of power.
    func synchronize() throws(LogError) {
        guard fsync(self.descriptor) == 0 else { throw FileSystem.error("flush", self.path) }
    }

    /// Takes the lock of the file for this open file alone; a second one, in this process or another, doesn't get it.
    ///
    /// - Returns: Whether the lock was free. It is given back when the file is closed or the process ends.
    func lock() throws(LogError) -> Bool {
        if flock(self.descriptor, LOCK_EX | LOCK_NB) == 0 {
            self.isLocked = true
            return true
        }
        guard errno == EWOULDBLOCK else { throw FileSystem.error("lock", self.path) }
        return false
    }

    /// - Returns: 0, or the error's number.
    private func write(_ bytes: UnsafeRawBufferPointer, at position: Int) -> Int32 {
        var done = 0
        while done < bytes.count {
            let part = UnsafeRawBufferPointer(rebasing: bytes[done...])
            let result = pwrite(self.descriptor, part.baseAddress, part.count, off_t(position + done))
            if result > 0 {
                done += result
            } else if result == 0 {
                return EIO
            } else if errno != EINTR {
                return errno
            }
        }
        return 0
    }
}

private func systemOpen(_ path: String, _ flags: Int32) -> Int32 { open(path, flags, 0o644) }

private func systemClose(_ descriptor: Int32) { close(descriptor) }

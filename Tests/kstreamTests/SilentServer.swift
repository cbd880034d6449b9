#if canImport(Glibc)
import Glibc
#elseif canImport(Darwin)
import Darwin
#endif

/// A broker that hangs, for tests: the system accepts its connections, and nobody answers what they bring.
final class SilentServer: Sendable {
    /// Its `host:port`.
    let address: String
    private let descriptor: Int32

    /// Listens on a free port of the loopback interface.
    init() throws(SilentServerError) {
        #if canImport(Glibc)
        let type = Int32(SOCK_STREAM.rawValue)
        #else
        let type = SOCK_STREAM
        #endif
        let descriptor = socket(AF_INET, type, 0)
        guard descriptor >= 0 else { throw SilentServerError(description: "no socket: errno \(errno)") }
        // Processes that tests start must not keep it open.
        _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let isListening = withUnsafeMutableBytes(of: &address) { bytes in
            guard let address = bytes.assumingMemoryBound(to: sockaddr.self).baseAddress else { return false }
            return bind(descriptor, address, length) == 0 && listen(descriptor, 64) == 0
                && getsockname(descriptor, address, &length) == 0
        }
        guard isListening else {
            close(descriptor)
            throw SilentServerError(description: "the socket does not listen: errno \(errno)")
        }
        self.descriptor = descriptor
        self.address = "127.0.0.1:\(UInt16(bigEndian: address.sin_port))"
    }

    deinit {
        close(self.descriptor)
    }

    /// Whether a client has connected.
    var hasConnections: Bool {
        var entry = pollfd(fd: self.descriptor, events: Int16(POLLIN), revents: 0)
        return poll(&entry, 1, 0) == 1
    }
}

/// Why there is no socket.
struct SilentServerError: Error, CustomStringConvertible {
    let description: String
}

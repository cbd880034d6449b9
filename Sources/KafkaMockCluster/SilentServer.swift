#if canImport(Glibc)
internal import Glibc
#elseif canImport(Darwin)
internal import Darwin
#endif

/// A broker that hangs, for tests: the system accepts its connections, and nobody answers what they bring.
package final class SilentServer: Sendable {
    /// Its `host:port`.
    package let address: String
    private let descriptor: Int32

    /// Listens on a free port of the loopback interface.
    package init() throws(MockClusterError) {
        #if canImport(Glibc)
        let type = Int32(SOCK_STREAM.rawValue)
        #else
        let type = SOCK_STREAM
        #endif
        let descriptor = socket(AF_INET, type, 0)
        guard descriptor >= 0 else { throw MockClusterError(description: "no socket: errno \(errno)") }
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
            throw MockClusterError(description: "the socket does not listen: errno \(errno)")
        }
        self.descriptor = descriptor
        self.address = "127.0.0.1:\(UInt16(bigEndian: address.sin_port))"
    }

    deinit {
        close(self.descriptor)
    }

    /// Whether a client has connected.
    package var hasConnections: Bool {
        var entry = pollfd(fd: self.descriptor, events: Int16(POLLIN), revents: 0)
        return poll(&entry, 1, 0) == 1
    }
}

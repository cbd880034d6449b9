internal import NIOCore

#if canImport(Glibc)
internal import Glibc
#elseif canImport(Musl)
internal import Musl
#endif

/// A node's port, which stays the node's while it is stopped.
///
/// It is a socket that is bound and never listens. Linux lets a listener share the port with it, refuses connections while
/// there is none, and gives the port to nobody who asks for any free one: without it, a cluster that starts while a node
/// of another is stopped may get that node's port. Elsewhere, and for hosts given by name, nothing is reserved.
final class PortReservation: Sendable {
    /// The port, which the system has picked when 0 was asked for.
    let port: Int
    private let descriptor: CInt

    /// Reserves a port of an IP address; `nil` where that can't be, which the listener then says better.
    init?(host: String, port: Int) {
        #if os(Linux)
        guard let wanted = try? SocketAddress(ipAddress: host, port: port) else { return nil }
        let family: CInt
        switch wanted {
        case .v4: family = AF_INET
        case .v6: family = AF_INET6
        case .unixDomainSocket: return nil
        }
        #if canImport(Glibc)
        let type = CInt(SOCK_STREAM.rawValue) | CInt(SOCK_CLOEXEC.rawValue)
        #else
        let type = SOCK_STREAM | SOCK_CLOEXEC
        #endif
        let descriptor = socket(family, type, 0)
        guard descriptor >= 0 else { return nil }
        guard let port = Self.bind(descriptor, to: wanted) else {
            close(descriptor)
            return nil
        }
        self.descriptor = descriptor
        self.port = port
        #else
        return nil
        #endif
    }

    deinit {
        #if os(Linux)
        close(self.descriptor)
        #endif
    }

    #if os(Linux)
    /// Binds a socket so that a listener can be bound beside it; the answer is its port.
    private static func bind(_ descriptor: CInt, to address: SocketAddress) -> Int? {
        var yes: CInt = 1
        let size = socklen_t(MemoryLayout<CInt>.size)
        guard setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &yes, size) == 0 else { return nil }
        let result = address.withSockAddr { pointer, length in
            #if canImport(Glibc)
            Glibc.bind(descriptor, pointer, socklen_t(length))
            #else
            Musl.bind(descriptor, pointer, socklen_t(length))
            #endif
        }
        guard result == 0 else { return nil }
        var bound = sockaddr_storage()
        var length = socklen_t(MemoryLayout<sockaddr_storage>.size)
        return withUnsafeMutableBytes(of: &bound) { bytes -> Int? in
            guard let base = bytes.baseAddress else { return nil }
            let pointer = base.assumingMemoryBound(to: sockaddr.self)
            guard getsockname(descriptor, pointer, &length) == 0 else { return nil }
            // The port is at the same place in the addresses of both families.
            return Int(UInt16(bigEndian: bytes.load(fromByteOffset: 2, as: UInt16.self)))
        }
    }
    #endif
}

/// The check of an address in `bootstrapServers`.
enum BootstrapServer {
    /// What is wrong with `host:port`, `[::1]:port` or either behind a `PROTOCOL://`; `nil` when nothing is.
    ///
    /// librdkafka takes any text here and fails much later, when it can't resolve it.
    static func problem(with server: String) -> String? {
        let advice = "bootstrap server \"\(server)\" is not of the form host:port"
        guard !server.isEmpty, server.utf8.allSatisfy({ $0 > 0x20 && $0 != 0x7F && $0 != UInt8(ascii: ",") }) else {
            return advice
        }
        var address = Substring(server)
        if let scheme = server.firstRange(of: "://") {
            address = server[scheme.upperBound...]
        }
        guard let (host, port) = self.split(address) else {
            return "\(advice); an IPv6 address goes in brackets, as [::1]:9092"
        }
        guard !host.isEmpty else { return "\(advice): the host is missing" }
        if let port, !self.isPort(port) {
            return "\(advice): the port must be a number from 1 to 65535"
        }
        return nil
    }

    /// The two parts of an address that is right.
    static func hostAndPort(_ server: String) -> (host: String, port: Int?)? {
        var address = Substring(server)
        if let scheme = server.firstRange(of: "://") {
            address = server[scheme.upperBound...]
        }
        return self.split(address).map { (String($0.host), $0.port.flatMap { Int($0) }) }
    }

    private static func split(_ address: Substring) -> (host: Substring, port: Substring?)? {
        if address.first == "[" {
            guard let close = address.firstIndex(of: "]") else { return nil }
            let host = address[address.index(after: address.startIndex)..<close]
            let rest = address[address.index(after: close)...]
            if rest.isEmpty { return (host, nil) }
            return rest.first == ":" ? (host, rest.dropFirst()) : nil
        }
        let parts = address.split(separator: ":", omittingEmptySubsequences: false)
        switch parts.count {
        case 1: return (parts[0], nil)
        case 2: return (parts[0], parts[1])
        default: return nil
        }
    }

    private static func isPort(_ text: Substring) -> Bool {
        guard text.utf8.allSatisfy({ (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }) else { return false }
        return Int(text).map { (1...65535).contains($0) } ?? false
    }
}

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
        let host: Substring
        let port: Substring?
        if address.first == "[", let close = address.firstIndex(of: "]") {
            host = address[address.index(after: address.startIndex)..<close]
            let rest = address[address.index(after: close)...]
            guard rest.isEmpty || rest.first == ":" else { return advice }
            port = rest.isEmpty ? nil : rest.dropFirst()
        } else if let colon = address.lastIndex(of: ":") {
            host = address[..<colon]
            port = address[address.index(after: colon)...]
        } else {
            host = address
            port = nil
        }
        guard !host.isEmpty else { return "\(advice): the host is missing" }
        if let port {
            guard let number = Int(port), (1...65535).contains(number) else {
                return "\(advice): the port must be a number from 1 to 65535"
            }
        }
        return nil
    }
}

/// The server's side of OAUTHBEARER (RFC 7628): one message with a token, and another one to end what was refused.
final class BearerExchange: SASLExchange {
    private let now: Int64
    /// What the client was told, once it was refused.
    private var refusal: String?

    /// - Parameter now: Milliseconds since 1970.
    init(now: Int64) {
        self.now = now
    }

    func receive(_ message: [UInt8], security: Security) -> SASLStep {
        if let refusal { return .failed(refusal) }
        guard let check = security.tokenCheck, let first = FirstMessage(message) else {
            return .failed("Authentication failed: Invalid OAUTHBEARER message")
        }
        switch check.verdict(on: first.token, extensions: first.extensions, now: self.now) {
        case .accepted(let principal, let expiration)
        where first.authorization.isEmpty || first.authorization == principal:
            return .succeeded(user: principal, [], expiration: expiration)
        case .accepted:
            return .failed("Authentication failed: The token is for somebody else than the authorization id")
        case .refused(let status):
            // The client answers this by a single byte, and is told again (RFC 7628, section 3.2.3).
            let escaped = status.filter { $0 >= " " && $0 <= "~" && $0 != "\"" && $0 != "\\" }
            let refusal = "{\"status\":\"\(escaped)\"}"
            self.refusal = refusal
            return .goOn(Array(refusal.utf8))
        }
    }

    /// `n,a=authzid,` and pairs of `name=value`, each behind the byte 1, which also comes twice at the end.
    private struct FirstMessage {
        let authorization: String
        let token: String
        let extensions: [String: String]

        init?(_ message: [UInt8]) {
            guard let text = String(validating: message, as: UTF8.self) else { return nil }
            var parts = text.split(separator: "\u{1}", omittingEmptySubsequences: false)
            guard parts.count >= 4, parts.removeLast().isEmpty, parts.removeLast().isEmpty else { return nil }
            let header = parts.removeFirst().split(separator: ",", omittingEmptySubsequences: false)
            guard header.count == 3, header[0] == "n" || header[0] == "y", header[2].isEmpty else { return nil }
            guard header[1].isEmpty || header[1].hasPrefix("a=") else { return nil }
            var pairs: [String: String] = [:]
            for part in parts {
                guard let equal = part.firstIndex(of: "="), equal > part.startIndex else { return nil }
                guard
                    pairs.updateValue(String(part[part.index(after: equal)...]), forKey: String(part[..<equal])) == nil
                else { return nil }
            }
            let scheme = "bearer "
            guard let value = pairs.removeValue(forKey: "auth"), value.count > scheme.count,
                value.prefix(scheme.count).lowercased() == scheme
            else { return nil }
            self.authorization = String(header[1].dropFirst(2))
            self.token = String(value.dropFirst(scheme.count))
            self.extensions = pairs
        }
    }
}

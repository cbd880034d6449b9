#if canImport(FoundationEssentials)
internal import FoundationEssentials
#else
internal import Foundation
#endif

/// A JSON Web Token without a signature (RFC 7515, appendix A.5): two JSON objects in base 64 for URLs, each with a full stop
/// behind it.
struct UnsecuredToken {
    private struct Header: Decodable {
        var alg: String
    }

    private struct Claims: Decodable {
        var sub: String
        /// Seconds since 1970, with fractions (RFC 7519, section 2).
        var exp: Double
    }

    let verdict: EmbeddedKafkaSecurity.TokenCheck.Verdict

    /// `nil` for a text that is no such token.
    init?(_ token: String) {
        let parts = token.split(separator: ".", omittingEmptySubsequences: false)
        guard
            parts.count == 3, parts[2].isEmpty,
            let header: Header = Self.decoded(parts[0]), header.alg == "none",
            let claims: Claims = Self.decoded(parts[1]), !claims.sub.isEmpty,
            let expiration = Int64(exactly: (claims.exp * 1000).rounded())
        else { return nil }
        self.verdict = .accepted(principal: claims.sub, expiration: expiration)
    }

    private static func decoded<Value: Decodable>(_ text: Substring) -> Value? {
        let base64 = String(text.map { $0 == "-" ? "+" : $0 == "_" ? "/" : $0 })
        let padding = String(repeating: "=", count: (4 - base64.utf8.count % 4) % 4)
        guard let bytes = Base64.decoded(base64 + padding) else { return nil }
        return try? JSONDecoder().decode(Value.self, from: Data(bytes))
    }
}

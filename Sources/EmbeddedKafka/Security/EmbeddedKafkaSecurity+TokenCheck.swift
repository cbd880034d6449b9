extension EmbeddedKafkaSecurity {
    /// How the tokens of clients are judged (SASL `OAUTHBEARER`, RFC 7628, KIP-255).
    public struct TokenCheck: Sendable {
        /// What comes of a token.
        public enum Verdict: Sendable, Hashable {
            /// It is good.
            /// - Parameters:
            ///   - principal: Who the client is.
            ///   - expiration: When the token ends, in milliseconds since 1970; `nil` is never.
            case accepted(principal: String, expiration: Int64?)
            /// It is not; the status is what the client is told, such as `invalid_token` (RFC 6750, section 3.1).
            case refused(status: String)
        }

        enum Kind: Sendable {
            case unsecured
            case custom(@Sendable (_ token: String, _ extensions: [String: String]) -> Verdict)
        }

        let kind: Kind

        /// Unsecured JSON Web Tokens (RFC 7515, appendix A.5) with the claims `sub` and `exp`, which anybody can make: what
        /// librdkafka makes with `enable.sasl.oauthbearer.unsecure.jwt`.
        public static let unsecured = TokenCheck(kind: .unsecured)

        /// A check of one's own, of the token and the extensions beside it. It is called on the cluster's event loop and
        /// must return soon.
        public static func custom(
            _ check: @escaping @Sendable (_ token: String, _ extensions: [String: String]) -> Verdict
        ) -> TokenCheck {
            TokenCheck(kind: .custom(check))
        }
    }
}

extension EmbeddedKafkaSecurity.TokenCheck {
    /// Judges a token. One that has ended is refused, whoever accepts it.
    /// - Parameter now: Milliseconds since 1970.
    func verdict(on token: String, extensions: [String: String], now: Int64) -> Verdict {
        let verdict: Verdict =
            switch self.kind {
            case .unsecured: UnsecuredToken(token)?.verdict ?? .refused(status: "invalid_token")
            case .custom(let check): check(token, extensions)
            }
        if case .accepted(_, let expiration?) = verdict, expiration <= now { return .refused(status: "invalid_token") }
        return verdict
    }
}

/// One authentication, as the server goes through it.
protocol SASLExchange: AnyObject {
    /// Takes what the client says.
    func receive(_ message: [UInt8], security: Security) -> SASLStep
}

/// What comes of a message of the client.
enum SASLStep {
    /// More is to come; the client is told this.
    case goOn([UInt8])
    /// The client is who it says; it is told this.
    /// - Parameter expiration: When it must say so again, in milliseconds since 1970; `nil` is never.
    case succeeded(user: String, [UInt8], expiration: Int64? = nil)
    /// It is not; the reason is for the client and says nothing of what is right.
    case failed(String)
}

/// The mechanisms that can be offered.
enum SASLMechanism: String, CaseIterable {
    case plain = "PLAIN"
    case scramSHA256 = "SCRAM-SHA-256"
    case scramSHA512 = "SCRAM-SHA-512"
    case oauthBearer = "OAUTHBEARER"

    /// - Parameter now: Milliseconds since 1970.
    func makeExchange(now: Int64) -> any SASLExchange {
        switch self {
        case .plain: PlainExchange()
        case .scramSHA256: ScramExchange(digest: .sha256)
        case .scramSHA512: ScramExchange(digest: .sha512)
        case .oauthBearer: BearerExchange(now: now)
        }
    }
}

/// User and password in the clear (RFC 4616).
final class PlainExchange: SASLExchange {
    func receive(_ message: [UInt8], security: Security) -> SASLStep {
        let parts = message.split(separator: 0, omittingEmptySubsequences: false)
        guard
            parts.count == 3,
            let authorization = String(validating: parts[0], as: UTF8.self),
            let user = String(validating: parts[1], as: UTF8.self),
            let password = String(validating: parts[2], as: UTF8.self),
            authorization.isEmpty || authorization == user,
            security.accepts(user: user, password: password)
        else { return .failed("Authentication failed: Invalid username or password") }
        return .succeeded(user: user, [])
    }
}

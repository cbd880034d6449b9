/// How a client reaches its brokers: whether what they say is encrypted, and how the client proves who it is.
///
/// ```swift
/// configuration.security = KafkaSecurity(
///     transport: .tls(KafkaTLS(trustedRoots: .file("/etc/kafka/ca.pem"))),
///     sasl: .scramSHA512(username: "billing", password: password)
/// )
/// ```
///
/// Passwords, keys and tokens appear in no log line, no error and no description.
public struct KafkaSecurity: Sendable {
    /// What carries the bytes.
    public enum Transport: Sendable {
        /// TCP in the clear.
        case plaintext
        /// TLS over TCP.
        case tls(KafkaTLS)
    }

    /// What carries the bytes. Default: in the clear.
    public var transport: Transport
    /// How the client proves who it is, beside a client certificate. Default: not at all.
    public var sasl: SASL?

    /// Describes how brokers are reached.
    public init(transport: Transport = .plaintext, sasl: SASL? = nil) {
        self.transport = transport
        self.sasl = sasl
    }
}

extension KafkaSecurity {
    /// A way to prove who the client is (KIP-12, KIP-43).
    public struct SASL: Sendable {
        enum Mechanism: Sendable {
            case password(name: String, username: String, password: String)
            case oauthBearer(TokenSource)
        }

        /// Where tokens come from.
        struct TokenSource: Sendable {
            var timeout: Duration
            var provider: @Sendable () async throws -> KafkaOAuthToken
        }

        let mechanism: Mechanism

        /// User and password, which the broker sees (RFC 4616): use it over TLS only.
        public static func plain(username: String, password: String) -> SASL {
            SASL(mechanism: .password(name: "PLAIN", username: username, password: password))
        }

        /// User and password, of which only proofs are sent (RFC 5802, RFC 7677).
        public static func scramSHA256(username: String, password: String) -> SASL {
            SASL(mechanism: .password(name: "SCRAM-SHA-256", username: username, password: password))
        }

        /// User and password, of which only proofs are sent (RFC 5802), with the longer hash.
        public static func scramSHA512(username: String, password: String) -> SASL {
            SASL(mechanism: .password(name: "SCRAM-SHA-512", username: username, password: password))
        }

        /// Tokens of an authorization server (RFC 7628, KIP-255).
        ///
        /// The provider is called when the client is made, and again when four fifths of a token's lifetime are over, also
        /// while the client is idle. When it fails it is called again, after half a second at first and after ten at most.
        /// The failure is logged; without a token that is still good, waiting calls fail with the code `authentication`.
        ///
        /// - Parameters:
        ///   - timeout: how long the provider may take. Its task is cancelled then, as it is when the client is closed.
        ///   - provider: gets a token.
        public static func oauthBearer(
            timeout: Duration = .seconds(30),
            provider: @escaping @Sendable () async throws -> KafkaOAuthToken
        ) -> SASL {
            SASL(mechanism: .oauthBearer(TokenSource(timeout: timeout, provider: provider)))
        }
    }
}

extension KafkaSecurity.SASL: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    /// The mechanism and the user, without the password.
    public var description: String {
        switch self.mechanism {
        case .password(let name, let username, _): "\(name) as \(username)"
        case .oauthBearer: "OAUTHBEARER"
        }
    }

    /// The same as the description.
    public var debugDescription: String { self.description }

    /// Shows nothing inside.
    public var customMirror: Mirror { Mirror(self, children: [], displayStyle: .struct) }
}

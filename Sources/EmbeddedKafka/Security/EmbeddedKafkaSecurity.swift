/// How a cluster's clients prove who they are, and whether what they say is encrypted.
///
/// With users, every connection must authenticate by SASL before anything but the negotiation (KIP-43, KIP-152), with any of
/// `PLAIN`, `SCRAM-SHA-256` and `SCRAM-SHA-512`; with a check of tokens, with `OAUTHBEARER`. With a certificate, every
/// connection is TLS. All may be combined.
public struct EmbeddedKafkaSecurity: Sendable {
    /// Where a certificate and its key come from.
    public struct Certificate: Sendable {
        /// The path of a PEM file: the certificate, and those that vouch for it behind.
        public var chainFile: String
        /// The path of a PEM file with the private key.
        public var keyFile: String
        /// The path of a PEM file with the authorities whose certificates clients must show; `nil` asks for none.
        public var clientAuthoritiesFile: String?

        /// Names the files of a certificate.
        public init(chainFile: String, keyFile: String, clientAuthoritiesFile: String? = nil) {
            self.chainFile = chainFile
            self.keyFile = keyFile
            self.clientAuthoritiesFile = clientAuthoritiesFile
        }
    }

    /// The passwords of the users by their names. Default: empty; without tokens either, everybody is let in.
    public var users: [String: String]
    /// How tokens are judged. A connection ends at its first request after the end of its token, unless it has brought a new
    /// one by then (KIP-368). Default: no tokens are taken.
    public var tokens: TokenCheck?
    /// Default: none, no TLS.
    public var certificate: Certificate?

    /// Describes a cluster's security.
    public init(users: [String: String] = [:], tokens: TokenCheck? = nil, certificate: Certificate? = nil) {
        self.users = users
        self.tokens = tokens
        self.certificate = certificate
    }
}

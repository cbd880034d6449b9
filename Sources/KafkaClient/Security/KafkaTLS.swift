/// What a client checks and shows in a TLS handshake.
public struct KafkaTLS: Sendable {
    /// Certificates or a key in PEM form (RFC 7468).
    public enum PEM: Sendable {
        /// The text itself.
        case text(String)
        /// The path of a file. For trusted roots it may be a directory of hashed names, as OpenSSL has them.
        case file(String)
    }

    /// What a client shows to brokers that ask for a certificate.
    public struct Identity: Sendable {
        /// The client's certificate, and those that vouch for it behind. librdkafka reads only the first of a text; give a
        /// file for more.
        public var certificate: PEM
        /// The private key of the certificate.
        public var key: PEM
        /// What the key is encrypted with, if it is.
        public var keyPassword: String?

        /// Names a certificate and its key.
        public init(certificate: PEM, key: PEM, keyPassword: String? = nil) {
            self.certificate = certificate
            self.key = key
            self.keyPassword = keyPassword
        }
    }

    /// The authorities whose certificates are trusted; `nil`: those that the system trusts. Default: the system's.
    public var trustedRoots: PEM?
    /// What is shown to brokers that ask for a certificate. Default: nothing.
    public var identity: Identity?
    /// Whether the broker's certificate must be for the host name that the client connects to. Without it, any holder of a
    /// certificate of a trusted authority can pose as the broker: turn it off for tests only. Default: true.
    public var verifiesHostName: Bool

    /// Describes the handshake.
    public init(trustedRoots: PEM? = nil, identity: Identity? = nil, verifiesHostName: Bool = true) {
        self.trustedRoots = trustedRoots
        self.identity = identity
        self.verifiesHostName = verifiesHostName
    }
}

extension KafkaTLS.PEM: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    /// The path, or how long the text is.
    public var description: String {
        switch self {
        case .text(let text): "PEM text of \(text.utf8.count) bytes"
        case .file(let path): "PEM file \(path)"
        }
    }

    /// The same as the description.
    public var debugDescription: String { self.description }

    /// Shows nothing inside.
    public var customMirror: Mirror { Mirror(self, children: [], displayStyle: .enum) }
}

extension KafkaTLS.Identity: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    /// Where certificate and key come from, without the password.
    public var description: String {
        "certificate: \(self.certificate), key: \(self.key)\(self.keyPassword == nil ? "" : ", encrypted")"
    }

    /// The same as the description.
    public var debugDescription: String { self.description }

    /// Shows nothing inside.
    public var customMirror: Mirror { Mirror(self, children: [], displayStyle: .struct) }
}

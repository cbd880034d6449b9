internal import NIOCore
internal import NIOSSL

/// What the options for security come to: the users' secrets, and the context of TLS.
final class Security {
    private let passwords: [String: String]
    /// How tokens are judged, if they are taken.
    let tokenCheck: EmbeddedKafkaSecurity.TokenCheck?
    private let tls: NIOSSLContext?
    private var secrets: [ScramSecret.Key: ScramSecret] = [:]

    init(_ options: EmbeddedKafkaSecurity) throws(EmbeddedKafkaError) {
        self.passwords = options.users
        self.tokenCheck = options.tokens
        guard let files = options.certificate else {
            self.tls = nil
            return
        }
        do {
            let chain = try NIOSSLCertificate.fromPEMFile(files.chainFile).map {
                NIOSSLCertificateSource.certificate($0)
            }
            let key = try NIOSSLPrivateKey(file: files.keyFile, format: .pem)
            var configuration = TLSConfiguration.makeServerConfiguration(
                certificateChain: chain,
                privateKey: .privateKey(key)
            )
            if let authorities = files.clientAuthoritiesFile {
                configuration.trustRoots = .file(authorities)
                configuration.certificateVerification = .noHostnameVerification
            }
            self.tls = try NIOSSLContext(configuration: configuration)
        } catch {
            throw EmbeddedKafkaError(
                .invalidConfiguration,
                "the certificate \(files.chainFile) with the key \(files.keyFile) can't be used: \(error)"
            )
        }
    }

    /// Where a new connection begins.
    var initialState: AuthenticationState {
        self.passwords.isEmpty && self.tokenCheck == nil ? .notNeeded : .needed
    }

    /// The mechanisms that are offered.
    var mechanisms: [SASLMechanism] {
        SASLMechanism.allCases.filter { mechanism in
            switch mechanism {
            case .plain, .scramSHA256, .scramSHA512: !self.passwords.isEmpty || self.tokenCheck == nil
            case .oauthBearer: self.tokenCheck != nil
            }
        }
    }

    /// The first handler of a connection; `nil` where connections are plain.
    func makeTLSHandler() throws -> NIOSSLServerHandler? {
        self.tls.map { NIOSSLServerHandler(context: $0) }
    }

    /// Whether the password is the user's.
    func accepts(user: String, password: String) -> Bool {
        guard let known = self.passwords[user] else { return false }
        // The same time whatever is wrong with it.
        let (left, right) = (Array(known.utf8), Array(password.utf8))
        var difference = left.count ^ right.count
        for index in right.indices { difference |= Int(right[index] ^ left[index % max(1, left.count)]) }
        return difference == 0 && !left.isEmpty
    }

    /// What the broker keeps of a user's password for SCRAM; made at the first use, since that takes time on purpose.
    func secret(of user: String, digest: ScramDigest) -> ScramSecret? {
        guard let password = self.passwords[user] else { return nil }
        let key = ScramSecret.Key(user: user, digest: digest)
        if let secret = self.secrets[key] { return secret }
        let secret = ScramSecret(password: password, digest: digest)
        self.secrets[key] = secret
        return secret
    }
}

/// How far a connection has come with proving who its client is.
enum AuthenticationState {
    /// Everybody is let in.
    case notNeeded
    /// Nothing was said yet.
    case needed
    /// A mechanism is agreed on, and the exchange goes on.
    /// - Parameter isBare: What follows are tokens behind their length and no requests, as version 0 of the handshake
    ///   wants it; version 1 has them in SaslAuthenticate (KIP-152).
    case exchanging(any SASLExchange, isBare: Bool)
    /// - Parameter expiration: When it must be done again, in milliseconds since 1970; `nil` is never.
    case done(user: String, expiration: Int64?)

    /// Whether requests are answered.
    /// - Parameter now: Milliseconds since 1970.
    func isDone(at now: @autoclosure () -> Int64) -> Bool {
        switch self {
        case .notNeeded: true
        case .done(_, let expiration): expiration.map { $0 > now() } ?? true
        case .needed, .exchanging: false
        }
    }

    /// Whether an authentication may begin: before anything else, or anew, before the last one ends (KIP-368).
    var canBegin: Bool {
        switch self {
        case .needed, .done(_, .some): true
        case .notNeeded, .exchanging, .done(_, nil): false
        }
    }
}

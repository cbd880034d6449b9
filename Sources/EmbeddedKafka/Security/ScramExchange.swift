/// The server's side of SCRAM (RFC 5802) without channel binding.
final class ScramExchange: SASLExchange {
    private enum State {
        case start
        case challenged(Challenge)
        case ended
    }

    /// What a client's second message is held against.
    private struct Challenge {
        var user: String
        var secret: ScramSecret
        var clientNonce: String
        var nonce: String
        var gs2: String
        /// The two messages so far.
        var exchanged: String
    }

    private static let refusal =
        "Authentication failed during authentication due to invalid credentials with SASL mechanism SCRAM"

    private let digest: ScramDigest
    private var state = State.start

    init(digest: ScramDigest) {
        self.digest = digest
    }

    func receive(_ message: [UInt8], security: Security) -> SASLStep {
        guard let text = String(validating: message, as: UTF8.self) else { return .failed(Self.refusal) }
        switch self.state {
        case .start: return self.start(text, security: security)
        case .challenged(let challenge):
            self.state = .ended
            return self.finish(text, challenge)
        case .ended: return .failed(Self.refusal)
        }
    }

    /// `n,a=authzid,n=user,r=nonce,...`
    private func start(_ message: String, security: Security) -> SASLStep {
        let parts = message.split(separator: ",", maxSplits: 2, omittingEmptySubsequences: false)
        guard
            parts.count == 3, parts[0] == "n" || parts[0] == "y",
            case let attributes = Self.attributes(parts[2]),
            let name = attributes["n"], let user = Self.unescaped(name),
            let clientNonce = attributes["r"], !clientNonce.isEmpty, attributes["m"] == nil,
            parts[1].isEmpty || parts[1] == "a=" + name,
            let secret = security.secret(of: user, digest: self.digest)
        else {
            self.state = .ended
            return .failed(Self.refusal)
        }
        let own = Base64.encoded((0..<18).map { _ in UInt8.random(in: .min ... .max) })
        let nonce = clientNonce + own
        let salt = Base64.encoded(secret.salt)
        let answer = "r=\(nonce),s=\(salt),i=\(ScramSecret.iterations)"
        self.state = .challenged(
            Challenge(
                user: user,
                secret: secret,
                clientNonce: clientNonce,
                nonce: nonce,
                gs2: "\(parts[0]),\(parts[1]),",
                exchanged: "\(parts[2]),\(answer)"
            )
        )
        return .goOn(Array(answer.utf8))
    }

    /// `c=biws,r=nonce,...,p=proof`
    ///
    /// librdkafka before 2.6.1 puts its own nonce before the whole one a second time. Apache Kafka 3.9 lets that pass, 4.0
    /// doesn't.
    private func finish(_ message: String, _ challenge: Challenge) -> SASLStep {
        let attributes = Self.attributes(message[...])
        guard
            let nonce = attributes["r"], [challenge.nonce, challenge.clientNonce + challenge.nonce].contains(nonce),
            attributes["c"] == Base64.encoded(Array(challenge.gs2.utf8)),
            let proof = attributes["p"].flatMap(Base64.decoded),
            // The proof is last, and no comma is in it.
            let end = message.lastIndex(of: ","), message[end...].hasPrefix(",p=")
        else { return .failed(Self.refusal) }
        let signed = Array((challenge.exchanged + "," + message[..<end]).utf8)
        let signature = self.digest.authenticationCode(signed, key: challenge.secret.storedKey)
        guard proof.count == signature.count else { return .failed(Self.refusal) }
        let key = zip(proof, signature).map { $0 ^ $1 }
        guard self.digest.hash(key) == challenge.secret.storedKey else { return .failed(Self.refusal) }
        let verifier = self.digest.authenticationCode(signed, key: challenge.secret.serverKey)
        return .succeeded(user: challenge.user, Array("v=\(Base64.encoded(verifier))".utf8))
    }

    private static func attributes(_ text: Substring) -> [String: String] {
        var attributes: [String: String] = [:]
        for part in text.split(separator: ",") where part.dropFirst().first == "=" {
            attributes[String(part.prefix(1))] = String(part.dropFirst(2))
        }
        return attributes
    }

    /// Commas and equal signs in names are written `=2C` and `=3D`; any other equal sign is an error.
    private static func unescaped(_ name: String) -> String? {
        var result = ""
        var rest = name[...]
        while let character = rest.popFirst() {
            guard character == "=" else {
                result.append(character)
                continue
            }
            switch rest.prefix(2) {
            case "2C": result.append(",")
            case "3D": result.append("=")
            default: return nil
            }
            rest = rest.dropFirst(2)
        }
        return result
    }
}

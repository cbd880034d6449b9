internal import Crypto

/// The hash function of a SCRAM mechanism.
enum ScramDigest: Hashable {
    case sha256
    case sha512

    func hash(_ bytes: [UInt8]) -> [UInt8] {
        switch self {
        case .sha256: Array(SHA256.hash(data: bytes))
        case .sha512: Array(SHA512.hash(data: bytes))
        }
    }

    func authenticationCode(_ bytes: [UInt8], key: [UInt8]) -> [UInt8] {
        let key = SymmetricKey(data: key)
        return switch self {
        case .sha256: Array(HMAC<SHA256>.authenticationCode(for: bytes, using: key))
        case .sha512: Array(HMAC<SHA512>.authenticationCode(for: bytes, using: key))
        }
    }

    /// `Hi` of RFC 5802, section 2.2: the hash of the hash of a password, so often that guessing is slow.
    func stretched(password: [UInt8], salt: [UInt8], iterations: Int) -> [UInt8] {
        var last = self.authenticationCode(salt + [0, 0, 0, 1], key: password)
        var result = last
        for _ in 1..<iterations {
            last = self.authenticationCode(last, key: password)
            for index in result.indices { result[index] ^= last[index] }
        }
        return result
    }
}

/// What a server keeps of a password (RFC 5802, section 3).
struct ScramSecret {
    struct Key: Hashable {
        let user: String
        let digest: ScramDigest
    }

    /// The fewest that Kafka takes.
    static let iterations = 4096

    let salt: [UInt8]
    let storedKey: [UInt8]
    let serverKey: [UInt8]

    init(password: String, digest: ScramDigest) {
        self.salt = (0..<16).map { _ in UInt8.random(in: .min ... .max) }
        let salted = digest.stretched(password: Array(password.utf8), salt: self.salt, iterations: Self.iterations)
        self.storedKey = digest.hash(digest.authenticationCode(Array("Client Key".utf8), key: salted))
        self.serverKey = digest.authenticationCode(Array("Server Key".utf8), key: salted)
    }
}

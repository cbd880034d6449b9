internal import Crypto

#if canImport(FoundationEssentials)
internal import FoundationEssentials
#else
internal import Foundation
#endif

/// A field about a person, which is encrypted where it is written and can be forgotten.
///
/// ```swift
/// struct Registered: Codable {
///     var customer: String
///     var email: Personal<String>
/// }
/// ```
///
/// It is written and read by a serde made with ``EventStreaming/Serde/json(shredding:subject:)`` and by no other: elsewhere encoding
/// it fails, so that nothing personal is written in the clear by mistake. Of a subject that was forgotten it reads as ``redacted``.
public enum Personal<Value: Codable & Sendable>: Sendable {
    /// What it says.
    case known(Value)
    /// The subject was forgotten.
    case redacted

    /// Makes a field.
    public init(_ value: Value) {
        self = .known(value)
    }

    /// What it says; `nil` when the subject was forgotten.
    public var value: Value? {
        if case .known(let value) = self { value } else { nil }
    }
}

// Logs and errors outlive a key: what they quote can't be forgotten.
extension Personal: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    /// Whether it is known, never what it says.
    public var description: String {
        switch self {
        case .known: "<personal>"
        case .redacted: "<redacted>"
        }
    }

    /// As ``description``.
    public var debugDescription: String { self.description }

    /// Without children.
    public var customMirror: Mirror { Mirror(self, children: []) }
}

extension Personal: Equatable where Value: Equatable {}
extension Personal: Hashable where Value: Hashable {}

extension Personal: Codable {
    private enum CodingKeys: String, CodingKey {
        /// AES-GCM with 256 bits: nonce, text and tag, in Base64. The subject is authenticated with it.
        case sealed
        case subject
    }

    /// Reads a field, decrypted with the key of its subject.
    ///
    /// - Throws: `DecodingError` for data that are no such field, or were changed, without a serde that knows of keys, and where the
    ///   key is not there although its subject was not forgotten.
    public init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        guard let context = decoder.userInfo[.shredding] as? ShreddingContext else {
            throw DecodingError.dataCorruptedError(
                forKey: .sealed,
                in: container,
                debugDescription: "a personal field is read by a serde made with json(shredding:subject:)"
            )
        }
        let subject = try container.decode(String.self, forKey: .subject)
        guard let sealed = try container.decodeIfPresent(Data.self, forKey: .sealed) else {
            self = .redacted
            return
        }
        do {
            guard let key = try context.keys.key(of: subject) else {
                throw DecodingError.dataCorruptedError(
                    forKey: .sealed,
                    in: container,
                    debugDescription:
                        "the key of a personal field is not in the store of keys, which may be another one, or "
                        + "older than the data"
                )
            }
            let box = try AES.GCM.SealedBox(combined: sealed)
            let data = try AES.GCM.open(box, using: key, authenticating: Data(subject.utf8))
            self = .known(try JSONDecoder().decode([Value].self, from: data)[0])
        } catch is SubjectForgotten {
            self = .redacted
        } catch is CryptoKitError {
            throw DecodingError.dataCorruptedError(
                forKey: .sealed,
                in: container,
                debugDescription: "a personal field was changed, or is of another subject"
            )
        }
    }

    /// Writes a field, encrypted with the key of its subject; a redacted one stays so.
    ///
    /// - Throws: `EncodingError` without a serde that knows of keys; ``SubjectForgotten``.
    public func encode(to encoder: any Encoder) throws {
        guard let context = encoder.userInfo[.shredding] as? ShreddingContext, let subject = context.subject else {
            throw EncodingError.invalidValue(
                "a personal field",
                .init(
                    codingPath: encoder.codingPath,
                    debugDescription: "a personal field is written by a serde made with json(shredding:subject:)"
                )
            )
        }
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(subject, forKey: .subject)
        guard case .known(let value) = self else { return }
        // In an array, since not every value is a document of its own.
        let data = try JSONEncoder().encode([value])
        let key: SymmetricKey
        do {
            key = try context.keys.makeKey(of: subject)
        } catch is SubjectForgotten where context.redactsForgotten {
            return
        }
        let box = try AES.GCM.seal(data, using: key, authenticating: Data(subject.utf8))
        // There is one with nonces of the usual length.
        try container.encode(box.combined ?? Data(), forKey: .sealed)
    }
}

/// What encoders and decoders know of keys.
struct ShreddingContext: Sendable {
    var keys: any SubjectKeyStore
    /// Whose fields are written.
    var subject: String?
    /// Whether those of a subject that was forgotten are written as redacted.
    var redactsForgotten = false
}

extension CodingUserInfoKey {
    static let shredding: CodingUserInfoKey = {
        guard let key = CodingUserInfoKey(rawValue: "kstream.shredding") else {
            preconditionFailure("any text is a key")
        }
        return key
    }()
}

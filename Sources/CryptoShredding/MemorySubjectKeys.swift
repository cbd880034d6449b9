public import Crypto
internal import Synchronization

/// Keeps keys in memory: for tests.
public final class MemorySubjectKeys: SubjectKeyStore {
    /// `nil` for a subject that was forgotten.
    private let keys = Mutex<[String: SymmetricKey?]>([:])

    /// Makes a store without keys.
    public init() {}

    /// See ``SubjectKeyStore/makeKey(of:)``.
    public func makeKey(of subject: String) throws -> SymmetricKey {
        try self.keys.withLock { keys in
            if let known = try Self.key(of: subject, in: keys) { return known }
            let key = SymmetricKey(size: .bits256)
            keys[subject] = .some(key)
            return key
        }
    }

    /// See ``SubjectKeyStore/key(of:)``.
    public func key(of subject: String) throws -> SymmetricKey? {
        try self.keys.withLock { try Self.key(of: subject, in: $0) }
    }

    private static func key(of subject: String, in keys: [String: SymmetricKey?]) throws -> SymmetricKey? {
        guard let known = keys[subject] else { return nil }
        guard let key = known else { throw SubjectForgotten() }
        return key
    }

    /// See ``SubjectKeyStore/forget(_:)``.
    public func forget(_ subject: String) throws {
        self.keys.withLock { $0[subject] = .some(nil) }
    }
}

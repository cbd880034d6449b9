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
            if let known = keys[subject] {
                guard let key = known else { throw SubjectForgotten() }
                return key
            }
            let key = SymmetricKey(size: .bits256)
            keys[subject] = .some(key)
            return key
        }
    }

    /// See ``SubjectKeyStore/key(of:)``.
    public func key(of subject: String) throws -> SymmetricKey? {
        self.keys.withLock { $0[subject] ?? nil }
    }

    /// See ``SubjectKeyStore/forget(_:)``.
    public func forget(_ subject: String) throws {
        self.keys.withLock { $0[subject] = .some(nil) }
    }
}

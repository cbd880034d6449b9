public import Crypto

/// Keeps a key for each person (a data subject, GDPR article 4): who loses theirs is forgotten, in all records at once.
///
/// `SQLiteSubjectKeys` (module `EventSourcingSQLite`) is one in a file; ``MemorySubjectKeys`` one for tests. The calls are synchronous,
/// since values are written and read in the middle of serdes: an answer takes no more than a look into a local file.
public protocol SubjectKeyStore: Sendable {
    /// The key of a subject, which is made where there is none.
    ///
    /// - Throws: ``SubjectForgotten``; what the store throws.
    func makeKey(of subject: String) throws -> SymmetricKey

    /// The key of a subject; `nil` for one that was never known.
    ///
    /// - Throws: ``SubjectForgotten``; what the store throws.
    func key(of subject: String) throws -> SymmetricKey?

    /// Deletes the key of a subject for ever: nothing that was written with it can be read again, and nothing can be written for it.
    ///
    /// That it was forgotten stays known: it is not the same as a key that is lost.
    ///
    /// - Throws: what the store throws: the subject is not forgotten then.
    func forget(_ subject: String) throws
}

/// Something was to be written or read about a subject that was forgotten.
public struct SubjectForgotten: Error, Sendable, Hashable, CustomStringConvertible {
    /// What is wrong. The subject is not named: errors are logged, and it was forgotten.
    public var description: String { "the subject was forgotten: nothing can be written or read about it" }

    /// Makes an error.
    public init() {}
}

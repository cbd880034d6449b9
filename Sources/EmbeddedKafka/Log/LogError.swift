/// Why a log, the journal or the data directory can't do what it was asked, mostly because the file system refused.
///
/// Clients are told ``ErrorCode/storageError``; the sentence is for the user who started the cluster.
struct LogError: Error, Hashable, CustomStringConvertible {
    /// A sentence that names the file.
    let description: String
    /// Whether all that is wrong is that somebody else has the directory.
    let isInUse: Bool

    init(_ description: String, isInUse: Bool = false) {
        self.description = description
        self.isInUse = isInUse
    }
}

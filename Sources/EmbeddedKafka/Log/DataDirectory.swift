/// The folder in which a cluster keeps its partitions, for itself alone.
final class DataDirectory {
    let path: String
    private let lockFile: File

    /// Makes the folder if it isn't there, and takes it.
    ///
    /// - Throws: When another cluster has it, in this process or another.
    init(path: String) throws(LogError) {
        var path = path
        while path.count > 1, path.hasSuffix("/") { path.removeLast() }
        self.path = path
        try FileSystem.makeDirectory(path)
        self.lockFile = try File("\(path)/.lock", mode: .write)
        guard try self.lockFile.lock() else {
            throw LogError(
                "the data directory \(path) is in use by another cluster, in this process or another",
                isInUse: true
            )
        }
        for name in try FileSystem.names(in: path) where name.hasPrefix(Self.deletedPrefix) {
            try FileSystem.removeDirectory("\(path)/\(name)")
        }
    }

    /// Gives the folder back. The logs and the journal are closed before.
    func close() { self.lockFile.close() }

    /// The partitions that have a folder.
    func partitions() throws(LogError) -> [TopicPartition] {
        try FileSystem.names(in: self.path)
            .filter { FileSystem.isDirectory("\(self.path)/\($0)") }
            .compactMap(Self.partition(named:))
            .sorted()
    }

    /// Where a partition's log is. Topic names have only letters, digits, dots, hyphens and underscores, which was seen to
    /// when the topic was made.
    func storage(for partition: TopicPartition) -> LogStorage { .directory("\(self.path)/\(partition)") }

    /// Where the journal of the cluster's other state is.
    var journalPath: String { "\(self.path)/cluster.journal" }

    /// `topic-0`: the last hyphen parts the two, since topics may have hyphens.
    static func partition(named name: String) -> TopicPartition? {
        guard let hyphen = name.lastIndex(of: "-"), hyphen > name.startIndex, !name.hasPrefix(self.deletedPrefix),
            let number = Int32(name[name.index(after: hyphen)...]), number >= 0
        else { return nil }
        let partition = TopicPartition(String(name[..<hyphen]), number)
        return partition.description == name ? partition : nil
    }

    // MARK: Deleted partitions

    /// No topic's folder begins like this: a topic's name may begin with a dot, but has no tilde.
    private static let deletedPrefix = ".deleted~"

    /// A free name, beside a partition's folder, for as long as it takes to remove its files.
    static func deletedName(for path: String) -> String {
        let parent = FileSystem.parent(of: path) ?? "."
        var number = 0
        while FileSystem.exists("\(parent)/\(self.deletedPrefix)\(number)") { number += 1 }
        return "\(parent)/\(self.deletedPrefix)\(number)"
    }
}

/// Where a cluster's logs and its journal are: in memory, or in a directory that it has for itself.
final class LogStore {
    private let directory: DataDirectory?

    /// - Throws: ``EmbeddedKafkaError`` when the directory can't be had.
    init(_ storage: EmbeddedKafkaCluster.Configuration.Storage) throws(EmbeddedKafkaError) {
        switch storage {
        case .memory: self.directory = nil
        case .directory(let path):
            do throws(LogError) {
                self.directory = try DataDirectory(path: path)
            } catch {
                throw EmbeddedKafkaError(error)
            }
        }
    }

    func makeJournal() throws -> Journal {
        try Journal(storage: self.directory.map { .file($0.journalPath) } ?? .memory)
    }

    /// Opens a partition's log, which is new unless it is on disk.
    func open(_ id: TopicPartition, configuration: LogConfiguration, now: Int64) throws -> PartitionLog {
        let storage = self.directory?.storage(for: id) ?? .memory
        return try PartitionLog(storage: storage, configuration: configuration, now: now)
    }

    /// Removes what is left of other partitions: of topics that were being made or removed when the process was killed.
    func removeAll(except partitions: Set<TopicPartition>) throws {
        guard let directory = self.directory else { return }
        for id in try directory.partitions() where !partitions.contains(id) {
            try PartitionLog(storage: directory.storage(for: id), configuration: LogConfiguration(), now: 0).delete()
        }
    }

    func close() {
        self.directory?.close()
    }
}

internal import EventSourcing
public import GRDB
internal import Synchronization

/// A SQLite file in WAL mode: one writer at a time, any number of readers, and a signal to all of its readers, in this process
/// and in others, when something was written.
///
/// Several processes may have the same file open. Its folder holds two more files of SQLite (`-wal` and `-shm`), and one by which
/// processes tell each other of changes (`-changes`); what is written past this type is not told.
public final class EventDatabase: Sendable {
    /// How sure it is that what was written is on the disk.
    public enum Durability: Sendable, Hashable {
        /// A write returns when it outlasts a loss of power.
        case full
        /// A write outlasts the death of the process; a loss of power may take back the last ones, whole and in order. For what
        /// can be made again.
        case normal
    }

    /// How a file is opened.
    public struct Configuration: Sendable {
        /// Default: full.
        public var durability = Durability.full
        /// How many tasks read at the same time; more wait. Default: 5.
        public var maxReaders = 5
        /// How long a write waits for that of another process. Default: 10 s.
        public var busyTimeout = Duration.seconds(10)

        /// The defaults.
        public init() {}
    }

    /// The path of the file.
    public let path: String
    private let writer: any DatabaseWriter
    private let signal = ChangeSignal()
    /// What else is told of changes.
    private let listeners = Mutex<[ChangeSignal]>([])
    private let file: ChangeFile?

    /// Opens a file, and makes it where there is none.
    ///
    /// - Throws: `DatabaseError` when it can't be opened; `ChangeFileError` when the file beside it can't.
    public init(path: String, configuration: Configuration = Configuration()) throws {
        self.path = path
        var options = GRDB.Configuration()
        options.maximumReaderCount = max(1, configuration.maxReaders)
        options.busyMode = .timeout(configuration.busyTimeout / .seconds(1))
        let pool = try DatabasePool(path: path, configuration: options)
        // Now, since the pool itself says NORMAL when it is made.
        try pool.writeWithoutTransaction { db in
            try db.execute(sql: "PRAGMA synchronous = \(configuration.durability == .full ? "FULL" : "NORMAL")")
        }
        self.writer = pool
        let file = try ChangeFile(path: path + "-changes")
        self.file = file
        try file.watch { [weak self] in self?.tell() }
        // A process that was killed before it could tell of its last change tells of it when it is back.
        file.write()
    }

    /// Makes one in memory, for tests.
    public init() throws {
        self.path = ":memory:"
        self.writer = try DatabaseQueue()
        self.file = nil
    }

    /// Reads in a transaction: what others write meanwhile is not seen.
    public func read<R: Sendable>(_ body: @escaping @Sendable (Database) throws -> R) async throws -> R {
        try await self.writer.read(body)
    }

    /// Writes in a transaction, which is undone when `body` throws.
    public func write<R: Sendable>(_ body: @escaping @Sendable (Database) throws -> R) async throws -> R {
        let result = try await self.writer.write(body)
        self.changed()
        return result
    }

    /// Writes as above, but blocks the thread meanwhile: for making tables when a program starts.
    func writeBlocking<R>(_ body: (Database) throws -> R) throws -> R {
        let result = try self.writer.write(body)
        self.changed()
        return result
    }

    // MARK: Changes

    /// How often something was written, as far as this process knows. Look at it before what is in the file.
    public var changeCount: UInt64 { self.signal.count }

    /// Returns when something was written since the count was this.
    ///
    /// - Throws: `CancellationError` when the task is cancelled before.
    public func waitForChange(past count: UInt64) async throws {
        try await self.signal.wait(past: count)
    }

    /// Tells another signal of changes, too.
    func forward(to listener: ChangeSignal) {
        self.listeners.withLock { $0.append(listener) }
    }

    private func changed() {
        // In this order: who is woken here sees what any process had written that was overwritten in the file.
        self.file?.write()
        self.tell()
    }

    private func tell() {
        self.signal.send()
        for listener in self.listeners.withLock({ $0 }) { listener.send() }
    }
}

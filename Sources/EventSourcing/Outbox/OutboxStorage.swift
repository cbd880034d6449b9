public import EventStreaming
public import KafkaClient

/// Records that were written together with what they tell of, and wait to be published.
///
/// `SQLiteOutbox` (module `EventSourcingSQLite`) is one.
public protocol OutboxStorage: Sendable {
    /// Which outbox it is, and how far positions were given out.
    func identity() async throws -> OutboxIdentity

    /// Records in the order in which they were written.
    ///
    /// - Parameters:
    ///   - position: the position of the last one that is known; 0 begins with the first.
    ///   - limit: how many at most.
    func entries(after position: Int64, limit: Int) async throws -> [OutboxEntry]

    /// Removes what was published, and notes, in the same transaction, where.
    ///
    /// - Parameters:
    ///   - position: the position of the last record that was.
    ///   - published: the offsets behind the last records, of some partitions; they never go back.
    func remove(through position: Int64, published: [KafkaTopicPartition: Int64]) async throws

    /// What waits.
    func backlog() async throws -> OutboxBacklog

    /// Returns when there is a record with a higher position.
    ///
    /// - Throws: `CancellationError` when the task is cancelled before.
    func waitForEntries(after position: Int64) async throws
}

/// Tells an outbox from all others, also from one that was made anew in its place.
public struct OutboxIdentity: Sendable, Hashable {
    /// Made with the outbox, and without a space.
    public var id: String
    /// The highest position that was given out.
    public var lastPosition: Int64

    /// Makes an identity.
    public init(id: String, lastPosition: Int64) {
        self.id = id
        self.lastPosition = lastPosition
    }
}

/// A record that waits to be published.
public struct OutboxEntry: Sendable, Hashable {
    /// Its place in the order; never used again.
    public var position: Int64
    /// What is published.
    public var record: KafkaProducerRecord

    /// Tells the record from others (FNV-1a, 64 bits): of an outbox from a backup, other records have the same positions.
    var digest: String {
        var hash: UInt64 = 0xcbf2_9ce4_8422_2325
        func add(_ bytes: some Sequence<UInt8>) {
            for byte in bytes { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01b3 }
            // So that parts can't change places with each other.
            hash = (hash ^ 0xFF) &* 0x100_0000_01b3
        }
        add(self.record.topic.utf8)
        add(self.record.key ?? [])
        add(self.record.value ?? [])
        for header in self.record.headers {
            add(header.key.utf8)
            add(header.value ?? [])
        }
        return String(hash, radix: 16)
    }

    /// Makes an entry.
    public init(position: Int64, record: KafkaProducerRecord) {
        self.position = position
        self.record = record
    }
}

/// What waits in an outbox.
public struct OutboxBacklog: Sendable, Hashable {
    /// How many records.
    public var count: Int
    /// When the oldest of them was written; `nil` when there is none.
    public var oldest: UTCTime?

    /// Describes a backlog.
    public init(count: Int, oldest: UTCTime?) {
        self.count = count
        self.oldest = oldest
    }

    /// How long the oldest record has waited; zero when there is none.
    public var age: Duration {
        guard let oldest else { return .zero }
        return .milliseconds(max(0, UTCTime.now.millisecondsSince1970 - oldest.millisecondsSince1970))
    }
}

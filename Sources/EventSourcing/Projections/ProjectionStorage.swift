public import KafkaClient

/// Where one version of a projection keeps its rows, how far it has come, and who may write.
///
/// `SQLiteProjectionStorage` (module `EventSourcingSQLite`) is one. All three change in one transaction, so that whatever dies at
/// whatever moment, a record is in the rows exactly when it is behind the position.
public protocol ProjectionStorage<Transaction>: Sendable {
    /// What handlers write with; valid within the call that hands it over.
    associatedtype Transaction

    /// The name of the projection.
    var projection: String { get }
    /// Which version of it.
    var version: Int { get }

    /// Takes partitions over: whoever had them before can't write any more.
    ///
    /// - Parameters:
    ///   - partitions: what is taken over.
    ///   - owner: who takes them, for those who look.
    /// - Returns: for each partition its new epoch, and the position where to go on.
    func claim(
        _ partitions: Set<KafkaTopicPartition>,
        owner: String
    ) async throws
        -> [KafkaTopicPartition: ProjectionClaim]

    /// Runs `body` in a transaction that ends with the positions that it set.
    ///
    /// - Parameters:
    ///   - epochs: of all partitions that are written for.
    ///   - body: writes rows, and moves the positions.
    /// - Throws: ``ProjectionError`` with the code `fenced` when a partition has another epoch, which is counted, `held` while the
    ///   version waits for a promotion; what `body` throws: nothing is written then.
    func write<R: Sendable>(
        epochs: [KafkaTopicPartition: Int64],
        _ body: @escaping @Sendable (Transaction, inout ProjectionPositions) throws -> R
    ) async throws -> R

    /// Runs `body` so that what it wrote is undone when it throws, while the transaction goes on.
    func attempt(in transaction: Transaction, _ body: () throws -> Void) throws

    /// Notes that a record was passed over.
    func skip(_ record: ProjectionSkip, in transaction: Transaction) throws

    /// How far it has come, per partition.
    func positions() async throws -> [KafkaTopicPartition: Int64]

    /// Returns when something of it may have changed since it was looked at, whichever process did it.
    func waitForChange(past count: UInt64) async throws

    /// How often something has changed. Look at it before the thing itself.
    var changeCount: UInt64 { get }
}

/// The right to write for a partition, until somebody else claims it.
public struct ProjectionClaim: Sendable, Hashable {
    /// One more with every claim.
    public var epoch: Int64
    /// The offset of the next record; `nil` when there was none yet.
    public var position: Int64?

    /// Makes a claim.
    public init(epoch: Int64, position: Int64?) {
        self.epoch = epoch
        self.position = position
    }
}

/// A record that a projection could not handle and passed over.
public struct ProjectionSkip: Sendable, Hashable {
    /// Where it is.
    public var partition: KafkaTopicPartition
    /// Its offset.
    public var offset: Int64
    /// Why.
    public var error: String

    /// Describes a record.
    public init(partition: KafkaTopicPartition, offset: Int64, error: String) {
        self.partition = partition
        self.offset = offset
        self.error = error
    }
}

/// How far a projection has come, as a transaction sees it and leaves it.
public struct ProjectionPositions: Sendable {
    /// One partition.
    public struct Place: Sendable, Hashable {
        /// The offset of the next record: what comes before it is in the rows.
        public var position: Int64
        /// The records whose side effects are this version's.
        public var effects: Range<Int64>

        /// Makes a place.
        public init(position: Int64, effects: Range<Int64>) {
            self.position = position
            self.effects = effects
        }
    }

    /// The partitions that were asked for.
    public private(set) var places: [KafkaTopicPartition: Place]
    /// Those whose position has moved.
    public private(set) var moved: Set<KafkaTopicPartition> = []

    /// Makes positions as they are stored.
    public init(_ places: [KafkaTopicPartition: Place]) {
        self.places = places
    }

    /// Moves a partition on; it never goes back.
    public mutating func advance(_ partition: KafkaTopicPartition, to position: Int64) {
        guard let place = self.places[partition], place.position < position else { return }
        self.places[partition]?.position = position
        self.moved.insert(partition)
    }
}

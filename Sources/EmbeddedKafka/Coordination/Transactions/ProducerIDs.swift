internal import NIOCore

/// Gives out producer ids, each once in the life of the data.
///
/// Ids are reserved in blocks, and the journal is told of the block before any of it is used; after a restart the rest of
/// the block is lost, which is no loss.
struct ProducerIDs {
    /// How many ids are reserved at once, as in Apache Kafka.
    static let blockSize: Int64 = 1000

    private var nextID: Int64 = 0
    /// The first id that isn't reserved.
    private(set) var reserved: Int64 = 0
    /// Whether the journal must be told what is reserved.
    private(set) var isChanged = false

    mutating func next() throws(ErrorCode) -> Int64 {
        if self.nextID >= self.reserved {
            let (reserved, overflows) = self.nextID.addingReportingOverflow(Self.blockSize)
            // Only a journal that somebody has tampered with gets here.
            guard !overflows else { throw .unknownServerError }
            self.reserved = reserved
            self.isChanged = true
        }
        defer { self.nextID += 1 }
        return self.nextID
    }

    mutating func takeChange() -> StateChange? {
        guard self.isChanged else { return nil }
        self.isChanged = false
        return StateChange(
            key: StateCoding.key(.producerIDs) { _ in },
            value: StateCoding.value { $0.int64(self.reserved) }
        )
    }

    mutating func restore(_ value: ByteBuffer?) throws(WireError) {
        guard let value else { return }
        var reader = try StateCoding.reader(value)
        let reserved = try reader.int64()
        guard reserved >= 0 else { throw WireError("a negative producer id is reserved") }
        self.nextID = reserved
        self.reserved = reserved
    }
}

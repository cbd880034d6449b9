/// The events of a store behind a position, and those that are appended while it is read (``EventStore/changes(after:)``).
///
/// It ends when the task is cancelled. Each iteration begins at the position anew. Memory is bounded by ``batchSize``.
public struct EventChanges<Store: EventStore>: AsyncSequence, Sendable {
    /// How many events are read at a time. Default: 500.
    public var batchSize = 500

    private let store: Store
    private let position: Int64

    init(store: Store, position: Int64) {
        self.store = store
        self.position = position
    }

    /// Begins to read.
    public func makeAsyncIterator() -> Iterator {
        Iterator(store: self.store, position: self.position, batchSize: Swift.max(1, self.batchSize))
    }

    /// Reads one event after the other.
    public struct Iterator: AsyncIteratorProtocol {
        private let store: Store
        private let batchSize: Int
        private var position: Int64
        private var batch: ArraySlice<StoredEvent> = []

        init(store: Store, position: Int64, batchSize: Int) {
            self.store = store
            self.position = position
            self.batchSize = batchSize
        }

        /// The next event; `nil` when the task is cancelled.
        ///
        /// - Throws: what the store throws.
        public mutating func next() async throws -> StoredEvent? {
            if self.batch.isEmpty {
                guard let batch = try await self.nextBatch() else { return nil }
                self.batch = batch[...]
            }
            return self.batch.popFirst()
        }

        /// The events that are there, waiting for the first one; `nil` when the task is cancelled.
        ///
        /// - Throws: what the store throws.
        public mutating func nextBatch() async throws -> [StoredEvent]? {
            do {
                while true {
                    try Task.checkCancellation()
                    let events = try await self.store.events(after: self.position, limit: self.batchSize)
                    if let last = events.last {
                        self.position = last.position
                        return events
                    }
                    try await self.store.waitForEvents(after: self.position)
                }
            } catch is CancellationError where Task.isCancelled {
                return nil
            }
        }
    }
}

/// Fetches that wait for more bytes (KIP-74: `min_bytes` and `max_wait_ms`).
///
/// A fetch is looked at again when a partition it asked for has changed, and answered when its time is over.
struct FetchWaiters {
    struct Waiter {
        let id: UInt64
        let request: FetchRequest
        let exchange: Exchange
        let partitions: [TopicPartition]
        let timer: Timer
    }

    private var waiters: [UInt64: Waiter] = [:]
    private var byPartition: [TopicPartition: Set<UInt64>] = [:]

    mutating func add(_ waiter: Waiter) {
        self.waiters[waiter.id] = waiter
        for partition in waiter.partitions { self.byPartition[partition, default: []].insert(waiter.id) }
    }

    /// The waiters that asked for a partition, the oldest first.
    func waiting(for partition: TopicPartition) -> [Waiter] {
        guard let ids = self.byPartition[partition] else { return [] }
        return ids.sorted().compactMap { self.waiters[$0] }
    }

    mutating func remove(_ id: UInt64) -> Waiter? {
        guard let waiter = self.waiters.removeValue(forKey: id) else { return nil }
        for partition in waiter.partitions {
            self.byPartition[partition]?.remove(id)
            if self.byPartition[partition]?.isEmpty == true { self.byPartition[partition] = nil }
        }
        return waiter
    }

    /// The waiters of a connection.
    func waiting(on connection: Connection) -> [UInt64] {
        self.waiters.values.filter { $0.exchange.connection === connection }.map(\.id)
    }

    var all: [UInt64] { self.waiters.keys.sorted() }
}

internal import KafkaClient
internal import Synchronization

/// What an instance has in memory of a partition, with what a transaction changes over what is committed.
protocol HostedPartition: AnyObject, Sendable {
    /// The transaction was committed.
    func commit()
    /// The transaction was aborted, or another one begins.
    func rollBack()
}

/// The partitions that an instance of a service has, each with its state in memory, which is restored before anything is handled.
///
/// Partitions of several topics with the same number belong together.
final class PartitionHosts<Partition: HostedPartition>: Sendable {
    private struct Host {
        let partition: Partition
        let restoration: Task<Void, any Error>
    }

    /// A partition of the batch has no state: that is restored before the batch is processed again.
    private struct NotRestored: Error {}

    private let make: @Sendable (Int32) -> Partition
    private let restore: @Sendable (Partition) async throws -> Void
    private let givenUp: @Sendable (Partition) async -> Void
    private let hosts = Mutex<[Int32: Host]>([:])

    /// - Parameters:
    ///   - make: makes the state of a partition.
    ///   - restore: fills it.
    ///   - givenUp: called with what was committed when a partition is given up in order.
    init(
        make: @escaping @Sendable (Int32) -> Partition,
        restore: @escaping @Sendable (Partition) async throws -> Void,
        givenUp: @escaping @Sendable (Partition) async -> Void = { _ in }
    ) {
        self.make = make
        self.restore = restore
        self.givenUp = givenUp
    }

    /// The partitions that there are, restored or not.
    var current: [Int32: Partition] { self.hosts.withLock { $0.mapValues(\.partition) } }

    /// Hears of partitions that come and go.
    func observe(_ configuration: inout KafkaConsumer.Configuration) {
        configuration.onAssigned = { [hook = configuration.onAssigned] rebalance in
            self.came(Set(rebalance.partitions.map(\.partition)))
            await hook?(rebalance)
        }
        configuration.onRevoked = { [hook = configuration.onRevoked] rebalance in
            await hook?(rebalance)
            await self.went(Set(rebalance.partitions.map(\.partition)), inOrder: true)
        }
        configuration.onLost = { [hook = configuration.onLost] rebalance in
            await self.went(Set(rebalance.partitions.map(\.partition)), inOrder: false)
            await hook?(rebalance)
        }
    }

    private func came(_ numbers: Set<Int32>) {
        for number in numbers {
            let partition = self.make(number)
            let restoration = Task { try await self.restore(partition) }
            let old = self.hosts.withLock { hosts in
                hosts.updateValue(Host(partition: partition, restoration: restoration), forKey: number)
            }
            old?.restoration.cancel()
        }
    }

    private func went(_ numbers: Set<Int32>, inOrder: Bool) async {
        for number in numbers {
            guard let host = self.hosts.withLock({ $0.removeValue(forKey: number) }) else { continue }
            host.restoration.cancel()
            // Of one that was lost it is not known what became of the last transaction.
            if inOrder, case .success = await host.restoration.result { await self.givenUp(host.partition) }
        }
    }

    /// Partitions, once they are restored; those that were taken away meanwhile are left out.
    ///
    /// - Throws: why a partition could not be restored; `CancellationError`.
    func restored(_ numbers: Set<Int32>) async throws -> [Int32: Partition] {
        var partitions: [Int32: Partition] = [:]
        for number in numbers {
            guard let host = self.hosts.withLock({ $0[number] }) else { continue }
            do {
                try await withTaskCancellationHandler {
                    try await host.restoration.value
                } onCancel: {
                    host.restoration.cancel()
                }
                partitions[number] = host.partition
            } catch is CancellationError {
                // It was taken away.
                try Task.checkCancellation()
            }
        }
        return partitions
    }

    /// Processes a batch in a transaction.
    ///
    /// - Parameter body: handles the records, each with the state of its partition. It is run again when the transaction was
    ///   aborted, with what was committed before.
    /// - Returns: what was processed; `nil` when all partitions of the batch were given up.
    func transform(
        _ batch: KafkaConsumerBatch,
        of consumer: KafkaConsumer,
        through producer: KafkaProducer,
        _ body: (KafkaConsumerBatch, [Int32: Partition], KafkaTransaction) async throws -> Void
    ) async throws -> (batch: KafkaConsumerBatch, partitions: [Int32: Partition])? {
        let numbers = Set(batch.map(\.partition))
        while true {
            // Before the transaction, whose time is limited.
            let partitions = try await self.restored(numbers)
            do {
                let processed = try await consumer.transform(batch, through: producer, attempts: 10) {
                    batch,
                    transaction in
                    guard batch.allSatisfy({ partitions[$0.partition] != nil }) else { throw NotRestored() }
                    for partition in partitions.values { partition.rollBack() }
                    try await body(batch, partitions, transaction)
                }
                guard let processed else { return nil }
                let kept = Set(processed.map(\.partition))
                for (number, partition) in partitions {
                    if kept.contains(number) { partition.commit() } else { partition.rollBack() }
                }
                return (processed, partitions)
            } catch is NotRestored {
                try Task.checkCancellation()
            }
        }
    }
}

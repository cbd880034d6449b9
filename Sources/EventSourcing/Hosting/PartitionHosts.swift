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
        var isRestored = false
    }

    private struct State {
        var hosts: [Int32: Host] = [:]
        var failure: (any Error)?
    }

    /// A partition of the batch has no state: that is restored before the batch is processed again.
    private struct NotRestored: Error {
        var numbers: Set<Int32>
    }

    private let make: @Sendable (Int32) -> Partition
    private let restore: @Sendable (Partition) async throws -> Void
    private let ended: @Sendable () -> Void
    private let givenUp: @Sendable (Partition) async -> Void
    private let state = Mutex(State())

    /// - Parameters:
    ///   - make: makes the state of a partition.
    ///   - restore: fills it.
    ///   - ended: called when a restoration has come to an end, whichever.
    ///   - givenUp: called with what was committed when a partition is given up in order.
    init(
        make: @escaping @Sendable (Int32) -> Partition,
        restore: @escaping @Sendable (Partition) async throws -> Void,
        ended: @escaping @Sendable () -> Void = {},
        givenUp: @escaping @Sendable (Partition) async -> Void = { _ in }
    ) {
        self.make = make
        self.restore = restore
        self.ended = ended
        self.givenUp = givenUp
    }

    /// The partitions that there are, restored or not.
    var current: [Int32: Partition] { self.state.withLock { $0.hosts.mapValues(\.partition) } }

    /// The partitions that are restored.
    var currentlyRestored: [Int32: Partition] {
        self.state.withLock { $0.hosts.filter(\.value.isRestored).mapValues(\.partition) }
    }

    /// Why a partition could not be restored.
    var failure: (any Error)? { self.state.withLock { $0.failure } }

    /// Hears of partitions that come and go.
    func observe(_ configuration: inout KafkaConsumer.Configuration) {
        configuration.onAssigned = { [hook = configuration.onAssigned] rebalance in
            self.came(Set(rebalance.partitions.map(\.partition)))
            await hook?(rebalance)
        }
        configuration.onRevoked = { [hook = configuration.onRevoked] rebalance in
            // At once: when this takes too long, the partitions may come back before it has ended.
            let hosts = self.remove(Set(rebalance.partitions.map(\.partition)))
            await hook?(rebalance)
            // Of one that was lost it is not known what became of the last transaction.
            for host in hosts {
                if case .success = await host.restoration.result { await self.givenUp(host.partition) }
            }
        }
        configuration.onLost = { [hook = configuration.onLost] rebalance in
            _ = self.remove(Set(rebalance.partitions.map(\.partition)))
            await hook?(rebalance)
        }
    }

    private func came(_ numbers: Set<Int32>) {
        for number in numbers {
            let partition = self.make(number)
            // It is known before its restoration can come to an end.
            let old = self.state.withLock { state in
                let restoration = self.restoration(of: partition, number)
                return state.hosts.updateValue(Host(partition: partition, restoration: restoration), forKey: number)
            }
            old?.restoration.cancel()
        }
    }

    private func restoration(of partition: Partition, _ number: Int32) -> Task<Void, any Error> {
        Task {
            defer { self.ended() }
            do {
                try await self.restore(partition)
            } catch is CancellationError {
                throw CancellationError()
            } catch {
                self.state.withLock { $0.failure = $0.failure ?? error }
                throw error
            }
            self.state.withLock { state in
                if state.hosts[number]?.partition === partition { state.hosts[number]?.isRestored = true }
            }
        }
    }

    private func remove(_ numbers: Set<Int32>) -> [Host] {
        let hosts = self.state.withLock { state in numbers.compactMap { state.hosts.removeValue(forKey: $0) } }
        for host in hosts { host.restoration.cancel() }
        return hosts
    }

    /// Partitions, once they are restored; those that were taken away meanwhile are left out.
    ///
    /// - Throws: why a partition could not be restored; `CancellationError`.
    func restored(_ numbers: Set<Int32>) async throws -> [Int32: Partition] {
        var partitions: [Int32: Partition] = [:]
        for number in numbers {
            guard let host = self.state.withLock({ $0.hosts[number] }) else { continue }
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
                    let missing = Set(batch.map(\.partition)).subtracting(partitions.keys)
                    guard missing.isEmpty else { throw NotRestored(numbers: missing) }
                    for partition in partitions.values { partition.rollBack() }
                    try await body(batch, partitions, transaction)
                }
                guard let processed else { return nil }
                let kept = Set(processed.map(\.partition))
                for (number, partition) in partitions {
                    if kept.contains(number) { partition.commit() } else { partition.rollBack() }
                }
                return (processed, partitions)
            } catch let error as NotRestored {
                try Task.checkCancellation()
                // They are owned, since only those are processed.
                self.came(error.numbers.subtracting(self.current.keys))
            }
        }
    }
}

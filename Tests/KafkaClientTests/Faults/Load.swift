import EmbeddedKafka
import Synchronization
import Testing

@testable import KafkaClient

/// Records sent at a steady rate until it is stopped: those of a partition are numbered from 0, which is also their offset
/// when none is lost, repeated or out of order.
final class Load: Sendable {
    /// What was sent, all of it acknowledged.
    struct Sent {
        /// How many records each partition got.
        var perPartition: [Int]
        /// How long it took.
        var duration: Duration = .zero

        var count: Int { self.perPartition.reduce(0, +) }
        /// Records per second.
        var rate: Int { Int(Double(self.count) / (self.duration / .seconds(1))) }
    }

    private let topic: String
    private let partitions: Int
    private let task = Mutex<Task<Sent, any Error>?>(nil)
    private let isStopping = Atomic<Bool>(false)

    /// Begins to send.
    init(
        to topic: String,
        partitions: Int,
        of cluster: EmbeddedKafkaCluster,
        _ change: (inout KafkaProducer.Configuration) -> Void = { _ in }
    ) {
        self.topic = topic
        self.partitions = partitions
        var configuration = KafkaProducer.Configuration.test(cluster)
        configuration.deliveryTimeout = .seconds(60)
        configuration.closeTimeout = .seconds(60)
        change(&configuration)
        self.task.withLock { task in
            task = Task { [configuration] in
                try await withProducer(configuration) { try await self.send(through: $0) }
            }
        }
    }

    /// Ends the load, and says what was sent.
    func stop() async throws -> Sent {
        self.isStopping.store(true, ordering: .relaxed)
        return try await self.task.withLock { $0 }?.value ?? Sent(perPartition: [])
    }

    private func send(through producer: KafkaProducer) async throws -> Sent {
        let (interval, turnsPerSecond) = (Duration.milliseconds(20), 50)
        let start = ContinuousClock.now
        var sent = Sent(perPartition: Array(repeating: 0, count: self.partitions))
        // What is on its way: a second's worth at most.
        var receipts: [[KafkaSendReceipt]] = []
        var turn = 0
        while !self.isStopping.load(ordering: .relaxed) {
            var handed: [KafkaSendReceipt] = []
            for number in 0..<FaultTests.rate / turnsPerSecond {
                let partition = number % self.partitions
                let value = "\(sent.perPartition[partition])"
                let record = KafkaProducerRecord(topic: self.topic, partition: Int32(partition), value: value)
                handed.append(try await producer.enqueue(record))
                sent.perPartition[partition] += 1
            }
            receipts.append(handed)
            if receipts.count == turnsPerSecond {
                for receipt in receipts.removeFirst() { _ = try await receipt.metadata }
            }
            turn += 1
            // What was held up is made up for.
            try await suspend(for: max(.zero, start + interval * turn - .now))
        }
        sent.duration = ContinuousClock.now - start
        for receipt in receipts.joined() { _ = try await receipt.metadata }
        return sent
    }
}

extension EmbeddedKafkaCluster {
    /// Expects that a topic holds what was sent: all of it, each once, in its order.
    func expectExactly(
        _ sent: Load.Sent,
        in topic: String,
        sourceLocation: SourceLocation = #_sourceLocation
    ) async throws {
        var stored: [[Int]] = Array(repeating: [], count: sent.perPartition.count)
        for record in try await self.allRecords(of: topic, partitions: stored.count) {
            stored[Int(record.partition)].append(Int(record.valueString ?? "") ?? -1)
        }
        for (partition, numbers) in stored.enumerated() {
            let count = sent.perPartition[partition]
            #expect(numbers.count == count, "partition \(partition)", sourceLocation: sourceLocation)
            #expect(numbers.elementsEqual(0..<count), "partition \(partition)", sourceLocation: sourceLocation)
        }
    }
}

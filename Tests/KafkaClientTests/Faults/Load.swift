import EmbeddedKafka
import Testing

@testable import KafkaClient

/// Records sent at a steady rate until it is stopped: those of a partition are numbered from 0, which is also their offset
/// when none is lost, repeated or out of order.
struct Load {
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

    private let task: Task<Sent, any Error>
    private let stopping = Completion()

    /// Begins to send.
    init(
        to topic: String,
        partitions: Int,
        of cluster: EmbeddedKafkaCluster,
        _ change: (inout KafkaProducer.Configuration) -> Void = { _ in }
    ) {
        var configuration = KafkaProducer.Configuration.test(cluster)
        configuration.deliveryTimeout = .seconds(60)
        configuration.closeTimeout = .seconds(60)
        change(&configuration)
        self.task = Task { [configuration, stopping] in
            try await withProducer(configuration) { producer in
                try await Self.send(through: producer, to: topic, partitions: partitions, until: stopping)
            }
        }
    }

    /// Ends the load, and says what was sent.
    func stop() async throws -> Sent {
        self.stopping.complete()
        return try await self.task.value
    }

    private static func send(
        through producer: KafkaProducer,
        to topic: String,
        partitions: Int,
        until stopping: Completion
    ) async throws -> Sent {
        let (interval, turnsPerSecond) = (Duration.milliseconds(20), 50)
        let start = ContinuousClock.now
        var sent = Sent(perPartition: Array(repeating: 0, count: partitions))
        // What is on its way: a second's worth at most.
        var receipts: [[KafkaSendReceipt]] = []
        var turn = 0
        while !stopping.isComplete {
            var handed: [KafkaSendReceipt] = []
            for number in 0..<FaultTests.rate / turnsPerSecond {
                let partition = number % partitions
                let value = "\(sent.perPartition[partition])"
                let record = KafkaProducerRecord(topic: topic, partition: Int32(partition), value: value)
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
    /// What a topic holds of what was sent to it, for each partition.
    func tallies(of topic: String, _ sent: Load.Sent) async throws -> [OffsetTally] {
        var tallies = Array(repeating: OffsetTally(), count: sent.perPartition.count)
        for record in try await self.allRecords(of: topic, partitions: tallies.count) {
            let number = try #require(record.valueString.flatMap { Int64($0) })
            tallies[Int(record.partition)].take(number)
        }
        for (partition, count) in sent.perPartition.enumerated() { tallies[partition].end(at: count) }
        return tallies
    }
}

extension Load.Sent {
    /// What the tallies are when everything is there, each record once and in its order.
    var asTallies: [OffsetTally] { self.perPartition.map { OffsetTally(next: Int64($0)) } }
}

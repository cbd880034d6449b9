import EmbeddedKafka
import Synchronization
import TestSupport
import Testing

@testable import KafkaClient

/// Records that are processed concurrently, of partitions that the group gives and takes.
@Suite(.timeLimit(.minutes(1)))
struct ProcessGroupTests {
    private func configuration(
        _ cluster: EmbeddedKafkaCluster,
        assignor: KafkaConsumer.Assignor = .cooperativeSticky
    ) -> KafkaConsumer.Configuration {
        var configuration = KafkaConsumer.Configuration.test(cluster, group: uniqueName("group"))
        configuration.assignors = [assignor]
        configuration.maxBatchRecords = 20
        return configuration
    }

    /// Sends records with these keys to each partition.
    private func fill(_ cluster: EmbeddedKafkaCluster, _ topic: String, partitions: Int, keys: [String]) async throws {
        try await withProducer(.test(cluster)) { producer in
            for partition in 0..<Int32(partitions) {
                let records = keys.map {
                    KafkaProducerRecord(topic: topic, partition: partition, key: Array($0.utf8), value: [])
                }
                for result in try await producer.send(contentsOf: records) { _ = try result.get() }
            }
        }
    }

    @Test(arguments: [KafkaConsumer.Assignor.cooperativeSticky, .range])
    func everyRecordIsProcessedOnceAndInOrderWhileMembersComeAndGo(assignor: KafkaConsumer.Assignor) async throws {
        try await withTopic(partitions: 4) { cluster, topic in
            let log = ProcessLog()
            let configuration = self.configuration(cluster, assignor: assignor)
            let keys = (0..<200).map { "k\($0 % 17)" }
            @Sendable func process(_ consumer: KafkaConsumer) async throws {
                try await consumer.process(concurrency: 4, window: 50) { record in
                    await log.run(record) {
                        for _ in 0..<Int.random(in: 0..<10) { await Task.yield() }
                    }
                }
            }
            try await withConsumer(configuration, subscribedTo: [topic]) { first in
                let firstWorks = Task { try await process(first) }
                try await eventually("the first member has all") { first.assignment.count == 4 }
                try await self.fill(cluster, topic, partitions: 4, keys: keys)
                try await withConsumer(configuration, subscribedTo: [topic]) { second in
                    let secondWorks = Task { try await process(second) }
                    try await eventually("both have two partitions") {
                        first.assignment.count == 2 && second.assignment.count == 2
                    }
                    try await self.fill(cluster, topic, partitions: 4, keys: keys)
                    try await eventually("both rounds are processed") { Set(log.finished).count == 1_600 }
                    secondWorks.cancel()
                    try await secondWorks.value
                }
                try await eventually("the first member has all again") { first.assignment.count == 4 }
                try await self.fill(cluster, topic, partitions: 4, keys: ["last"])
                try await eventually("the last ones are processed") { Set(log.finished).count == 1_604 }
                firstWorks.cancel()
                try await firstWorks.value
            }
            // Records that were done ahead of the frontier when their partition moved are done again, in their order.
            #expect(log.overlappingKeys.isEmpty)
            for (key, offsets) in log.offsetsByKey {
                #expect(offsets.reduced == offsets.reduced.sorted(), "\(key) is processed in order")
            }
        }
    }

    @Test func whatIsBegunOfARevokedPartitionIsFinishedAndCommitted() async throws {
        try await withTopic { cluster, topic in
            let configuration = self.configuration(cluster, assignor: .range)
            try await self.fill(cluster, topic, partitions: 1, keys: (0..<30).map { "k\($0)" })
            let partition = KafkaTopicPartition(topic: topic, partition: 0)
            let gate = Gate()
            let log = ProcessLog()
            try await withConsumer(configuration, subscribedTo: [topic]) { first in
                let processing = Task {
                    try await first.process(concurrency: 3) { record in
                        await log.run(record) {
                            if record.offset >= 6 { await gate.wait() }
                        }
                    }
                }
                try await eventually("three are in hand") { log.started.count == 9 }
                let revoking = Task {
                    try await withConsumer(configuration, subscribedTo: [topic]) { second in
                        try await eventually("one of them has the partition") {
                            first.assignment.count + second.assignment.count == 1 && log.finished.count >= 9
                        }
                    }
                }
                try await eventually("the partition is to be given up") {
                    first.core.readers.withLock { $0 }?.isReading(partition) == false
                }
                try await always(for: .milliseconds(300), "nothing is begun any more") { log.started.count == 9 }
                gate.open()
                try await revoking.value
                try await eventually("all is processed") { Set(log.finished).count == 30 }
                processing.cancel()
                try await processing.value
            }
            #expect(log.finished.count == 30, "what was begun was committed, so nothing is done twice")
        }
    }

    @Test func theFrontierIsCommittedAtTheDeadlineAndNothingBeyond() async throws {
        try await withTopic { cluster, topic in
            var configuration = self.configuration(cluster, assignor: .range)
            configuration.revocationTimeout = .milliseconds(300)
            try await self.fill(cluster, topic, partitions: 1, keys: (0..<20).map { "k\($0)" })
            let partition = KafkaTopicPartition(topic: topic, partition: 0)
            let gate = Gate()
            let log = ProcessLog()
            let captured = CapturedLog()
            try await withConsumer(configuration, subscribedTo: [topic], log: captured) { first in
                let processing = Task {
                    try await first.process(concurrency: 2) { record in
                        await log.run(record) {
                            if record.offset == 5 { await gate.wait() }
                        }
                    }
                }
                try await eventually("all others are done ahead of the slow one") { log.finished.count == 19 }
                try await withConsumer(configuration, subscribedTo: [topic]) { second in
                    try await eventually("the partition is given up") { captured.contains("revocationTimeout") }
                    try await eventually("somebody has it") { first.assignment.count + second.assignment.count == 1 }
                    let committed = try await second.committedOffsets(for: [partition])
                    #expect(committed == [partition: 5])
                }
                // It comes back to the first member, which waits for the handler that still runs before it begins anew.
                try await eventually("the first member has it again") { first.assignment.count == 1 }
                try await always(for: .milliseconds(300), "nothing overtakes the slow one") { log.started.count == 20 }
                gate.open()
                try await eventually("the rest is done again") { log.finished.count == 20 + 15 }
                try await first.commit()
                #expect(first.acknowledgedCommits[partition] == 20)
                processing.cancel()
                try await processing.value
            }
            #expect(log.overlappingKeys.isEmpty)
        }
    }

    @Test func aPartitionThatStandsStillForTooLongIsLostAndSaysSo() async throws {
        try await withTopic { cluster, topic in
            var configuration = self.configuration(cluster)
            configuration.sessionTimeout = .seconds(3)
            configuration.maxPollInterval = .seconds(3)
            try await self.fill(cluster, topic, partitions: 1, keys: ["a", "b", "c"])
            let partition = KafkaTopicPartition(topic: topic, partition: 0)
            let log = ProcessLog()
            try await withConsumer(configuration, subscribedTo: [topic]) { consumer in
                let error = await #expect(throws: KafkaError.self) {
                    try await consumer.process(concurrency: 2) { record in
                        await log.run(record) {
                            // Handlers are cancelled when processing ends.
                            if record.offset == 1 { await waitForCancellation() }
                        }
                    }
                }
                #expect(error?.code == .maxPollIntervalExceeded)
                // Processing again joins again, and begins behind what was committed, if anything was.
                let processing = Task { try await consumer.process { record in await log.run(record) {} } }
                try await eventually("the rest is processed") {
                    try await consumer.commit()
                    return consumer.acknowledgedCommits[partition] == 3
                }
                processing.cancel()
                try await processing.value
            }
            #expect(log.finished.filter { $0 == "0/1" }.count == 2)
        }
    }
}

extension [Int64] {
    /// Without repetitions of what came before: a record that is done again is in its place.
    fileprivate var reduced: [Int64] {
        var seen: Set<Int64> = []
        return self.filter { seen.insert($0).inserted }
    }
}

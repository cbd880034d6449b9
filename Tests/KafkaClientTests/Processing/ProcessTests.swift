import EmbeddedKafka
import Synchronization
import TestSupport
import Testing

@testable import KafkaClient

/// Records that are processed concurrently, without rebalances.
@Suite(.timeLimit(.minutes(1)))
struct ProcessTests {
    struct Failure: Error {}

    private func configuration(_ cluster: EmbeddedKafkaCluster) -> KafkaConsumer.Configuration {
        var configuration = KafkaConsumer.Configuration.test(cluster, group: uniqueName("group"))
        configuration.maxBatchRecords = 20
        return configuration
    }

    /// Sends records with these keys to a partition; the values are their numbers.
    private func fill(
        _ cluster: EmbeddedKafkaCluster,
        _ topic: String,
        partition: Int32 = 0,
        keys: [String?]
    ) async throws {
        try await withProducer(.test(cluster)) { producer in
            let records = keys.enumerated().map { number, key in
                KafkaProducerRecord(
                    topic: topic,
                    partition: partition,
                    key: key.map { Array($0.utf8) },
                    value: Array("\(number)".utf8)
                )
            }
            for result in try await producer.send(contentsOf: records) { _ = try result.get() }
        }
    }

    @Test(arguments: [1, 7])
    func recordsOfAKeyStayInOrder(concurrency: Int) async throws {
        try await withTopic(partitions: 2) { cluster, topic in
            for partition in Int32(0)..<2 {
                try await self.fill(cluster, topic, partition: partition, keys: (0..<500).map { "k\($0 * $0 % 23)" })
            }
            let log = ProcessLog()
            try await withConsumer(self.configuration(cluster), subscribedTo: [topic]) { consumer in
                let processing = Task {
                    try await consumer.process(concurrency: concurrency, window: 100) { record in
                        await log.run(record) {
                            for _ in 0..<Int.random(in: 0..<20) { await Task.yield() }
                        }
                    }
                }
                try await eventually("all is processed") { log.finished.count == 1_000 }
                processing.cancel()
                try await processing.value
                try await consumer.commit()
                #expect(consumer.acknowledgedCommits.values.sorted() == [500, 500])
            }
            #expect(log.mostAtOnce <= concurrency)
            #expect(log.overlappingKeys.isEmpty, "records of a key are never processed at the same time")
            for (key, offsets) in log.offsetsByKey {
                #expect(offsets == offsets.sorted(), "\(key) is processed in order")
            }
            #expect(Set(log.finished).count == 1_000)
        }
    }

    @Test func aSlowKeyHoldsUpNoOtherUntilTheWindowIsFull() async throws {
        try await withTopic(partitions: 2) { cluster, topic in
            try await self.fill(cluster, topic, partition: 0, keys: ["slow"] + (1..<200).map { "k\($0)" })
            try await self.fill(cluster, topic, partition: 1, keys: (0..<200).map { "k\($0)" })
            let gate = Gate()
            let log = ProcessLog()
            try await withConsumer(self.configuration(cluster), subscribedTo: [topic]) { consumer in
                let processing = Task {
                    try await consumer.process(concurrency: 4, window: 50) { record in
                        await log.run(record) {
                            if record.keyString == "slow" { await gate.wait() }
                        }
                    }
                }
                try await eventually("the other partition is processed, and this one as far as the window reaches") {
                    log.finished.count == 200 + 49
                }
                #expect(log.started.filter { $0.hasPrefix("0/") }.count == 50)
                let slow = KafkaTopicPartition(topic: topic, partition: 0)
                try await consumer.commit()
                #expect(consumer.acknowledgedCommits[slow] == nil)
                gate.open()
                try await eventually("all is processed") { log.finished.count == 400 }
                try await consumer.commit()
                #expect(consumer.acknowledgedCommits[slow] == 200)
                processing.cancel()
                try await processing.value
            }
            #expect(log.mostAtOnce <= 4)
        }
    }

    @Test func recordsWithoutKeyAndUnorderedOnesDoNotWait() async throws {
        for ordering in [KafkaConsumer.ProcessingOrder.key, .unordered] {
            try await withTopic { cluster, topic in
                try await self.fill(cluster, topic, keys: Array(repeating: ordering == .key ? nil : "same", count: 5))
                let gate = Gate()
                let log = ProcessLog()
                try await withConsumer(self.configuration(cluster), subscribedTo: [topic]) { consumer in
                    let processing = Task {
                        try await consumer.process(ordering: ordering, concurrency: 5) { record in
                            await log.run(record) { await gate.wait() }
                        }
                    }
                    try await eventually("all are being processed") { log.started.count == 5 }
                    gate.open()
                    processing.cancel()
                    try await processing.value
                }
            }
        }
    }

    @Test func aPartitionInOrderHasOneRecordInHand() async throws {
        try await withTopic(partitions: 2) { cluster, topic in
            for partition in Int32(0)..<2 {
                try await self.fill(cluster, topic, partition: partition, keys: (0..<20).map { "k\($0)" })
            }
            let gate = Gate()
            let log = ProcessLog()
            try await withConsumer(self.configuration(cluster), subscribedTo: [topic]) { consumer in
                let processing = Task {
                    try await consumer.process(ordering: .partition, concurrency: 8) { record in
                        await log.run(record) { await gate.wait() }
                    }
                }
                try await eventually("one of each is in hand") { log.started.count == 2 }
                try await always(for: .milliseconds(200), "no other one begins") { log.started.count == 2 }
                gate.open()
                try await eventually("all is processed") { log.finished.count == 40 }
                processing.cancel()
                try await processing.value
            }
            #expect(log.finished.filter { $0.hasPrefix("0/") } == (0..<20).map { "0/\($0)" })
        }
    }

    @Test func anErrorEndsProcessingAndCommitsUpToTheFailedRecord() async throws {
        try await withTopic { cluster, topic in
            try await self.fill(cluster, topic, keys: (0..<100).map { "k\($0 % 10)" })
            let isBroken = Atomic<Bool>(true)
            let log = ProcessLog()
            let partition = KafkaTopicPartition(topic: topic, partition: 0)
            try await withConsumer(self.configuration(cluster), subscribedTo: [topic]) { consumer in
                await #expect(throws: Failure.self) {
                    try await consumer.process(concurrency: 4) { record in
                        // Fails once others were done ahead of it.
                        if record.offset == 33, isBroken.load(ordering: .relaxed) {
                            // All before it too: a record that was not begun yet would hold the frontier.
                            let others = Set((0..<33).map { "0/\($0)" } + ["0/42"])
                            try await eventually("others are done") { others.isSubset(of: log.finished) }
                            throw Failure()
                        }
                        await log.run(record) {}
                    }
                }
                #expect(consumer.acknowledgedCommits == [partition: 33])
                #expect(!log.finished.contains("0/43"), "the next one of the key waits")
                isBroken.store(false, ordering: .relaxed)
                let processing = Task { try await consumer.process { record in await log.run(record) {} } }
                try await eventually("all is processed") { log.finished.count == 100 }
                processing.cancel()
                try await processing.value
                try await consumer.commit()
                #expect(consumer.acknowledgedCommits == [partition: 100])
            }
            #expect(Set(log.finished).count == 100)
            for (key, offsets) in log.offsetsByKey { #expect(offsets == offsets.sorted(), "\(key)") }
        }
    }

    @Test func whatIsInHandIsFinishedBeforeAnErrorIsThrown() async throws {
        try await withTopic { cluster, topic in
            try await self.fill(cluster, topic, keys: ["a", "b"])
            let log = ProcessLog()
            let gate = Gate()
            try await withConsumer(self.configuration(cluster), subscribedTo: [topic]) { consumer in
                let processing = Task {
                    try await consumer.process(concurrency: 2) { record in
                        if record.offset == 1 {
                            try await eventually("the other one is in hand") { log.started.count == 1 }
                            defer { gate.open() }
                            throw Failure()
                        }
                        await log.run(record) {
                            await gate.wait()
                            for _ in 0..<100 { await Task.yield() }
                            #expect(!Task.isCancelled)
                        }
                    }
                }
                await #expect(throws: Failure.self) { try await processing.value }
                #expect(log.finished == ["0/0"])
                #expect(consumer.acknowledgedCommits.values.max() == 1)
            }
        }
    }

    @Test func closingFinishesWhatIsInHandAndCommitsTheFrontier() async throws {
        try await withTopic { cluster, topic in
            try await self.fill(cluster, topic, keys: (0..<100).map { "k\($0)" })
            let configuration = self.configuration(cluster)
            let consumer = try KafkaConsumer(configuration: configuration, logger: CapturedLog().makeLogger())
            try await consumer.subscribe(to: [topic])
            let gate = Gate()
            let log = ProcessLog()
            let processing = Task {
                try await consumer.process(concurrency: 3) { record in
                    await log.run(record) {
                        if record.offset >= 10 { await gate.wait() }
                    }
                }
            }
            try await eventually("three are in hand") { log.started.count == 13 }
            let closing = Task { await consumer.close() }
            try await eventually("the consumer is closing") { consumer.core.state.withLock { $0.phase != .open } }
            gate.open()
            try await withDeadline(.seconds(20), "closing") { await closing.value }
            try await withDeadline(.seconds(20), "processing") { try await processing.value }
            #expect(log.finished.count == 13, "nothing is begun any more")
            #expect(consumer.acknowledgedCommits.values.max() == 13)
            try await consumer.process { _ in Issue.record("a closed consumer has no records") }
        }
    }

    @Test func cancellingCancelsHandlersWhoseRecordsAreNotDone() async throws {
        try await withTopic { cluster, topic in
            try await self.fill(cluster, topic, keys: ["a", "b", "c"])
            let seen = Collected<Int64>()
            try await withConsumer(self.configuration(cluster), subscribedTo: [topic]) { consumer in
                let processing = Task {
                    try await consumer.process { record in
                        seen.append(record.offset)
                        if record.offset == 1 {
                            await waitForCancellation()
                            throw CancellationError()
                        }
                    }
                }
                try await eventually("all are begun") { seen.count == 3 }
                processing.cancel()
                try await processing.value
                try await consumer.commit()
                #expect(consumer.acknowledgedCommits.values.max() == 1)
            }
        }
    }

    @Test func wrongUseIsRefused() async throws {
        try await withTopic { cluster, topic in
            try await self.fill(cluster, topic, keys: ["a"])
            try await withConsumer(self.configuration(cluster), subscribedTo: [topic]) { consumer in
                for (concurrency, window) in [(0, 1), (10_001, 1), (1, 0), (1, 1_000_001)] {
                    let error = await #expect(throws: KafkaError.self) {
                        try await consumer.process(concurrency: concurrency, window: window) { _ in }
                    }
                    #expect(error?.code == .configuration)
                }
                let gate = Gate()
                let begun = Gate()
                let processing = Task {
                    try await consumer.process { _ in
                        begun.open()
                        await gate.wait()
                    }
                }
                await begun.wait()
                let twice = await #expect(throws: KafkaError.self) { try await consumer.process { _ in } }
                #expect(twice?.code == .invalidState)
                let mixed = await #expect(throws: KafkaError.self) { try await consumer.read(1) }
                #expect(mixed?.message.contains("process") == true)
                gate.open()
                processing.cancel()
                try await processing.value
            }
        }
    }
}

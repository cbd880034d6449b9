import EmbeddedKafka
import Synchronization
import TestSupport
import Testing

@testable import KafkaClient

extension FaultTests {
    /// Clients under load that are closed in the middle of whatever they do.
    @Suite struct CloseAtAnyMomentTests {
        private static let partitions = 3
        private static let closes = 200

        /// How a consumer is read.
        private enum Reader: CaseIterable {
            case records, batches, partitions, process
        }

        /// Every consumer begins where the one before it ended: what that one had processed was committed, and nothing else.
        @Test func aConsumerThatIsClosedLosesNoCommit() async throws {
            try await withCluster(topics: ["t": Self.partitions]) { cluster in
                let load = Load(to: "t", partitions: Self.partitions, of: cluster)
                var tallies: [KafkaTopicPartition: OffsetTally] = [:]
                var ends: [Completion] = []
                var readers = 0
                var slowest = Duration.zero
                for number in 0..<Self.closes {
                    let reader = Reader.allCases[number % Reader.allCases.count]
                    // Joining takes some tens of milliseconds; reading goes on for as long.
                    let moment = Duration.microseconds(Int.random(in: 0...150_000))
                    var configuration = KafkaConsumer.Configuration.test(cluster, group: "g")
                    // librdkafka before 2.3 can't destroy a cooperative member that has joined and was given nothing yet.
                    configuration.assignors = [.range]
                    configuration.commitPolicy = .afterProcessing(interval: .milliseconds(20))
                    configuration.closeTimeout = .seconds(10)
                    let consumer = try KafkaConsumer(configuration: configuration, logger: CapturedLog().makeLogger())
                    ends.append(try consumer.core.client(for: "test").destruction)
                    try await consumer.subscribe(to: ["t"])
                    let reading = Task { try await self.read(consumer, by: reader) }
                    try await suspend(for: moment)
                    let start = ContinuousClock.now
                    try await withDeadline(.seconds(60), "close number \(number)") { await consumer.close() }
                    slowest = max(slowest, ContinuousClock.now - start)
                    let read = try await withDeadline(.seconds(30), "the reader's end") { try await reading.value }
                    readers += read.isEmpty ? 0 : 1
                    for (partition, offsets) in read {
                        // `process` works on several keys at a time.
                        tallies[partition, default: OffsetTally()]
                            .take(reader == .process ? offsets.sorted() : offsets)
                        #expect(
                            tallies[partition]?.isClean == true,
                            "close \(number) after \(moment), read by \(reader), \(partition): \(offsets)"
                        )
                    }
                }
                let sent = try await load.stop()
                try await eventually("all clients are destroyed") { ends.allSatisfy(\.isComplete) }
                let committed = try await withConsumer(.test(cluster, group: "g")) {
                    try await $0.committedOffsets(for: Array(tallies.keys))
                }
                #expect(committed == tallies.mapValues(\.next), "the last one, too, has committed")
                #expect(slowest < .seconds(10), "within the time-out")
                #expect(readers > Self.closes / 10, "some had begun to read, or this shows little")
                FaultTests.report(
                    "consumers closed at random moments",
                    [
                        "closed": Self.closes, "had read": readers,
                        "records": tallies.values.reduce(0) { $0 + Int($1.next) }, "a second": sent.rate,
                        "slowest close in ms": Int(slowest / .milliseconds(1)),
                        "not destroyed": ends.count { !$0.isComplete }, "read again": tallies.values.repeated,
                        "skipped": tallies.values.missing,
                    ]
                )
            }
        }

        /// What was handed over is acknowledged or has an error, and only what was acknowledged is there.
        @Test(arguments: [false, true])
        func aProducerThatIsClosedKeepsItsWord(isTransactional: Bool) async throws {
            try await withCluster(topics: ["t": Self.partitions]) { cluster in
                var ends: [Completion] = []
                var acknowledged: Set<String> = []
                var refused = 0
                for number in 0..<Self.closes {
                    let moment = Duration.microseconds(Int.random(in: 0...20_000))
                    var configuration = KafkaProducer.Configuration.test(cluster)
                    if isTransactional { configuration.transactionalID = "id" }
                    // Some senders wait for room when the end comes.
                    configuration.maxQueuedRecords = 200
                    let producer = try KafkaProducer(configuration: configuration, logger: CapturedLog().makeLogger())
                    ends.append(try producer.core.client(for: "test").destruction)
                    let sending = (0..<4).map { task in
                        Task {
                            isTransactional
                                ? await self.sendInTransactions(producer, "\(number)-\(task)")
                                : await self.send(producer, "\(number)-\(task)")
                        }
                    }
                    try await suspend(for: moment)
                    try await withDeadline(.seconds(60), "close number \(number)") { await producer.close() }
                    for task in sending {
                        let outcome = try await withDeadline(.seconds(30), "the sender's end") { await task.value }
                        acknowledged.formUnion(outcome.acknowledged)
                        refused += outcome.error?.code == .closed ? 1 : 0
                        #expect(outcome.error?.code == .closed, "close \(number) after \(moment): \(outcome)")
                    }
                }
                try await eventually("all clients are destroyed") { ends.allSatisfy(\.isComplete) }
                let stored = try await cluster.values(of: "t", partitions: Self.partitions)
                #expect(stored.count == acknowledged.count)
                #expect(Set(stored) == acknowledged)
                let kind = isTransactional ? "transactional producers" : "producers"
                FaultTests.report(
                    "\(kind) closed at random moments",
                    ["closed": Self.closes, "records": stored.count, "senders refused": refused]
                )
            }
        }
    }
}

extension FaultTests.CloseAtAnyMomentTests {
    /// Reads until the consumer is closed.
    ///
    /// - Returns: the offsets that were processed of each partition, in their order.
    private func read(_ consumer: KafkaConsumer, by reader: Reader) async throws -> [KafkaTopicPartition: [Int64]] {
        let seen = Mutex<[KafkaTopicPartition: [Int64]]>([:])
        let take = { @Sendable (record: KafkaConsumerRecord) in
            seen.withLock { $0[record.topicPartition, default: []].append(record.offset) }
        }
        switch reader {
        case .records:
            for try await record in consumer.records { take(record) }
        case .batches:
            for try await batch in consumer.batches { batch.forEach(take) }
        case .partitions:
            try await consumer.forEachPartition { for try await record in $0.records { take(record) } }
        case .process:
            try await consumer.process(concurrency: 8) { take($0) }
        }
        return seen.withLock { $0 }
    }

    /// What a task came to that sent until its producer was closed.
    private struct Sending {
        var acknowledged: [String] = []
        var error: KafkaError?
    }

    private func send(_ producer: KafkaProducer, _ name: String) async -> Sending {
        var sending = Sending()
        var receipts: [(value: String, receipt: KafkaSendReceipt)] = []
        do throws(any Error) {
            for number in 0... {
                let value = "\(name)-\(number)"
                receipts.append((value, try await producer.enqueue(KafkaProducerRecord(topic: "t", value: value))))
            }
        } catch {
            sending.error = error as? KafkaError
        }
        for (value, receipt) in receipts where (try? await receipt.metadata) != nil {
            sending.acknowledged.append(value)
        }
        return sending
    }

    private func sendInTransactions(_ producer: KafkaProducer, _ name: String) async -> Sending {
        var sending = Sending()
        do throws(any Error) {
            for number in 0... {
                let values = (0..<5).map { "\(name)-\(number)-\($0)" }
                try await producer.withTransaction { transaction in
                    for value in values {
                        try await transaction.enqueue(KafkaProducerRecord(topic: "t", value: value))
                    }
                }
                sending.acknowledged += values
            }
        } catch {
            sending.error = error as? KafkaError
        }
        return sending
    }
}

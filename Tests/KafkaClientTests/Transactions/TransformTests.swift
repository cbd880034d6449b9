import EmbeddedKafka
import TestSupport
import Testing

@testable import KafkaClient

/// Consuming, transforming and producing in transactions.
@Suite(.timeLimit(.minutes(1)))
struct TransformTests {
    /// Sends each value on to the topic "out".
    private static func copy(_ batch: KafkaConsumerBatch, _ transaction: KafkaTransaction) async throws {
        for record in batch {
            try await transaction.enqueue(KafkaProducerRecord(topic: "out", partition: 0, value: record.value))
        }
    }

    @Test func eachBatchIsProcessedInATransaction() async throws {
        try await withCluster(topics: ["in": 1, "out": 1]) { cluster in
            let values = (0..<500).map { "\($0)" }
            try await withProducer(.test(cluster)) { try await $0.fill("in", values: values) }
            var configuration = KafkaConsumer.Configuration.manual(cluster, group: "g")
            configuration.maxBatchRecords = 100
            let batches = Collected<Int>()
            try await withProducer(.transactional(cluster, "id")) { producer in
                try await withConsumer(configuration, subscribedTo: ["in"]) { consumer in
                    let task = Task {
                        try await consumer.transform(through: producer) { batch, transaction in
                            batches.append(batch.count)
                            try await Self.copy(batch, transaction)
                        }
                    }
                    try await eventually("all are processed") { try await cluster.committed("in", group: "g") == 500 }
                    // Cancelled while it waits for records, it just returns.
                    task.cancel()
                    try await task.value
                }
            }
            #expect(try await cluster.values(of: "out") == values)
            #expect(batches.count >= 5)
        }
    }

    /// Whatever comes in the time of an interval is one transaction; a whole batch does not wait.
    @Test func anIntervalMakesFewerTransactions() async throws {
        try await withCluster(topics: ["in": 1, "out": 1]) { cluster in
            let values = (0..<20).map { "\($0)" }
            let ends = try await cluster.observe(.endTransaction)
            var configuration = KafkaConsumer.Configuration.manual(cluster, group: "g")
            configuration.maxBatchRecords = 50
            try await withProducer(.transactional(cluster, "id")) { producer in
                try await withConsumer(configuration, subscribedTo: ["in"]) { consumer in
                    let task = Task {
                        try await consumer.transform(through: producer, interval: .seconds(250)) {
                            try await Self.copy($0, $1)
                        }
                    }
                    try await withProducer(.test(cluster)) { filler in
                        // The first ones do not wait for others.
                        try await filler.fill("in", values: ["first"])
                        try await eventually("the first is committed") { try await ends.count == 1 }
                        for value in values { try await filler.fill("in", values: [value]) }
                    }
                    task.cancel()
                    try await task.value
                }
            }
            #expect(try await ends.count == 1, "what comes within the interval waits for its end")
            #expect(try await cluster.values(of: "out") == ["first"])
        }
    }

    @Test func aWholeBatchDoesNotWaitForTheInterval() async throws {
        try await withCluster(topics: ["in": 1, "out": 1]) { cluster in
            let values = (0..<500).map { "\($0)" }
            try await withProducer(.test(cluster)) { try await $0.fill("in", values: values) }
            var configuration = KafkaConsumer.Configuration.manual(cluster, group: "g")
            configuration.maxBatchRecords = 50
            try await withProducer(.transactional(cluster, "id")) { producer in
                try await withConsumer(configuration, subscribedTo: ["in"]) { consumer in
                    let task = Task {
                        try await consumer.transform(through: producer, interval: .seconds(250)) {
                            try await Self.copy($0, $1)
                        }
                    }
                    try await eventually("all but the last batch are processed") {
                        try await cluster.committed("in", group: "g") ?? 0 >= 450
                    }
                    task.cancel()
                    _ = await task.result
                    #expect(consumer.acknowledgedCommits.values.first ?? 0 >= 450, "commits of transactions are known")
                }
            }
        }
    }

    /// What was processed is in nobody's hand while the interval goes on.
    @Test func aRevocationDoesNotWaitForTheInterval() async throws {
        try await withCluster(topics: ["in": 2, "out": 1]) { cluster in
            var configuration = KafkaConsumer.Configuration.manual(cluster, group: "g")
            configuration.revocationTimeout = .seconds(200)
            // All partitions are taken away, also the one that was processed.
            configuration.assignors = [.range]
            let members = configuration
            try await withProducer(.transactional(cluster, "id")) { producer in
                try await withConsumer(configuration, subscribedTo: ["in"]) { consumer in
                    let task = Task {
                        try await consumer.transform(through: producer, interval: .seconds(250)) {
                            try await Self.copy($0, $1)
                        }
                    }
                    try await withProducer(.test(cluster)) { filler in
                        for partition in Int32(0)...1 {
                            try await filler.fill("in", partition: partition, values: ["\(partition)"])
                        }
                    }
                    try await eventually("something is committed") { !consumer.acknowledgedCommits.isEmpty }
                    try await withConsumer(members, subscribedTo: ["in"]) { other in
                        let reading = Task { for try await _ in other.batches {} }
                        try await eventually("the other one has a partition") { other.assignment.count == 1 }
                        reading.cancel()
                        try await reading.value
                    }
                    task.cancel()
                    try await task.value
                }
            }
        }
    }

    @Test func aTransactionThatHadToBeAbortedIsDoneAgain() async throws {
        try await withCluster(topics: ["in": 1, "out": 1]) { cluster in
            try await withProducer(.test(cluster)) { try await $0.fill("in", values: ["1", "2", "3"]) }
            // Unknown producer id, illegal generation.
            let produce = try await cluster.faults.add(.init(.produce, .error(59), topic: "out"))
            let commit = try await cluster.faults.add(.init(.transactionOffsetCommit, .error(22)))
            let attempts = Collected<Int>()
            try await withProducer(.transactional(cluster, "id")) { producer in
                try await withConsumer(.manual(cluster, group: "g"), subscribedTo: ["in"]) { consumer in
                    let task = Task {
                        try await consumer.transform(through: producer) { batch, transaction in
                            attempts.append(transaction.attempt)
                            try await Self.copy(batch, transaction)
                        }
                    }
                    try await eventually("all are processed") { try await cluster.committed("in", group: "g") == 3 }
                    task.cancel()
                    try await task.value
                }
            }
            #expect(attempts.elements.prefix(2) == [1, 2])
            #expect(try await produce.count == 1)
            #expect(try await commit.count == 1)
            #expect(try await cluster.values(of: "out") == ["1", "2", "3"])
        }
    }

    @Test func whatTheBodyThrowsEndsTheLoopAndTheBatchIsReadAgain() async throws {
        try await withCluster(topics: ["in": 1, "out": 1]) { cluster in
            try await withProducer(.test(cluster)) { try await $0.fill("in", values: ["1", "2", "3"]) }
            try await withProducer(.transactional(cluster, "id")) { producer in
                try await withConsumer(.manual(cluster, group: "g"), subscribedTo: ["in"]) { consumer in
                    let refused = Collected<KafkaConsumerBatch>()
                    await #expect(throws: Refusal.self) {
                        try await consumer.transform(through: producer) { batch, transaction in
                            refused.append(batch)
                            try await Self.copy(batch, transaction)
                            throw Refusal()
                        }
                    }
                    #expect(try await cluster.committed("in", group: "g") == nil)
                    #expect(try await cluster.values(of: "out") == [])
                    // The same consumer gets it again.
                    let task = Task {
                        try await consumer.transform(through: producer) { try await Self.copy($0, $1) }
                    }
                    try await eventually("all are processed") { try await cluster.committed("in", group: "g") == 3 }
                    task.cancel()
                    try await task.value
                    #expect(refused.elements.first?.map(\.valueString) == ["1", "2", "3"], "it can still be looked at")
                }
            }
            #expect(try await cluster.values(of: "out") == ["1", "2", "3"])
        }
    }

    @Test func aFencedProducerEndsTheLoop() async throws {
        try await withCluster(topics: ["in": 1, "out": 1]) { cluster in
            try await withProducer(.test(cluster)) { try await $0.fill("in", values: ["1"]) }
            try await withProducer(.transactional(cluster, "id")) { producer in
                try await withConsumer(.manual(cluster, group: "g"), subscribedTo: ["in"]) { consumer in
                    let attempts = Collected<Int>()
                    let error = await #expect(throws: KafkaError.self) {
                        try await consumer.transform(through: producer) { batch, transaction in
                            attempts.append(transaction.attempt)
                            try await Self.copy(batch, transaction)
                            try await withProducer(.transactional(cluster, "id")) { other in
                                try await other.initializeTransactions()
                            }
                        }
                    }
                    #expect(error?.code == .fenced)
                    #expect(attempts.elements == [1])
                }
            }
            #expect(try await cluster.committed("in", group: "g") == nil)
        }
    }

    @Test func anUnknownOutcomeIsWaitedFor() async throws {
        try await withCluster(topics: ["in": 1, "out": 1]) { cluster in
            try await withProducer(.test(cluster)) { try await $0.fill("in", values: ["1"]) }
            var configuration = KafkaProducer.Configuration.transactional(cluster, "id")
            // Long enough that the broker does not end the second transaction, as it would one whose producer is gone.
            configuration.transactionTimeout = .seconds(8)
            configuration.additional["socket.timeout.ms"] = "500"
            let log = CapturedLog()
            try await withProducer(configuration, log: log) { producer in
                let lost = try await cluster.faults.add(.init(.endTransaction, .disconnectAfter, times: nil))
                try await withConsumer(.manual(cluster, group: "g"), subscribedTo: ["in"]) { consumer in
                    let batches = Collected<Int>()
                    let task = Task {
                        try await consumer.transform(through: producer) { batch, transaction in
                            batches.append(batch.count)
                            try await Self.copy(batch, transaction)
                        }
                    }
                    try await eventually("the commit has no answer") { log.contains("may have taken effect or not") }
                    try await lost.remove()
                    try await eventually("the outcome") { log.contains("was committed in the end") }
                    try await withProducer(.test(cluster)) { try await $0.fill("in", values: ["2"]) }
                    try await eventually("all are processed") { try await cluster.committed("in", group: "g") == 2 }
                    task.cancel()
                    try await task.value
                    #expect(batches.elements == [1, 1], "nothing was processed again")
                }
            }
            #expect(try await cluster.values(of: "out") == ["1", "2"])
        }
    }

    // MARK: Partitions that go

    @Test func aRevokedPartitionWaitsForItsTransaction() async throws {
        try await withCluster(topics: ["in": 1, "out": 1]) { cluster in
            try await withProducer(.test(cluster)) { try await $0.fill("in", values: ["1"]) }
            var eager = KafkaConsumer.Configuration.manual(cluster, group: "g")
            eager.assignors = [.range]
            try await withProducer(.transactional(cluster, "id")) { producer in
                try await withConsumer(eager, subscribedTo: ["in"]) { consumer in
                    let isProcessing = Gate()
                    let mayEnd = Gate()
                    let task = Task {
                        try await consumer.transform(through: producer) { batch, transaction in
                            try await Self.copy(batch, transaction)
                            isProcessing.open()
                            await mayEnd.wait()
                        }
                    }
                    await isProcessing.wait()
                    // Another member comes: with eager assignment, all partitions are revoked first.
                    let joins = try await cluster.observe(.joinGroup, group: "g")
                    try await withConsumer(eager, subscribedTo: ["in"]) { other in
                        let reader = Task { try await other.read(1) }
                        try await joins.happened()
                        mayEnd.open()
                        try await eventually("the transaction is committed") {
                            try await cluster.committed("in", group: "g") == 1
                        }
                        reader.cancel()
                        _ = try await reader.value
                    }
                    task.cancel()
                    try await task.value
                }
            }
            #expect(try await cluster.values(of: "out") == ["1"])
        }
    }

    @Test func aPartitionThatIsLostIsNotCommitted() async throws {
        try await withCluster(topics: ["in": 1, "out": 1]) { cluster in
            try await withProducer(.test(cluster)) { try await $0.fill("in", values: ["1"]) }
            var configuration = KafkaConsumer.Configuration.manual(cluster, group: "g")
            configuration.revocationTimeout = .milliseconds(100)
            try await withProducer(.transactional(cluster, "id")) { producer in
                try await withConsumer(configuration, subscribedTo: ["in"]) { consumer in
                    let attempts = Collected<Int>()
                    let isProcessing = Gate()
                    let mayEnd = Gate()
                    let task = Task {
                        try await consumer.transform(through: producer) { batch, transaction in
                            attempts.append(transaction.attempt)
                            // Acknowledged, so that it is there even though the transaction is aborted.
                            try await transaction.send(KafkaProducerRecord(topic: "out", value: batch.first?.value))
                            isProcessing.open()
                            await mayEnd.wait()
                        }
                    }
                    await isProcessing.wait()
                    // The broker no longer knows the member: what it had is lost to it.
                    try await cluster.failNext(.heartbeat, with: [.error(25)])
                    try await eventually("the partition is lost") { consumer.assignment.isEmpty }
                    mayEnd.open()
                    // It joins again and reads the record from the start, in another batch.
                    try await eventually("all are processed") { try await cluster.committed("in", group: "g") == 1 }
                    task.cancel()
                    try await task.value
                    #expect(attempts.elements == [1, 1])
                }
            }
            #expect(try await cluster.values(of: "out") == ["1"])
            #expect(try await cluster.values(of: "out", .readUncommitted) == ["1", "1"], "it was sent twice")
        }
    }
}

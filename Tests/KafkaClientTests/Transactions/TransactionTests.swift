import EmbeddedKafka
import TestSupport
import Testing

@testable import KafkaClient

/// What a transaction does when nothing goes wrong but its body.
@Suite(.timeLimit(.minutes(1)))
struct TransactionTests {
    @Test func whatWasSentIsVisibleAfterTheCommitOnly() async throws {
        try await withTopic { cluster, topic in
            try await withProducer(.transactional(cluster, uniqueName("id"))) { producer in
                let offset = try await producer.withTransaction { transaction in
                    let metadata = try await transaction.send(KafkaProducerRecord(topic: topic, value: "1"))
                    try await transaction.enqueue(KafkaProducerRecord(topic: topic, value: "2"))
                    let results = try await transaction.send(contentsOf: [
                        KafkaProducerRecord(topic: topic, value: "3"), KafkaProducerRecord(topic: topic, value: "4"),
                    ])
                    #expect(results.count == 2)
                    #expect(try await cluster.values(of: topic) == [])
                    #expect(try await cluster.values(of: topic, .readUncommitted) == ["1", "2", "3", "4"])
                    #expect(transaction.attempt == 1)
                    return metadata.offset
                }
                #expect(offset == 0)
                #expect(try await cluster.values(of: topic) == ["1", "2", "3", "4"])
            }
        }
    }

    @Test func recordsThatNobodyAwaitedAreCommitted() async throws {
        try await withTopic { cluster, topic in
            try await withProducer(.transactional(cluster, uniqueName("id"))) { producer in
                for round in 0..<3 {
                    try await producer.withTransaction { transaction in
                        for number in 0..<100 {
                            try await transaction.enqueue(
                                KafkaProducerRecord(topic: topic, value: "\(round).\(number)")
                            )
                        }
                    }
                }
                let expected = (0..<3).flatMap { round in (0..<100).map { "\(round).\($0)" } }
                #expect(try await cluster.values(of: topic) == expected)
            }
        }
    }

    @Test func anErrorInTheBodyAborts() async throws {
        try await withTopic { cluster, topic in
            try await withProducer(.transactional(cluster, uniqueName("id"))) { producer in
                await #expect(throws: Refusal.self) {
                    try await producer.withTransaction { transaction in
                        try await transaction.send(KafkaProducerRecord(topic: topic, value: "no"))
                        throw Refusal()
                    }
                }
                #expect(try await cluster.values(of: topic) == [])
                #expect(try await cluster.values(of: topic, .readUncommitted) == ["no"], "it was there")
                // The producer goes on.
                try await producer.withTransaction { transaction in
                    _ = try await transaction.send(KafkaProducerRecord(topic: topic, value: "yes"))
                }
                #expect(try await cluster.values(of: topic) == ["yes"])
            }
        }
    }

    @Test func anEmptyTransactionIsCommitted() async throws {
        try await withTopic { cluster, topic in
            try await withProducer(.transactional(cluster, uniqueName("id"))) { producer in
                #expect(try await producer.withTransaction { _ in 7 } == 7)
                try await producer.withTransaction { transaction in
                    _ = try await transaction.send(KafkaProducerRecord(topic: topic, value: "1"))
                }
                #expect(try await cluster.values(of: topic) == ["1"])
            }
        }
    }

    @Test func cancellingTheBodyAborts() async throws {
        try await withTopic { cluster, topic in
            try await withProducer(.transactional(cluster, uniqueName("id"))) { producer in
                let isSent = Gate()
                let task = Task {
                    try await producer.withTransaction { transaction in
                        try await transaction.send(KafkaProducerRecord(topic: topic, value: "no"))
                        isSent.open()
                        await waitForCancellation()
                        // The body itself does not care.
                    }
                }
                await isSent.wait()
                task.cancel()
                await #expect(throws: CancellationError.self) { try await task.value }
                #expect(try await cluster.values(of: topic, .readUncommitted) == ["no"])
                #expect(try await cluster.values(of: topic) == [])
                try await producer.withTransaction { transaction in
                    _ = try await transaction.send(KafkaProducerRecord(topic: topic, value: "yes"))
                }
                #expect(try await cluster.values(of: topic) == ["yes"], "the aborted one does not hold readers up")
            }
        }
    }

    @Test func cancellingDuringTheCommitDoesNotStopIt() async throws {
        try await withCluster(topics: ["t": 1]) { cluster in
            let id = "id"
            try await withProducer(.transactional(cluster, id)) { producer in
                let end = try await cluster.faults.add(.init(.endTransaction, .delay(.milliseconds(300))))
                let task = Task {
                    try await producer.withTransaction { transaction in
                        _ = try await transaction.send(KafkaProducerRecord(topic: "t", value: "1"))
                    }
                }
                try await end.happened()
                task.cancel()
                try await task.value
                #expect(try await cluster.values(of: "t") == ["1"])
            }
        }
    }

    // MARK: Misuse

    @Test func aTransactionCantBeUsedWhenItsBodyHasEnded() async throws {
        try await withTopic { cluster, topic in
            try await withProducer(.transactional(cluster, uniqueName("id"))) { producer in
                let record = KafkaProducerRecord(topic: topic, value: "late")
                let old = try await producer.withTransaction { $0 }
                try await producer.withTransaction { transaction in
                    for call in [
                        { _ = try await old.send(record) }, { _ = try await old.enqueue(record) },
                        { _ = try await old.send(contentsOf: [record]) },
                    ] as [() async throws -> Void] {
                        let error = await #expect(throws: KafkaError.self) { try await call() }
                        #expect(error?.code == .invalidState)
                        #expect(error?.message.contains("has ended") == true)
                    }
                    _ = try await transaction.send(KafkaProducerRecord(topic: topic, value: "1"))
                }
                #expect(try await cluster.values(of: topic) == ["1"])
            }
        }
    }

    @Test func aTransactionalProducerSendsInTransactionsOnly() async throws {
        try await withTopic { cluster, topic in
            try await withProducer(.transactional(cluster, uniqueName("id"))) { producer in
                let record = KafkaProducerRecord(topic: topic, value: "no")
                func check() async {
                    for call in [
                        { _ = try await producer.send(record) }, { _ = try await producer.enqueue(record) },
                        { _ = try producer.trySend(record) }, { _ = try await producer.send(contentsOf: [record]) },
                    ] as [() async throws -> Void] {
                        let error = await #expect(throws: KafkaError.self) { try await call() }
                        #expect(error?.code == .invalidState)
                        #expect(error?.message.contains("withTransaction") == true)
                    }
                }
                await check()
                try await producer.withTransaction { _ in await check() }
                let values = try await cluster.values(of: topic, .readUncommitted)
                #expect(values == [])
            }
        }
    }

    @Test func aProducerWithoutATransactionalIDHasNoTransactions() async throws {
        try await withTopic { cluster, _ in
            try await withProducer(.test(cluster)) { producer in
                let error = await #expect(throws: KafkaError.self) { try await producer.withTransaction { _ in } }
                #expect(error?.code == .invalidState)
                #expect(error?.message.contains("transactionalID") == true)
                let other = await #expect(throws: KafkaError.self) { try await producer.initializeTransactions() }
                #expect(other?.code == .invalidState)
            }
        }
    }

    @Test func aTransactionWithinATransactionIsRefused() async throws {
        try await withTopic { cluster, topic in
            try await withProducer(.transactional(cluster, uniqueName("id"))) { producer in
                let error = await #expect(throws: KafkaError.self) {
                    try await producer.withTransaction { _ in
                        try await withDeadline(.seconds(20), "the refusal") {
                            try await producer.withTransaction { _ in }
                        }
                    }
                }
                #expect(error?.code == .invalidState)
                // Another producer is another matter.
                try await withProducer(.transactional(cluster, uniqueName("id"))) { other in
                    try await producer.withTransaction { _ in
                        try await other.withTransaction { transaction in
                            _ = try await transaction.send(KafkaProducerRecord(topic: topic, value: "1"))
                        }
                    }
                }
                #expect(try await cluster.values(of: topic) == ["1"])
            }
        }
    }

    @Test func transactionsOfOneProducerWaitForEachOther() async throws {
        try await withTopic { cluster, topic in
            try await withProducer(.transactional(cluster, uniqueName("id"))) { producer in
                await withThrowingTaskGroup(of: Void.self) { group in
                    for task in 0..<8 {
                        group.addTask {
                            try await producer.withTransaction { transaction in
                                for number in 0..<5 {
                                    try await transaction.send(
                                        KafkaProducerRecord(topic: topic, value: "\(task).\(number)")
                                    )
                                }
                                if task == 3 { throw Refusal() }
                            }
                        }
                    }
                    var failures = 0
                    while let result = await group.nextResult() {
                        if case .failure(let error) = result {
                            #expect(error is Refusal)
                            failures += 1
                        }
                    }
                    #expect(failures == 1)
                }
                let values = try await cluster.values(of: topic)
                #expect(values.count == 35)
                // Those of one transaction follow each other.
                for first in stride(from: 0, to: values.count, by: 5) {
                    #expect(Set(values[first..<first + 5].map { $0.prefix(1) }).count == 1)
                }
                #expect(!values.contains { $0.hasPrefix("3.") })
            }
        }
    }

    @Test func aSendThatFailedIsNotPassedOver() async throws {
        try await withTopic { cluster, topic in
            try await withProducer(.transactional(cluster, uniqueName("id"))) { producer in
                let error = await #expect(throws: KafkaError.self) {
                    try await producer.withTransaction { transaction in
                        _ = try await transaction.send(KafkaProducerRecord(topic: topic, value: "1"))
                        // Refused in this process, so that librdkafka knows nothing of it.
                        let huge = [UInt8](repeating: 0, count: 2_000_000)
                        let failed = try? await transaction.send(KafkaProducerRecord(topic: topic, value: huge))
                        #expect(failed == nil)
                    }
                }
                #expect(error?.code == .messageTooLarge)
                let committed = try await cluster.values(of: topic)
                let all = try await cluster.values(of: topic, .readUncommitted)
                #expect(committed == [])
                #expect(all == ["1"])
            }
        }
    }

    @Test func closingRefusesTransactionsAndWaitsForTheOneThatRuns() async throws {
        try await withTopic { cluster, topic in
            let producer = try KafkaProducer(configuration: .transactional(cluster, uniqueName("id")))
            let isSent = Gate()
            let mayEnd = Gate()
            let running = Task {
                try await producer.withTransaction { transaction in
                    try await transaction.send(KafkaProducerRecord(topic: topic, value: "1"))
                    isSent.open()
                    await mayEnd.wait()
                }
            }
            await isSent.wait()
            let waiting = Task { try await producer.withTransaction { _ in } }
            let close = Task { await producer.close() }
            let error = await #expect(throws: KafkaError.self) { try await waiting.value }
            #expect(error?.code == .closed)
            mayEnd.open()
            try await running.value
            await close.value
            #expect(try await cluster.values(of: topic) == ["1"])
            let late = await #expect(throws: KafkaError.self) { try await producer.withTransaction { _ in } }
            #expect(late?.code == .closed)
        }
    }
}

import EmbeddedKafka
import TestSupport
import Testing

@testable import KafkaClient

/// Cancelling before a record is handed over means that it is not sent; afterwards, that nobody knows.
@Suite(.timeLimit(.minutes(1)))
struct CancelledSendTests {
    /// A producer whose broker is stopped: what it takes stays on its way.
    private func withStoppedBroker(
        maxQueuedRecords: Int = 5,
        _ body: (EmbeddedKafkaCluster, KafkaProducer) async throws -> Void
    ) async throws {
        try await withCluster(topics: ["t": 1]) { cluster in
            var configuration = KafkaProducer.Configuration.test(cluster)
            configuration.maxQueuedRecords = maxQueuedRecords
            try await withProducer(configuration) { producer in
                _ = try await producer.send(KafkaProducerRecord(topic: "t", value: "warm"))
                try await cluster.stopNode(1)
                try await body(cluster, producer)
                try await cluster.startNode(1)
            }
        }
    }

    private func fillQueue(_ producer: KafkaProducer) throws -> [KafkaSendReceipt] {
        try (0..<5).map { try producer.trySend(KafkaProducerRecord(topic: "t", partition: 0, value: "queued-\($0)")) }
    }

    private func expectValues(
        _ expected: [String],
        of cluster: EmbeddedKafkaCluster,
        _ producer: KafkaProducer
    ) async throws {
        try await cluster.startNode(1)
        try await producer.flush()
        #expect(try await cluster.allRecords(of: "t", partitions: 1).map(\.valueString) == ["warm"] + expected)
    }

    @Test(arguments: ["send", "enqueue", "batch"])
    func whileWaitingForRoom(call: String) async throws {
        try await self.withStoppedBroker { cluster, producer in
            _ = try self.fillQueue(producer)
            let record = KafkaProducerRecord(topic: "t", partition: 0, value: "cancelled")
            let task = Task {
                switch call {
                case "send": _ = try await producer.send(record)
                case "enqueue": _ = try await producer.enqueue(record)
                default: _ = try await producer.send(contentsOf: [record, record])
                }
            }
            try await eventually("the sender waits") { producer.core.room.isAwaited }
            task.cancel()
            let result = try await withDeadline(.seconds(30), "the cancelled call") { await task.result }
            #expect(throws: CancellationError.self) { try result.get() }
            #expect(!producer.core.room.isAwaited)
            try await self.expectValues((0..<5).map { "queued-\($0)" }, of: cluster, producer)
        }
    }

    @Test(arguments: ["send", "enqueue", "batch"])
    func beforeTheCall(call: String) async throws {
        try await withTopic { cluster, topic in
            try await withProducer(.test(cluster)) { producer in
                let task = Task {
                    withUnsafeCurrentTask { $0?.cancel() }
                    let record = KafkaProducerRecord(topic: topic, value: "cancelled")
                    switch call {
                    case "send": _ = try await producer.send(record)
                    case "enqueue": _ = try await producer.enqueue(record)
                    default: _ = try await producer.send(contentsOf: [record])
                    }
                }
                await #expect(throws: CancellationError.self) { try await task.value }
            }
            #expect(try await cluster.allRecords(of: topic, partitions: 1).isEmpty)
        }
    }

    @Test func whileQueued() async throws {
        try await self.withStoppedBroker { cluster, producer in
            let task = Task { try await producer.send(KafkaProducerRecord(topic: "t", partition: 0, value: "queued")) }
            // The record is in the local queue when another one no longer fits.
            try await eventually("the record is queued") {
                (try? await producer.flush(timeout: .zero)) == nil
            }
            task.cancel()
            let result = try await withDeadline(.seconds(30), "the cancelled send") { await task.result }
            let error = try #require(throws: KafkaError.self) { try result.get() }
            #expect(error.code == .outcomeUnknown)
            #expect(error.operation == "send")
            #expect(error.topic == "t")
            #expect(error.partition == 0)
            #expect(!error.isRetriable, "sending again may repeat it")
            try await self.expectValues(["queued"], of: cluster, producer)
        }
    }

    @Test func aBatchThatIsQueued() async throws {
        try await self.withStoppedBroker(maxQueuedRecords: 100) { cluster, producer in
            var records = (0..<4).map { KafkaProducerRecord(topic: "t", partition: 0, value: "\($0)") }
            records[2].partition = -1
            let batch = records
            let task = Task { try await producer.send(contentsOf: batch) }
            try await eventually("the batch is queued") { (try? await producer.flush(timeout: .zero)) == nil }
            task.cancel()
            let results = try await withDeadline(.seconds(30), "the cancelled batch") { try await task.value }
            #expect(
                results.map { failure(of: $0)?.code }
                    == [.outcomeUnknown, .outcomeUnknown, .invalidRecord, .outcomeUnknown]
            )
            try await self.expectValues(["0", "1", "3"], of: cluster, producer)
        }
    }

    @Test func aBatchOfWhichAPartIsQueued() async throws {
        try await self.withStoppedBroker { cluster, producer in
            let task = Task {
                try await producer.send(
                    contentsOf: (0..<12).map { KafkaProducerRecord(topic: "t", partition: 0, value: "\($0)") }
                )
            }
            try await eventually("the batch waits for room") { producer.core.room.isAwaited }
            task.cancel()
            let results = try await withDeadline(.seconds(30), "the cancelled batch") { try await task.value }
            #expect(results.prefix(5).map { failure(of: $0)?.code } == Array(repeating: .outcomeUnknown, count: 5))
            #expect(results.dropFirst(5).map { failure(of: $0)?.code } == Array(repeating: .notSent, count: 7))
            #expect(failure(of: results[11])?.topic == "t")
            #expect(failure(of: results[11])?.partition == 0)
            try await self.expectValues((0..<5).map { "\($0)" }, of: cluster, producer)
        }
    }

    @Test func aReceiptCanBeAwaitedAgain() async throws {
        try await self.withStoppedBroker { cluster, producer in
            let receipt = try producer.trySend(KafkaProducerRecord(topic: "t", partition: 0, value: "queued"))
            let task = Task { try await receipt.metadata }
            task.cancel()
            let result = await task.result
            let error = try #require(throws: KafkaError.self) { try result.get() }
            #expect(error.code == .outcomeUnknown)
            #expect(error.operation == "trySend")
            try await cluster.startNode(1)
            #expect(try await withDeadline(.seconds(30), "the answer") { try await receipt.metadata.offset } == 1)
            #expect(try await receipt.metadata.offset == 1, "and again")
        }
    }

    @Test func severalTasksAwaitAReceipt() async throws {
        try await self.withStoppedBroker { cluster, producer in
            let receipt = try producer.trySend(KafkaProducerRecord(topic: "t", partition: 0, value: "queued"))
            let tasks = (0..<10).map { _ in Task { try await receipt.metadata.offset } }
            for index in [0, 4, 9] { tasks[index].cancel() }
            for index in [0, 4, 9] {
                let error = await #expect(throws: KafkaError.self) { try await tasks[index].value }
                #expect(error?.code == .outcomeUnknown)
            }
            try await cluster.startNode(1)
            for index in [1, 2, 3, 5, 6, 7, 8] {
                #expect(try await withDeadline(.seconds(30), "the answer") { try await tasks[index].value } == 1)
            }
        }
    }

    /// Nothing hangs, and what a caller is told is true, whenever the cancellation comes.
    @Test func cancellationAtAnyTime() async throws {
        try await withCluster(topics: ["t": 1]) { cluster in
            var configuration = KafkaProducer.Configuration.test(cluster)
            configuration.maxQueuedRecords = 3
            let acknowledged = Collected<String>()
            let notSent = Collected<String>()
            try await withProducer(configuration) { producer in
                try await withDeadline(.seconds(40), "all sends") {
                    await withTaskGroup(of: Void.self) { group in
                        for number in 0..<600 {
                            let task = Task {
                                do {
                                    _ = try await producer.send(KafkaProducerRecord(topic: "t", value: "\(number)"))
                                    acknowledged.append("\(number)")
                                } catch is CancellationError {
                                    notSent.append("\(number)")
                                }
                            }
                            group.addTask {
                                for _ in 0..<(number % 40) { await Task.yield() }
                                task.cancel()
                                if case .failure(let error) = await task.result {
                                    #expect((error as? KafkaError)?.code == .outcomeUnknown)
                                }
                            }
                            if number % 12 == 0 { await group.next() }
                        }
                    }
                }
            }
            let stored = try await cluster.allRecords(of: "t", partitions: 1).compactMap(\.valueString)
            #expect(Set(stored).count == stored.count, "nothing is repeated")
            #expect(Set(acknowledged.elements).isSubset(of: stored))
            #expect(Set(notSent.elements).isDisjoint(with: stored))
        }
    }
}

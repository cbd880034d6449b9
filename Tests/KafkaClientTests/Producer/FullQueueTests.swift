import EmbeddedKafka
import TestSupport
import Testing

@testable import KafkaClient

/// A full local queue suspends the sender until reports free room; nothing is dropped, and order is kept.
@Suite(.timeLimit(.minutes(1)))
struct FullQueueTests {
    /// A producer whose queue is full because its broker is stopped.
    private func withFullQueue(
        _ change: (inout KafkaProducer.Configuration) -> Void = { $0.maxQueuedRecords = 10 },
        value: [UInt8] = [1],
        _ body: (EmbeddedKafkaCluster, KafkaProducer, [KafkaSendReceipt]) async throws -> Void
    ) async throws {
        try await withCluster(topics: ["t": 1]) { cluster in
            var configuration = KafkaProducer.Configuration.test(cluster)
            configuration.closeTimeout = .zero
            change(&configuration)
            try await withProducer(configuration) { producer in
                _ = try await producer.send(KafkaProducerRecord(topic: "t", value: "warm"))
                try await cluster.stopNode(1)
                var receipts: [KafkaSendReceipt] = []
                while true {
                    do throws(KafkaError) {
                        receipts.append(
                            try producer.trySend(KafkaProducerRecord(topic: "t", partition: 0, value: value))
                        )
                    } catch {
                        #expect(error.code == .queueFull)
                        #expect(error.operation == "trySend")
                        #expect(error.topic == "t")
                        break
                    }
                    try #require(receipts.count < 1_000, "the queue is never full")
                }
                try await body(cluster, producer, receipts)
            }
        }
    }

    @Test func trySendThrowsQueueFull() async throws {
        try await self.withFullQueue { _, producer, receipts in
            #expect(receipts.count == 10)
            let error = #expect(throws: KafkaError.self) {
                try producer.trySend(KafkaProducerRecord(topic: "t", value: "more"))
            }
            #expect(error?.code == .queueFull)
            #expect(error?.isRetriable == true)
            #expect(error?.message.contains("maxQueuedRecords is 10") == true)
        }
    }

    @Test func bytesAreBoundedToo() async throws {
        try await self.withFullQueue({ $0.maxQueuedBytes = 10_240 }, value: Array(repeating: 7, count: 1_000)) {
            _,
            _,
            receipts in
            #expect(receipts.count == 10)
        }
    }

    @Test(arguments: ["send", "enqueue", "batch"])
    func theSenderIsSuspendedUntilThereIsRoom(call: String) async throws {
        try await self.withFullQueue { cluster, producer, receipts in
            let record = KafkaProducerRecord(topic: "t", partition: 0, value: "waited")
            let task = Task { () -> [Int64?] in
                switch call {
                case "send":
                    return [try await producer.send(record).offset]
                case "enqueue":
                    return [try await producer.enqueue(record).metadata.offset]
                default:
                    let results = try await producer.send(contentsOf: Array(repeating: record, count: 25))
                    return try results.map { try $0.get().offset }
                }
            }
            try await eventually("the sender waits") { producer.core.room.isAwaited }
            try await cluster.startNode(1)
            let offsets = try await withDeadline(.seconds(30), call) { try await task.value }
            #expect(offsets == (0..<offsets.count).map { Int64(11 + $0) })
            for (index, receipt) in receipts.enumerated() {
                #expect(try await receipt.metadata.offset == Int64(1 + index))
            }
            let stored = try await cluster.allRecords(of: "t", partitions: 1)
            #expect(stored.count == 11 + offsets.count, "nothing is lost or repeated")
        }
    }

    @Test(arguments: [1, 2, 10])
    func manySendersGetThroughASmallQueue(limit: Int) async throws {
        try await withCluster(topics: ["t": 4]) { cluster in
            var configuration = KafkaProducer.Configuration.test(cluster)
            configuration.maxQueuedRecords = limit
            try await withProducer(configuration) { producer in
                try await withDeadline(.seconds(40), "all sends") {
                    try await withThrowingTaskGroup(of: Void.self) { group in
                        for sender in 0..<12 {
                            group.addTask {
                                for number in 0..<25 {
                                    let record = KafkaProducerRecord(
                                        topic: "t",
                                        partition: Int32(sender % 4),
                                        key: "\(sender)",
                                        value: "\(number)"
                                    )
                                    switch sender % 3 {
                                    case 0: _ = try await producer.send(record)
                                    case 1: _ = try await producer.enqueue(record)
                                    default: _ = try await producer.send(contentsOf: [record])[0].get()
                                    }
                                }
                            }
                        }
                        try await group.waitForAll()
                    }
                    try await producer.flush()
                }
            }
            let stored = try await cluster.allRecords(of: "t", partitions: 4)
            let bySender = Dictionary(grouping: stored) { String(decoding: $0.key ?? [], as: UTF8.self) }
            #expect(bySender.count == 12)
            for (sender, records) in bySender {
                #expect(records.map(\.valueString) == (0..<25).map { "\($0)" }, "sender \(sender)")
            }
        }
    }

    @Test func aBatchMuchLargerThanTheQueueGoesThrough() async throws {
        try await withCluster(topics: ["t": 1]) { cluster in
            var configuration = KafkaProducer.Configuration.test(cluster)
            configuration.maxQueuedRecords = 10
            try await withProducer(configuration) { producer in
                let values = (0..<2_000).map { "value-\($0)" }
                try await withDeadline(.seconds(40), "the batch") { try await producer.fill("t", values: values) }
                #expect(try await cluster.allRecords(of: "t", partitions: 1).map(\.valueString) == values)
            }
        }
    }

    @Test func bytesFreedByReportsWakeSenders() async throws {
        try await withCluster(topics: ["t": 1]) { cluster in
            var configuration = KafkaProducer.Configuration.test(cluster)
            configuration.maxQueuedBytes = 20_480
            try await withProducer(configuration) { producer in
                try await withDeadline(.seconds(40), "all sends") {
                    try await withThrowingTaskGroup(of: Void.self) { group in
                        for sender in 0..<4 {
                            group.addTask {
                                for _ in 0..<50 {
                                    let value = [UInt8](repeating: UInt8(sender), count: 4_000)
                                    _ = try await producer.send(KafkaProducerRecord(topic: "t", value: value))
                                }
                            }
                        }
                        try await group.waitForAll()
                    }
                }
            }
            #expect(try await cluster.allRecords(of: "t", partitions: 1).count == 200)
        }
    }

    /// librdkafka's log lines travel through the same queue as reports and must not be taken for records.
    @Test(arguments: ["send", "batch"])
    func aRecordThatNeverFitsIsRefused(call: String) async throws {
        try await withTopic { cluster, topic in
            var configuration = KafkaProducer.Configuration.test(cluster)
            configuration.maxQueuedBytes = 2_048
            configuration.additional["debug"] = "all"
            try await withProducer(configuration) { producer in
                for _ in 0..<20 {
                    let error = try await withDeadline(.seconds(30), "the refusal") { () -> KafkaError? in
                        let record = KafkaProducerRecord(topic: topic, value: [UInt8](repeating: 1, count: 4_000))
                        if call == "batch" {
                            return failure(of: try await producer.send(contentsOf: [record])[0])
                        }
                        return await #expect(throws: KafkaError.self) { try await producer.send(record) }
                    }
                    #expect(error?.code == .queueFull || error?.code == .messageTooLarge)
                    #expect(error?.message.contains("maxQueuedBytes") == true)
                    #expect(error?.isRetriable == false, "it would fail again")
                    _ = try await producer.send(KafkaProducerRecord(topic: topic, value: "small"))
                }
            }
        }
    }

    @Test func aRecordThatNeverFitsIsRefusedInTheMiddleOfABatch() async throws {
        try await withTopic { cluster, topic in
            var configuration = KafkaProducer.Configuration.test(cluster)
            configuration.maxQueuedBytes = 2_048
            try await withProducer(configuration) { producer in
                var records = (0..<40).map { KafkaProducerRecord(topic: topic, partition: 0, value: "value-\($0)") }
                records[20].value = Array(repeating: 1, count: 4_000)
                let batch = records
                let results = try await withDeadline(.seconds(30), "the batch") {
                    try await producer.send(contentsOf: batch)
                }
                #expect(results.indices.filter { failure(of: results[$0]) != nil } == [20])
                #expect(try await cluster.allRecords(of: topic, partitions: 1).count == 39)
            }
        }
    }

    @Test func logLinesDoNotKeepSendersWaiting() async throws {
        try await withTopic { cluster, topic in
            var configuration = KafkaProducer.Configuration.test(cluster)
            configuration.maxQueuedRecords = 1
            configuration.additional["debug"] = "all"
            try await withProducer(configuration) { producer in
                try await withDeadline(.seconds(30), "all sends") {
                    try await withThrowingTaskGroup(of: Void.self) { group in
                        for _ in 0..<4 {
                            group.addTask {
                                for _ in 0..<50 {
                                    _ = try await producer.send(KafkaProducerRecord(topic: topic, value: "v"))
                                }
                            }
                        }
                        try await group.waitForAll()
                    }
                }
            }
        }
    }
}

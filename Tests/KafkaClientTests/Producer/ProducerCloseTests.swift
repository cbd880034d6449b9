import EmbeddedKafka
import Logging
import TestSupport
import Testing

@testable import KafkaClient

/// Closing sends what was handed over, within a deadline; dropping without closing warns and closes as well.
@Suite(.timeLimit(.minutes(1)))
struct ProducerCloseTests {
    @Test func sendsWhatWasHandedOver() async throws {
        try await withTopic { cluster, topic in
            var configuration = KafkaProducer.Configuration.test(cluster)
            configuration.linger = .seconds(60)
            let receipts = try await withProducer(configuration) { producer in
                try (0..<100).map {
                    try producer.trySend(KafkaProducerRecord(topic: topic, partition: 0, value: "\($0)"))
                }
            }
            for (index, receipt) in receipts.enumerated() {
                #expect(try await receipt.metadata.offset == Int64(index))
            }
        }
    }

    @Test func givesUpAfterItsTimeOut() async throws {
        try await withCluster(topics: ["t": 1]) { cluster in
            var configuration = KafkaProducer.Configuration.test(cluster)
            configuration.closeTimeout = .milliseconds(500)
            let log = CapturedLog()
            let producer = try KafkaProducer(configuration: configuration, logger: log.makeLogger())
            _ = try await producer.send(KafkaProducerRecord(topic: "t", value: "warm"))
            try await cluster.stopNode(1)
            let receipts = try (0..<10).map { try producer.trySend(KafkaProducerRecord(topic: "t", value: "\($0)")) }
            try await withDeadline(.seconds(30), "close") { await producer.close() }
            for receipt in receipts {
                let error = try await withDeadline(.seconds(30), "the answer") {
                    await #expect(throws: KafkaError.self) { try await receipt.metadata }
                }
                #expect(error?.code == .notSent || error?.code == .outcomeUnknown)
            }
            #expect(log.contains("closing gives up 10 records"))
        }
    }

    @Test func whatIsWithTheBrokerHasAnUnknownOutcome() async throws {
        try await withCluster(topics: ["t": 1]) { cluster in
            var configuration = KafkaProducer.Configuration.test(cluster)
            configuration.closeTimeout = .milliseconds(500)
            let producer = try KafkaProducer(configuration: configuration, logger: CapturedLog().makeLogger())
            _ = try await producer.send(KafkaProducerRecord(topic: "t", value: "warm"))
            // The broker takes the record, but its answer comes too late.
            let fault = try await cluster.holdBackAnswers(of: .produce)
            let receipt = try producer.trySend(KafkaProducerRecord(topic: "t", value: "slow"))
            try await fault.happened()
            try await withDeadline(.seconds(30), "close") { await producer.close() }
            let error = await #expect(throws: KafkaError.self) { try await receipt.metadata }
            #expect(error?.code == .outcomeUnknown)
            #expect(try await fault.count == 1)
            #expect(try await cluster.allRecords(of: "t", partitions: 1).map(\.valueString) == ["warm", "slow"])
        }
    }

    @Test func sendersThatWaitForRoomAreToldThatItIsClosed() async throws {
        try await withCluster(topics: ["t": 1]) { cluster in
            var configuration = KafkaProducer.Configuration.test(cluster)
            configuration.maxQueuedRecords = 5
            configuration.closeTimeout = .milliseconds(300)
            let producer = try KafkaProducer(configuration: configuration, logger: CapturedLog().makeLogger())
            _ = try await producer.send(KafkaProducerRecord(topic: "t", value: "warm"))
            try await cluster.stopNode(1)
            for number in 0..<5 { _ = try producer.trySend(KafkaProducerRecord(topic: "t", value: "\(number)")) }
            let send = Task { try await producer.send(KafkaProducerRecord(topic: "t", value: "waits")) }
            let enqueue = Task { try await producer.enqueue(KafkaProducerRecord(topic: "t", value: "waits")) }
            try await eventually("the senders wait") { producer.core.room.isAwaited }
            try await withDeadline(.seconds(30), "close") { await producer.close() }
            let sendError = try await withDeadline(.seconds(30), "send") {
                await #expect(throws: KafkaError.self) { try await send.value }
            }
            #expect(sendError?.code == .closed)
            let enqueueError = try await withDeadline(.seconds(30), "enqueue") {
                await #expect(throws: KafkaError.self) { try await enqueue.value }
            }
            #expect(enqueueError?.code == .closed)
        }
    }

    @Test func aBatchThatWaitsForRoomGetsAResultForEachRecord() async throws {
        try await withCluster(topics: ["t": 1]) { cluster in
            var configuration = KafkaProducer.Configuration.test(cluster)
            configuration.maxQueuedRecords = 5
            configuration.closeTimeout = .milliseconds(300)
            let producer = try KafkaProducer(configuration: configuration, logger: CapturedLog().makeLogger())
            _ = try await producer.send(KafkaProducerRecord(topic: "t", value: "warm"))
            try await cluster.stopNode(1)
            let batch = Task {
                try await producer.send(contentsOf: (0..<12).map { KafkaProducerRecord(topic: "t", value: "\($0)") })
            }
            try await eventually("the batch waits") { producer.core.room.isAwaited }
            try await withDeadline(.seconds(30), "close") { await producer.close() }
            let results = try await withDeadline(.seconds(30), "the batch") { try await batch.value }
            #expect(results.count == 12)
            for result in results.prefix(5) {
                let code = failure(of: result)?.code
                #expect(code == .notSent || code == .outcomeUnknown)
            }
            #expect(results.dropFirst(5).allSatisfy { failure(of: $0)?.code == .notSent })
        }
    }

    @Test func closingAgainAndAtOnceDoesNoHarm() async throws {
        try await withTopic { cluster, topic in
            let producer = try KafkaProducer(configuration: .test(cluster), logger: CapturedLog().makeLogger())
            _ = try await producer.send(KafkaProducerRecord(topic: topic, value: "1"))
            try await withDeadline(.seconds(30), "all closes") {
                await withTaskGroup(of: Void.self) { group in
                    for _ in 0..<10 { group.addTask { await producer.close() } }
                }
                await producer.close()
            }
        }
    }

    @Test func useAfterCloseSaysSo() async throws {
        try await withTopic { cluster, topic in
            let producer = try KafkaProducer(configuration: .test(cluster), logger: CapturedLog().makeLogger())
            await producer.close()
            let record = KafkaProducerRecord(topic: topic, value: "1")
            let send = await #expect(throws: KafkaError.self) { try await producer.send(record) }
            #expect(send?.code == .closed)
            #expect(send?.operation == "send")
            let enqueue = await #expect(throws: KafkaError.self) { try await producer.enqueue(record) }
            #expect(enqueue?.code == .closed)
            let batch = await #expect(throws: KafkaError.self) { try await producer.send(contentsOf: [record]) }
            #expect(batch?.code == .closed)
            #expect(throws: KafkaError.self) { try producer.trySend(record) }
            let flush = await #expect(throws: KafkaError.self) { try await producer.flush() }
            #expect(flush?.code == .closed)
            let partitions = await #expect(throws: KafkaError.self) { try await producer.partitions(of: topic) }
            #expect(partitions?.code == .closed)
        }
    }

    /// Whatever was handed over while another task closes has an answer.
    @Test func sendersRaceWithClose() async throws {
        try await withTopic { cluster, topic in
            for round in 0..<60 {
                let producer = try KafkaProducer(configuration: .test(cluster), logger: CapturedLog().makeLogger())
                try await withDeadline(.seconds(30), "round \(round)") {
                    await withTaskGroup(of: Void.self) { group in
                        for sender in 0..<4 {
                            group.addTask {
                                do {
                                    while true {
                                        let record = KafkaProducerRecord(topic: topic, value: "v")
                                        switch sender {
                                        case 0: _ = try await producer.send(record)
                                        case 1: _ = try await producer.send(contentsOf: [record, record])
                                        default: _ = try producer.trySend(record)
                                        }
                                        await Task.yield()
                                    }
                                } catch {
                                    let code = (error as? KafkaError)?.code
                                    #expect(code == .closed, "\(error)")
                                }
                            }
                        }
                        for _ in 0..<(round * 5) { await Task.yield() }
                        await producer.close()
                    }
                }
            }
        }
    }

    @Test func cancellingRunCloses() async throws {
        try await withTopic { cluster, topic in
            let producer = try KafkaProducer(configuration: .test(cluster), logger: CapturedLog().makeLogger())
            let run = Task { await producer.run() }
            _ = try await producer.send(KafkaProducerRecord(topic: topic, value: "1"))
            run.cancel()
            try await withDeadline(.seconds(30), "run") { await run.value }
            let error = await #expect(throws: KafkaError.self) {
                try await producer.send(KafkaProducerRecord(topic: topic, value: "2"))
            }
            #expect(error?.code == .closed)
        }
    }

    @Test func theScopeClosesWhenItsBodyThrows() async throws {
        struct Stop: Error {}
        try await withTopic { cluster, topic in
            let receipts = Collected<KafkaSendReceipt>()
            var configuration = KafkaProducer.Configuration.test(cluster)
            configuration.linger = .seconds(60)
            await #expect(throws: Stop.self) {
                try await withProducer(configuration) { producer in
                    receipts.append(try producer.trySend(KafkaProducerRecord(topic: topic, value: "1")))
                    throw Stop()
                }
            }
            let metadata = try await receipts.elements[0].metadata
            #expect(metadata.offset == 0)
        }
    }

    @Test func closingDestroysTheClient() async throws {
        try await withTopic { cluster, topic in
            let producer = try KafkaProducer(configuration: .test(cluster), logger: CapturedLog().makeLogger())
            _ = try await producer.send(KafkaProducerRecord(topic: topic, value: "1"))
            let destruction = try producer.core.client(for: "test").destruction
            #expect(!destruction.isComplete)
            try await withDeadline(.seconds(30), "close") { await producer.close() }
            #expect(destruction.isComplete)
        }
    }

    @Test func droppingWarnsAndClosesInTheBackground() async throws {
        try await withTopic { cluster, topic in
            let log = CapturedLog()
            var configuration = KafkaProducer.Configuration.test(cluster)
            configuration.linger = .seconds(60)
            let (receipt, destruction) = try {
                let producer = try KafkaProducer(configuration: configuration, logger: log.makeLogger())
                let receipt = try producer.trySend(KafkaProducerRecord(topic: topic, value: "1"))
                return (receipt, try producer.core.client(for: "test").destruction)
            }()
            #expect(log.lines.contains { $0.level == .warning && $0.message.contains("without being closed") })
            #expect(try await withDeadline(.seconds(30), "the answer") { try await receipt.metadata.offset } == 0)
            try await withDeadline(.seconds(30), "the end of the client") { await destruction.wait() }
        }
    }

    @Test func closingWithoutAnyBrokerKeepsItsDeadline() async throws {
        var configuration = KafkaProducer.Configuration(bootstrapServers: ["127.0.0.1:1"])
        configuration.closeTimeout = .milliseconds(300)
        let producer = try KafkaProducer(configuration: configuration, logger: CapturedLog().makeLogger())
        let receipt = try producer.trySend(KafkaProducerRecord(topic: "t", value: "1"))
        try await withDeadline(.seconds(30), "close") { await producer.close() }
        let error = await #expect(throws: KafkaError.self) { try await receipt.metadata }
        #expect(error?.code == .notSent)
    }

    @Test func closingDoesNotWaitForOtherCalls() async throws {
        var configuration = KafkaProducer.Configuration(bootstrapServers: ["127.0.0.1:1"])
        configuration.closeTimeout = .milliseconds(300)
        let producer = try KafkaProducer(configuration: configuration, logger: CapturedLog().makeLogger())
        let query = try await startBlockingCall { try await producer.partitions(of: "t", timeout: .seconds(50)) }
        try await withDeadline(.seconds(30), "close") { await producer.close() }
        query.cancel()
    }
}

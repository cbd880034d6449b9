import EmbeddedKafka
import Synchronization
import TestSupport
import Testing

@testable import KafkaClient

/// Records that are processed concurrently, and done when what was sent for them is acknowledged.
@Suite(.timeLimit(.minutes(1)))
struct ProcessThroughTests {
    /// Sends the record's value on to the topic "out".
    private static func copy(_ record: KafkaConsumerRecord) -> [KafkaProducerRecord] {
        [KafkaProducerRecord(topic: "out", partition: 0, key: record.key, value: record.value)]
    }

    @Test func recordsDoNotWaitForAcknowledgementsAndAreDoneWithThem() async throws {
        try await withCluster(topics: ["in": 1, "out": 1]) { cluster in
            let values = (0..<300).map { "\($0)" }
            try await withProducer(.test(cluster)) { try await $0.fill("in", values: values) }
            let fault = try await cluster.faults.add(.init(.produce, .notEnoughReplicas, topic: "out", times: nil))
            let handled = Collected<String>()
            try await withProducer(.test(cluster)) { producer in
                try await withConsumer(.test(cluster, group: "g"), subscribedTo: ["in"]) { consumer in
                    let task = Task {
                        try await consumer.process(through: producer, ordering: .partition, concurrency: 1, window: 200)
                        {
                            record in
                            handled.append(record.valueString ?? "")
                            return Self.copy(record)
                        }
                    }
                    // One after the other, as far as the window reaches.
                    try await eventually("a window is handled") { handled.count == 200 }
                    try await consumer.commit()
                    #expect(consumer.acknowledgedCommits.isEmpty, "nothing is acknowledged, so nothing is done")
                    try await fault.remove()
                    try await eventually("all is handled") { handled.count == 300 }
                    try await eventually("all is done") {
                        try await consumer.commit()
                        return consumer.acknowledgedCommits.values.first == 300
                    }
                    task.cancel()
                    try await task.value
                }
            }
            #expect(handled.elements == values)
            #expect(try await cluster.values(of: "out") == values)
        }
    }

    @Test func whatWasSentBeforeTheEndIsDone() async throws {
        try await withCluster(topics: ["in": 1, "out": 1]) { cluster in
            try await withProducer(.test(cluster)) { try await $0.fill("in", values: (0..<100).map { "\($0)" }) }
            // They are acknowledged later than the task is cancelled.
            let fault = try await cluster.faults.add(
                .init(.produce, .delay(.milliseconds(300)), topic: "out", times: nil)
            )
            let handled = Collected<Int>()
            try await withProducer(.test(cluster)) { producer in
                try await withConsumer(.test(cluster, group: "g"), subscribedTo: ["in"]) { consumer in
                    let task = Task {
                        try await consumer.process(through: producer) { record in
                            handled.append(1)
                            return Self.copy(record)
                        }
                    }
                    try await eventually("all are handled") { handled.count == 100 }
                    task.cancel()
                    try await task.value
                }
            }
            #expect(try await fault.count > 0)
            #expect(try await cluster.committed("in", group: "g") == 100)
        }
    }

    @Test func aRecordThatCannotBeSentIsNotDone() async throws {
        try await withCluster(topics: ["in": 1, "out": 1]) { cluster in
            try await withProducer(.test(cluster)) { try await $0.fill("in", values: ["0", "1", "2"]) }
            // Unknown to the client what to do about it: message too large.
            try await cluster.failNext(.produce, with: [.error(10)])
            var producing = KafkaProducer.Configuration.test(cluster)
            producing.linger = .zero
            try await withProducer(producing) { producer in
                try await withConsumer(.test(cluster, group: "g"), subscribedTo: ["in"]) { consumer in
                    await #expect(throws: KafkaError.self) {
                        try await consumer.process(through: producer, concurrency: 1) { Self.copy($0) }
                    }
                    // Called again, it goes on with what was not done.
                    let task = Task { try await consumer.process(through: producer) { Self.copy($0) } }
                    try await eventually("all is done") {
                        try await consumer.commit()
                        return consumer.acknowledgedCommits.values.first == 3
                    }
                    task.cancel()
                    try await task.value
                }
            }
            #expect(try await Set(cluster.values(of: "out")) == ["0", "1", "2"])
        }
    }

    @Test func brokersThatDoNotAnswerDoNotKeepACancelledTask() async throws {
        try await withCluster(topics: ["in": 1, "out": 1]) { cluster in
            try await withProducer(.test(cluster)) { try await $0.fill("in", values: ["0"]) }
            _ = try await cluster.faults.add(.init(.produce, .notEnoughReplicas, topic: "out", times: nil))
            var configuration = KafkaConsumer.Configuration.test(cluster, group: "g")
            configuration.revocationTimeout = .milliseconds(200)
            let handled = Collected<Int>()
            var producing = KafkaProducer.Configuration.test(cluster)
            producing.closeTimeout = .milliseconds(200)
            try await withProducer(producing) { producer in
                try await withConsumer(configuration, subscribedTo: ["in"]) { consumer in
                    let task = Task {
                        try await consumer.process(through: producer) { record in
                            handled.append(1)
                            return Self.copy(record)
                        }
                    }
                    try await eventually("it is handled") { handled.count == 1 }
                    task.cancel()
                    try await withDeadline(.seconds(20), "the end") { _ = await task.result }
                }
            }
            #expect(try await cluster.committed("in", group: "g") == nil)
        }
    }
}

import EmbeddedKafka
import Logging
import TestSupport
import Testing

@testable import KafkaClient

/// What brokers refuse reaches the caller that it concerns.
@Suite(.timeLimit(.minutes(1)))
struct BrokerErrorTests {
    @Test func anUnknownTopicOfASend() async throws {
        try await withCluster({ $0.createsTopicsAutomatically = false }) { cluster in
            var configuration = KafkaProducer.Configuration.test(cluster)
            configuration.deliveryTimeout = .seconds(10)
            configuration.additional["topic.metadata.propagation.max.ms"] = "100"
            configuration.additional["topic.metadata.refresh.fast.interval.ms"] = "50"
            try await withProducer(configuration) { producer in
                let error = try await #require(throws: KafkaError.self) {
                    try await producer.send(KafkaProducerRecord(topic: "gone", value: "1"))
                }
                #expect(error.code == .unknownTopicOrPartition)
                #expect(error.topic == "gone")
                let partitions = try await #require(throws: KafkaError.self) {
                    try await producer.partitions(of: "gone")
                }
                #expect(partitions.code == .unknownTopicOrPartition)
                #expect(partitions.topic == "gone")
            }
        }
    }

    @Test func anUnknownPartitionOfASend() async throws {
        try await withTopic(partitions: 2) { cluster, topic in
            try await withProducer(.test(cluster)) { producer in
                let error = try await #require(throws: KafkaError.self) {
                    try await producer.send(KafkaProducerRecord(topic: topic, partition: 5, value: "1"))
                }
                #expect(error.code == .unknownTopicOrPartition)
                #expect(error.topic == topic)
                #expect(error.partition == 5)
                #expect(error.librdkafkaName == "_UNKNOWN_PARTITION")
            }
        }
    }

    @Test func aTopicThatMayNotBeWritten() async throws {
        try await withCluster(topics: ["secret": 1]) { cluster in
            try await withProducer(.test(cluster)) { producer in
                try await cluster.failNext(.produce, with: [.topicAuthorizationFailed])
                let error = try await #require(throws: KafkaError.self) {
                    try await producer.send(KafkaProducerRecord(topic: "secret", value: "1"))
                }
                #expect(error.code == .topicAuthorization)
                #expect(error.topic == "secret")
                #expect(error.description.contains("TOPIC_AUTHORIZATION_FAILED"))
                #expect(!error.isRetriable)
            }
        }
    }

    @Test(arguments: [EmbeddedKafkaFault.API.fetch, .listOffsets])
    func aTopicThatMayNotBeRead(api: EmbeddedKafkaFault.API) async throws {
        try await withCluster(topics: ["secret": 1]) { cluster in
            let fault = try await cluster.faults.add(.init(api, .topicAuthorizationFailed, topic: "secret", times: nil))
            let place = KafkaTopicPartition(topic: "secret", partition: 0)
            try await withConsumer(.test(cluster), assigned: [place: .beginning]) { consumer in
                let error = try await withDeadline(.seconds(30), "the error") {
                    await #expect(throws: KafkaError.self) { try await consumer.read(1) }
                }
                #expect(error?.code == .topicAuthorization)
                #expect(error?.operation == "read")
                #expect(error?.topic == "secret")
                #expect(error?.partition == 0)
                // Once the permission is there, reading goes on.
                try await fault.remove()
                try await withProducer(.test(cluster)) { try await $0.fill("secret", values: ["1"]) }
                let records = try await withDeadline(.seconds(30), "the record") { () -> [KafkaRecord] in
                    while true {
                        do {
                            return try await consumer.read(1)
                        } catch let error as KafkaError where error.code == .topicAuthorization {
                            // What came before it was there.
                        }
                    }
                }
                #expect(records.map(\.valueString) == ["1"])
            }
        }
    }

    @Test func aSubscribedTopicThatMayNotBeRead() async throws {
        // Like a broker with access rules, it keeps the topic from who asks for all topics.
        try await withCluster({ $0.createsTopicsAutomatically = false }) { cluster in
            _ = try await cluster.faults.add(.init(.metadata, .topicAuthorizationFailed, topic: "secret", times: nil))
            try await withConsumer(.test(cluster, group: "g"), subscribedTo: ["secret"]) { consumer in
                let error = try await withDeadline(.seconds(30), "the error") {
                    await #expect(throws: KafkaError.self) { try await consumer.read(1) }
                }
                #expect(error?.code == .topicAuthorization)
                #expect(error?.topic == "secret" || error?.message.contains("secret") == true)
            }
        }
    }

    @Test func aGroupThatMayNotBeJoined() async throws {
        try await withCluster(topics: ["t": 1]) { cluster in
            _ = try await cluster.faults.add(.init(.joinGroup, .groupAuthorizationFailed, times: nil))
            try await withConsumer(.test(cluster, group: "g"), subscribedTo: ["t"]) { consumer in
                let error = try await withDeadline(.seconds(30), "the error") {
                    await #expect(throws: KafkaError.self) { try await consumer.read(1) }
                }
                #expect(error?.code == .groupAuthorization)
            }
        }
    }

    @Test func anUnknownTopicOfASubscriptionIsLoggedAndWaitedFor() async throws {
        try await withCluster({ $0.createsTopicsAutomatically = false }) { cluster in
            try await withProducer(.test(cluster)) { producer in
                var configuration = KafkaConsumer.Configuration.test(cluster, group: "g")
                configuration.additional["topic.metadata.refresh.interval.ms"] = "500"
                let log = CapturedLog()
                try await withConsumer(configuration, subscribedTo: ["later"], log: log) { consumer in
                    let reader = Task { try await consumer.read(1) }
                    try await eventually("the topic is said to be missing") { log.contains("later") }
                    try await cluster.createTopic("later")
                    try await producer.fill("later", values: ["1"])
                    let records = try await withDeadline(.seconds(30), "the record") { try await reader.value }
                    #expect(records.map(\.valueString) == ["1"])
                }
            }
        }
    }

    @Test func anOffsetOutOfRangeIsAnErrorWhenAskedFor() async throws {
        try await withTopic { cluster, topic in
            try await withProducer(.test(cluster)) { try await $0.fill(topic, values: ["0", "1"]) }
            var configuration = KafkaConsumer.Configuration.test(cluster, group: uniqueName("group"))
            configuration.autoOffsetReset = .fail
            let place = KafkaTopicPartition(topic: topic, partition: 0)
            try await withConsumer(configuration, assigned: [place: .committed]) { consumer in
                let error = try await withDeadline(.seconds(30), "the error") {
                    await #expect(throws: KafkaError.self) { try await consumer.read(1) }
                }
                #expect(error?.code == .offsetOutOfRange)
                #expect(error?.topic == topic)
                #expect(error?.partition == 0)
            }
            try await withConsumer(configuration, assigned: [place: .absolute(500)]) { consumer in
                let error = try await withDeadline(.seconds(30), "the error") {
                    await #expect(throws: KafkaError.self) { try await consumer.read(1) }
                }
                #expect(error?.code == .offsetOutOfRange)
                #expect(error?.partition == 0)
            }
        }
    }

    @Test func fetchErrorsThatPassAreNotSeen() async throws {
        try await withCluster(nodes: 2, topics: ["t": 1]) { cluster in
            try await withProducer(.test(cluster)) { producer in
                let place = KafkaTopicPartition(topic: "t", partition: 0)
                try await withConsumer(.test(cluster), assigned: [place: .beginning]) { consumer in
                    let reader = Task { try await consumer.read(60).map(\.valueString) }
                    for number in 0..<60 {
                        if number % 20 == 5 {
                            try await cluster.moveLeader(ofTopic: "t", partition: 0, to: Int32(number / 20 % 2) + 1)
                        }
                        if number % 20 == 15 {
                            try await cluster.failNext(.fetch, with: [.notLeaderForPartition, .leaderNotAvailable])
                        }
                        _ = try await producer.send(KafkaProducerRecord(topic: "t", value: "\(number)"))
                    }
                    let values = try await withDeadline(.seconds(30), "all records") { try await reader.value }
                    #expect(values == (0..<60).map { "\($0)" })
                }
            }
        }
    }

    @Test func logLinesOfLibrdkafkaReachTheLogger() async throws {
        let log = CapturedLog()
        var configuration = KafkaProducer.Configuration(bootstrapServers: ["127.0.0.1:1"])
        configuration.clientID = "a-name"
        try await withProducer(configuration, log: log) { _ in
            try await eventually("a line") { log.contains("Connection refused") }
        }
        let line = try #require(
            log.lines.first { $0.message.contains("Connection refused") && $0.metadata["facility"] != nil }
        )
        #expect(line.metadata["facility"] == "FAIL")
        #expect(line.metadata["client"]?.description.hasPrefix("a-name#producer-") == true)
        #expect(line.level == .error)
    }
}

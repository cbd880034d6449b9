import EmbeddedKafka
import MetricsTestKit
import TestSupport
import Testing

@testable import KafkaClient

/// Clients report metrics to the factory of their configuration, with real figures of a cluster.
@Suite(.timeLimit(.minutes(1)))
struct MetricsTests {
    private func metrics(_ factory: TestMetrics) -> KafkaMetrics {
        KafkaMetrics(interval: .milliseconds(100), factory: factory)
    }

    private func lag(_ metrics: TestMetrics, _ topic: String, _ partition: Int32) -> Double? {
        metrics.meters(
            label: "kafka_consumer_lag_records",
            dimensions: [("topic", topic), ("partition", "\(partition)")]
        ).first?.lastValue
    }

    @Test func aProducerCountsWhatItSends() async throws {
        try await withTopic(partitions: 2) { cluster, topic in
            let factory = TestMetrics()
            var configuration = KafkaProducer.Configuration.test(cluster)
            configuration.metrics = self.metrics(factory)
            configuration.metrics?.labels = ["service": "billing"]
            try await withProducer(configuration) { producer in
                try await producer.fill(topic, partition: 0, values: (0..<30).map { _ in "12345" })
                try await producer.fill(topic, partition: 1, values: (0..<20).map { _ in "12345" })
                try await eventually("the records are counted") {
                    factory.counterTotal(label: "kafka_producer_sent_records_total") == 50
                }
                #expect(factory.counterTotal(label: "kafka_producer_sent_bytes_total") == 250)
                #expect(factory.counters(label: "kafka_producer_sent_records_total").count == 1, "one for the topic")
                let counter = try #require(factory.counters(label: "kafka_producer_sent_records_total").first)
                #expect(counter.dimensions.map(\.0) == ["service", "client", "topic"])
                #expect(counter.dimensions[0].1 == "billing")
                #expect(counter.dimensions[1].1.contains("#producer-"))
                #expect(counter.dimensions[2].1 == topic)
                try await eventually("all have left the queue") {
                    factory.meters(label: "kafka_producer_queue_records").first?.lastValue == 0
                }
                try await eventually("requests are counted") {
                    factory.counterTotal(label: "kafka_broker_requests_total") > 0
                        && factory.counterTotal(label: "kafka_broker_received_bytes_total") > 0
                        && factory.meters(label: "kafka_broker_round_trip_seconds").contains { $0.lastValue ?? 0 > 0 }
                }
                #expect(factory.counterTotal(label: "kafka_producer_failed_records_total") == 0)
                #expect(factory.counters.flatMap(\.values).allSatisfy { $0 > 0 }, "counters only rise")
            }
            try await eventually("a closed client has no metrics") {
                factory.meters.isEmpty && factory.counters.isEmpty
            }
        }
    }

    @Test func aProducerCountsWhatItCouldNotSend() async throws {
        try await withCluster(topics: ["t": 1]) { cluster in
            let factory = TestMetrics()
            var configuration = KafkaProducer.Configuration.test(cluster)
            configuration.metrics = self.metrics(factory)
            try await withProducer(configuration) { producer in
                _ = try await producer.send(KafkaProducerRecord(topic: "t", value: "sent"))
                try await cluster.failNext(.produce, with: [.topicAuthorizationFailed])
                let results = try await producer.send(
                    contentsOf: (0..<3).map { KafkaProducerRecord(topic: "t", value: "lost \($0)") }
                )
                let failures = results.filter { failure(of: $0) != nil }.count
                #expect(failures >= 1)
                try await eventually("failures are counted, and nothing else") {
                    factory.counterTotal(label: "kafka_producer_failed_records_total") == Int64(failures)
                }
            }
        }
    }

    @Test func aConsumersLagIsWhatIsLeftToProcess() async throws {
        try await withTopic(partitions: 2) { cluster, topic in
            let factory = TestMetrics()
            let group = uniqueName("group")
            var configuration = KafkaConsumer.Configuration.test(cluster, group: group)
            configuration.metrics = self.metrics(factory)
            try await withProducer(.test(cluster)) { producer in
                try await producer.fill(topic, partition: 0, values: (0..<40).map(String.init))
                try await producer.fill(topic, partition: 1, values: (0..<10).map(String.init))
                try await withConsumer(configuration, subscribedTo: [topic]) { consumer in
                    // Nothing is committed and nothing processed: librdkafka itself would know of no lag.
                    _ = try await consumer.read(1)
                    try await eventually("the lag is that of all records") {
                        (self.lag(factory, topic, 0) ?? 0) + (self.lag(factory, topic, 1) ?? 0) >= 10
                    }
                    // The last one in hand is not processed.
                    _ = try await consumer.read(49)
                    try await eventually("only the record in hand is left") {
                        let lags = [self.lag(factory, topic, 0), self.lag(factory, topic, 1)]
                        return lags == [1, 0] || lags == [0, 1]
                    }
                    try await producer.fill(topic, partition: 0, values: (0..<5).map(String.init))
                    try await eventually("what comes later counts") {
                        (self.lag(factory, topic, 0) ?? 0) >= 5
                    }
                    #expect(factory.counterTotal(label: "kafka_consumer_received_records_total") >= 50)
                    let dimensions = try #require(factory.meters(label: "kafka_consumer_lag_records").first?.dimensions)
                    #expect(dimensions.map(\.0) == ["client", "group", "topic", "partition"])
                    #expect(dimensions[1].1 == group)
                    try await eventually("partitions, rebalances and brokers are reported") {
                        factory.meters(label: "kafka_consumer_assigned_partitions").first?.lastValue == 2
                            && factory.counterTotal(label: "kafka_consumer_rebalances_total") >= 1
                            && factory.meters(label: "kafka_broker_up").contains { $0.lastValue == 1 }
                    }
                }
            }
        }
    }

    /// Without a group nothing is stored or committed, so that librdkafka never knows a lag.
    @Test func theLagOfAssignedPartitions() async throws {
        try await withTopic { cluster, topic in
            let factory = TestMetrics()
            var configuration = KafkaConsumer.Configuration.test(cluster)
            configuration.metrics = self.metrics(factory)
            configuration.maxBatchRecords = 10
            try await withProducer(.test(cluster)) { producer in
                try await producer.fill(topic, values: (0..<100).map(String.init))
            }
            try await withConsumer(
                configuration,
                assigned: [KafkaTopicPartition(topic: topic, partition: 0): .absolute(20)]
            ) { consumer in
                var count = 0
                for try await batch in consumer.batches {
                    count += batch.count
                    if count == batch.count {
                        try await eventually("nothing is processed") { self.lag(factory, topic, 0) == 80 }
                    } else {
                        try await eventually("all but this batch is processed") {
                            self.lag(factory, topic, 0) == Double(80 - count + batch.count)
                        }
                    }
                    if count >= 50 { break }
                }
                #expect(factory.counters(label: "kafka_consumer_commits_total").isEmpty, "it has no group")
            }
        }
    }

    @Test func theLagOfAPartitionGoesWithIt() async throws {
        try await withTopic(partitions: 2) { cluster, topic in
            let factory = TestMetrics()
            var configuration = KafkaConsumer.Configuration.test(cluster, group: uniqueName("group"))
            configuration.metrics = self.metrics(factory)
            try await withProducer(.test(cluster)) { producer in
                for partition in 0..<Int32(2) { try await producer.fill(topic, partition: partition, values: ["a"]) }
            }
            try await withConsumer(configuration, subscribedTo: [topic]) { first in
                let reads = Task { for try await _ in first.records {} }
                try await eventually("both partitions have a lag of 0") {
                    self.lag(factory, topic, 0) == 0 && self.lag(factory, topic, 1) == 0
                }
                var other = configuration
                other.metrics = nil
                try await withConsumer(other, subscribedTo: [topic]) { second in
                    let secondReads = Task { for try await _ in second.records {} }
                    try await eventually("one partition moves, and its gauge goes") {
                        factory.meters(label: "kafka_consumer_lag_records").count == 1
                            && factory.meters(label: "kafka_consumer_assigned_partitions").first?.lastValue == 1
                    }
                    secondReads.cancel()
                    try await secondReads.value
                }
                reads.cancel()
                try await reads.value
            }
        }
    }

    @Test func commitsAreCounted() async throws {
        try await withCluster(topics: ["t": 1]) { cluster in
            let factory = TestMetrics()
            var configuration = KafkaConsumer.Configuration.test(cluster, group: "g")
            configuration.metrics = self.metrics(factory)
            configuration.commitPolicy = .manual
            func commits(_ outcome: String) -> Int64 {
                factory.counterTotal(label: "kafka_consumer_commits_total", dimensions: [("outcome", outcome)])
            }
            try await withProducer(.test(cluster)) { try await $0.fill("t", values: ["a", "b"]) }
            try await withConsumer(configuration, subscribedTo: ["t"]) { consumer in
                let partition = KafkaTopicPartition(topic: "t", partition: 0)
                _ = try await consumer.read(2)
                try await consumer.commit([partition: 1])
                try await consumer.commit([partition: 2])
                try await eventually("two commits are counted") { commits("success") == 2 }
                #expect(commits("failure") == 0)
                try await cluster.failNext(.offsetCommit, with: [.groupAuthorizationFailed])
                await #expect(throws: KafkaError.self) { try await consumer.commit([partition: 1]) }
                try await eventually("the one that failed is counted") { commits("failure") == 1 }
                #expect(commits("success") == 2)
            }
        }
    }

    @Test func withoutMetricsThereAreNoStatistics() throws {
        let producer = KafkaProducer.Configuration(bootstrapServers: ["localhost:9092"])
        #expect(
            try producer.makeProperties().values.contains { $0 == ("statistics.interval.ms", "0") },
            "librdkafka makes none"
        )
        #expect(KafkaConsumer.Configuration(bootstrapServers: ["localhost:9092"]).metrics == nil)
    }

    @Test(arguments: [Duration.zero, .milliseconds(99), .seconds(86_401), .seconds(-1)])
    func anIntervalOutOfRangeIsRefused(interval: Duration) {
        var configuration = KafkaProducer.Configuration(bootstrapServers: ["localhost:9092"])
        configuration.metrics = KafkaMetrics(interval: interval)
        #expect {
            _ = try KafkaProducer(configuration: configuration)
        } throws: {
            ($0 as? KafkaError)?.code == .configuration && "\($0)".contains("metrics")
        }
    }

    @Test func theIntervalBelongsToTheMetrics() {
        var configuration = KafkaConsumer.Configuration(bootstrapServers: ["localhost:9092"])
        configuration.additional["statistics.interval.ms"] = "1000"
        #expect {
            _ = try KafkaConsumer(configuration: configuration)
        } throws: {
            "\($0)".contains("metrics")
        }
    }
}

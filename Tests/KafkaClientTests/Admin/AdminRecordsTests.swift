import EmbeddedKafka
import Testing

@testable import KafkaClient

/// Records deleted, offsets for times, and the lag of groups.
@Suite(.timeLimit(.minutes(1)))
struct AdminRecordsTests {
    private func fill(
        _ cluster: EmbeddedKafkaCluster,
        _ partition: KafkaTopicPartition,
        ages: [Duration]
    ) async throws {
        try await withProducer(.test(cluster)) { producer in
            let now = KafkaTimestamp.now.millisecondsSince1970
            for age in ages {
                _ = try await producer.send(
                    KafkaProducerRecord(
                        topic: partition.topic,
                        partition: partition.partition,
                        value: "",
                        timestamp: KafkaTimestamp(millisecondsSince1970: now - Int64(age / .milliseconds(1)))
                    )
                )
            }
        }
    }

    @Test func recordsAreDeletedFromTheStart() async throws {
        try await withCluster(nodes: 2, topics: ["t": 3]) { cluster in
            for partition in 0..<3 {
                try await self.fill(cluster, place("t", Int32(partition)), ages: Array(repeating: .zero, count: 5))
            }
            try await withAdmin(cluster) { admin in
                let results = try await admin.deleteRecords(before: [
                    place("t", 0): .absolute(2), place("t", 1): .end, place("t", 2): .absolute(6),
                    place("t", 3): .absolute(1), place("missing"): .end, place("", 0): .end, place("a\0b"): .end,
                    place("t", -1): .end, place("beginning"): .beginning, place("committed"): .committed,
                    place("tail"): .tail(1), place("negative"): .absolute(-1),
                ])
                #expect(try results[place("t", 0)]?.get() == 2)
                #expect(try results[place("t", 1)]?.get() == 5)
                #expect(code(results[place("t", 2)]) == .offsetOutOfRange)
                for each in [place("t", 3), place("missing"), place("", 0), place("a\0b"), place("t", -1)] {
                    #expect(code(results[each]) == .unknownTopicOrPartition, "\(each)")
                }
                for each in ["beginning", "committed", "tail", "negative"] {
                    #expect(code(results[place(each)]) == .invalidRequest, "\(each)")
                }
                #expect(results.count == 12)
                var watermarks = try await admin.watermarks(of: place("t", 0))
                #expect(watermarks == KafkaWatermarks(low: 2, high: 5))
                watermarks = try await admin.watermarks(of: place("t", 2))
                #expect(watermarks == KafkaWatermarks(low: 0, high: 5))
                let again = try await admin.deleteRecords(before: [place("t", 0): .absolute(1)])
                #expect(try again[place("t", 0)]?.get() == 2, "what is gone stays gone")
            }
        }
    }

    @Test func recordsOfUnknownTopicsAlone() async throws {
        try await withTopic { cluster, _ in
            let missing = uniqueName("missing")
            try await withAdmin(cluster) { admin in
                let results = try await admin.deleteRecords(before: [place(missing): .end], timeout: .seconds(5))
                #expect(code(results[place(missing)]) == .unknownTopicOrPartition)
                let error = results[place(missing)].flatMap { failure(of: $0) }
                #expect(error?.topic == missing)
                #expect(error?.partition == 0)
                let topics = try await cluster.topics
                #expect(!topics.contains(missing))
            }
        }
    }

    @Test func offsetsForTimes() async throws {
        try await withTopic { cluster, topic in
            try await self.fill(cluster, place(topic), ages: [.seconds(100), .seconds(50)])
            try await withAdmin(cluster) { admin in
                let now = KafkaTimestamp.now.millisecondsSince1970
                for (age, offset) in [(Int64(200), Int64(0)), (75, 1), (0, 2)] {
                    let time = KafkaTimestamp(millisecondsSince1970: now - age * 1000)
                    let found = try await admin.offsets(for: [place(topic): time])
                    #expect(found == [place(topic): offset])
                }
            }
        }
    }

    // MARK: Lag

    @Test func lagOfAGroup() async throws {
        try await withTopic(partitions: 4) { cluster, topic in
            let group = uniqueName("group")
            try await self.fill(cluster, place(topic, 0), ages: [.seconds(7200), .seconds(3600), .seconds(60)])
            try await self.fill(cluster, place(topic, 1), ages: [.seconds(7200)])
            try await self.fill(cluster, place(topic, 2), ages: [.seconds(7200), .seconds(600), .seconds(1)])
            try await withAdmin(cluster) { admin in
                let none = try await admin.lag(of: group)
                #expect(none.isEmpty)
                _ = try await admin.alterGroupOffsets(
                    group,
                    to: [place(topic, 0): 1, place(topic, 1): 1, place(topic, 2): 0]
                )
                // The position is below the start: only what is still there counts.
                _ = try await admin.deleteRecords(before: [place(topic, 2): .absolute(1)])
                let lags = try await admin.lag(of: group)
                #expect(lags.count == 3)
                let behind = try #require(lags[place(topic, 0)])
                #expect(behind.records == 2)
                #expect(behind.position == 1)
                let age = try #require(behind.age)
                #expect(age >= .seconds(3600))
                #expect(age <= .seconds(3600 * 17 / 16 + 30))
                #expect(lags[place(topic, 1)] == KafkaLag(position: 1, start: 0, end: 1, age: .zero))
                let clamped = try #require(lags[place(topic, 2)])
                #expect(clamped.records == 2)
                #expect(clamped.start == 1)
                let clampedAge = try #require(clamped.age)
                #expect(clampedAge >= .seconds(600))
                #expect(clampedAge <= .seconds(600 * 17 / 16 + 30))
            }
        }
    }

    @Test func lagOfAConsumerBelowTheStart() async throws {
        try await withTopic { cluster, topic in
            try await self.fill(cluster, place(topic), ages: Array(repeating: .seconds(100), count: 5))
            try await withAdmin(cluster) { admin in
                _ = try await admin.deleteRecords(before: [place(topic): .absolute(3)])
            }
            var configuration = KafkaConsumer.Configuration.test(cluster)
            configuration.autoOffsetReset = .fail
            try await withConsumer(configuration, assigned: [place(topic): .absolute(1)]) { consumer in
                let lag = try #require(try await consumer.lag()[place(topic)])
                #expect(lag.position == 1)
                #expect(lag.start == 3)
                #expect(lag.records == 2)
            }
        }
    }

    /// Readers of committed records come to the last stable offset, the others to the end.
    @Test func anOpenTransactionHoldsBackTheEnd() async throws {
        try await withTopic { cluster, topic in
            let group = uniqueName("group")
            try await self.fill(cluster, place(topic), ages: [.zero, .zero])
            var configuration = KafkaProducer.Configuration.test(cluster)
            configuration.transactionalID = uniqueName("transaction")
            try await withProducer(configuration) { producer in
                try await producer.withTransaction { transaction in
                    _ = try await transaction.send(KafkaProducerRecord(topic: topic, partition: 0, value: "open"))
                    for (isolation, end) in [
                        (KafkaConsumer.IsolationLevel.readCommitted, Int64(2)), (.readUncommitted, 3),
                    ] {
                        var configuration = KafkaAdmin.Configuration(bootstrapServers: cluster.bootstrapServers)
                        configuration.isolationLevel = isolation
                        let logger = CapturedLog().makeLogger()
                        try await withKafkaAdmin(configuration, logger: logger) { admin in
                            _ = try await admin.alterGroupOffsets(group, to: [place(topic): 1])
                            let lag = try await admin.lag(of: group)[place(topic)]
                            #expect(lag?.end == end)
                            let later = KafkaTimestamp(millisecondsSince1970: .max)
                            let offsets = try await admin.offsets(for: [place(topic): later])
                            #expect(offsets == [place(topic): end])
                        }
                    }
                }
            }
        }
    }

    @Test func lagOfATopicThatIsGone() async throws {
        try await withTopic { cluster, topic in
            let group = uniqueName("group")
            try await withAdmin(cluster) { admin in
                _ = try await admin.alterGroupOffsets(group, to: [place(topic): 1])
                _ = try await admin.deleteTopics([topic])
                let lags = try await admin.lag(of: group)
                #expect(lags.isEmpty, "its offsets go with a topic")
            }
        }
    }
}

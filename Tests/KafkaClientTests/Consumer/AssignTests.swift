import EmbeddedKafka
import Testing

@testable import KafkaClient

/// Partitions are read from where the caller says, and questions about them are answered.
@Suite(.timeLimit(.minutes(1)))
struct AssignTests {
    private func withFilledPartition(
        _ body: (EmbeddedKafkaCluster, KafkaTopicPartition) async throws -> Void
    ) async throws {
        try await withTopic { cluster, topic in
            try await withProducer(.test(cluster)) { try await $0.fill(topic, values: (0..<100).map { "\($0)" }) }
            try await body(cluster, KafkaTopicPartition(topic: topic, partition: 0))
        }
    }

    @Test(arguments: [
        (KafkaOffset.beginning, Int64(0)), (.absolute(0), 0), (.absolute(40), 40), (.absolute(99), 99), (.tail(10), 90),
        (.tail(1), 99), (.tail(100), 0), (.committed, 0), (.absolute(-5), 0),
    ])
    func readsFrom(offset: KafkaOffset, expected: Int64) async throws {
        try await self.withFilledPartition { cluster, place in
            try await withConsumer(.test(cluster), assigned: [place: offset]) { consumer in
                #expect(consumer.assignment == [place])
                let first = try await consumer.read(1)
                #expect(first.first?.offset == expected)
            }
        }
    }

    @Test(arguments: [KafkaOffset.end, .tail(0)])
    func readsFromTheEnd(offset: KafkaOffset) async throws {
        try await self.withFilledPartition { cluster, place in
            var configuration = KafkaConsumer.Configuration.test(cluster)
            configuration.reportsEndOfPartition = true
            try await withConsumer(configuration, assigned: [place: offset]) { consumer in
                for try await batch in consumer.batches {
                    #expect(batch.isEmpty)
                    #expect(batch.endOfPartitions == [place: 100])
                    break
                }
                try await withProducer(.test(cluster)) { try await $0.fill(place.topic, values: ["new"]) }
                let record = try await consumer.read(1)
                #expect(record.map(\.valueString) == ["new"])
            }
        }
    }

    @Test func readsFromTheCommittedOffset() async throws {
        try await self.withFilledPartition { cluster, place in
            let group = uniqueName("group")
            try await withConsumer(.test(cluster, group: group)) { consumer in
                try await consumer.commit([place: 70])
                let committed = try await consumer.committedOffsets(for: [place])
                #expect(committed == [place: 70])
            }
            try await withConsumer(.test(cluster, group: group), assigned: [place: .committed]) { consumer in
                let first = try await consumer.read(1)
                #expect(first.first?.offset == 70)
            }
        }
    }

    @Test func aConsumerWithAGroupCommitsAssignedPartitions() async throws {
        try await self.withFilledPartition { cluster, place in
            let group = uniqueName("group")
            try await withConsumer(.test(cluster, group: group), assigned: [place: .beginning]) { consumer in
                _ = try await consumer.read(31)
                try await consumer.commit()
                #expect(consumer.acknowledgedCommits == [place: 30], "the record in hand is not processed")
            }
            try await withConsumer(.test(cluster, group: group)) { consumer in
                let committed = try await consumer.committedOffsets(for: [place])
                #expect(committed == [place: 30])
            }
        }
    }

    @Test func assigningAgainReplacesAll() async throws {
        try await withTopic(partitions: 3) { cluster, topic in
            let places = (0..<Int32(3)).map { KafkaTopicPartition(topic: topic, partition: $0) }
            try await withProducer(.test(cluster)) { producer in
                for place in places {
                    try await producer.fill(topic, partition: place.partition, values: (0..<50).map { "\($0)" })
                }
            }
            try await withConsumer(.test(cluster), assigned: [places[0]: .beginning, places[1]: .beginning]) {
                consumer in
                var records = consumer.records.makeAsyncIterator()
                for _ in 0..<10 { _ = try await records.next(isolation: nil) }
                try await consumer.assign([places[1]: .absolute(40), places[2]: .tail(5)])
                #expect(consumer.assignment == [places[1], places[2]])
                var offsets: [KafkaTopicPartition: [Int64]] = [:]
                for _ in 0..<15 {
                    let record = try #require(try await records.next(isolation: nil))
                    offsets[record.topicPartition, default: []].append(record.offset)
                }
                #expect(offsets == [places[1]: Array(40..<50), places[2]: Array(45..<50)])
                // Nothing for a while, and the first again.
                try await consumer.assign([:])
                #expect(consumer.assignment.isEmpty)
                try await consumer.assign([places[0]: .absolute(49)])
                let last = try #require(try await records.next(isolation: nil))
                #expect(last.topicPartition == places[0] && last.offset == 49)
            }
        }
    }

    @Test func misuseSaysSo() async throws {
        try await self.withFilledPartition { cluster, place in
            try await withConsumer(.test(cluster, group: uniqueName("group"))) { consumer in
                try await consumer.assign([place: .beginning])
                let subscribe = await #expect(throws: KafkaError.self) { try await consumer.subscribe(to: ["t"]) }
                #expect(subscribe?.code == .invalidState)
                #expect(subscribe?.operation == "subscribe")
            }
            try await withConsumer(.test(cluster, group: uniqueName("group")), subscribedTo: [place.topic]) {
                consumer in
                let assign = await #expect(throws: KafkaError.self) { try await consumer.assign([place: .end]) }
                #expect(assign?.code == .invalidState)
            }
            try await withConsumer(.test(cluster)) { consumer in
                let subscribe = await #expect(throws: KafkaError.self) { try await consumer.subscribe(to: ["t"]) }
                #expect(subscribe?.code == .invalidState)
                #expect(subscribe?.message.contains("`group`") == true)
                let commit = await #expect(throws: KafkaError.self) { try await consumer.commit([place: 1]) }
                #expect(commit?.code == .invalidState)
                let committed = await #expect(throws: KafkaError.self) {
                    try await consumer.committedOffsets(for: [place])
                }
                #expect(committed?.code == .invalidState)
            }
            try await withConsumer(.test(cluster, group: uniqueName("group"))) { consumer in
                let empty = await #expect(throws: KafkaError.self) { try await consumer.subscribe(to: []) }
                #expect(empty?.code == .invalidState)
                let negative = await #expect(throws: KafkaError.self) { try await consumer.commit([place: -1]) }
                #expect(negative?.code == .invalidState)
                for name in ["", "a\u{0}b"] {
                    let odd = KafkaTopicPartition(topic: name, partition: 0)
                    await #expect(throws: KafkaError.self) { try await consumer.subscribe(to: [name]) }
                    await #expect(throws: KafkaError.self) { try await consumer.assign([odd: .beginning]) }
                    await #expect(throws: KafkaError.self) { try await consumer.commit([odd: 1]) }
                    await #expect(throws: KafkaError.self) { try await consumer.watermarks(of: odd) }
                    await #expect(throws: KafkaError.self) { try await consumer.committedOffsets(for: [odd]) }
                    await #expect(throws: KafkaError.self) { try await consumer.partitions(of: name) }
                }
                let negativePartition = KafkaTopicPartition(topic: "t", partition: -1)
                await #expect(throws: KafkaError.self) { try await consumer.assign([negativePartition: .beginning]) }
                // After all that it still works.
                try await consumer.assign([place: .beginning])
                let first = try await consumer.read(1)
                #expect(first.count == 1)
            }
        }
    }

    @Test func watermarksAndPartitions() async throws {
        try await withTopic(partitions: 3) { cluster, topic in
            try await withProducer(.test(cluster)) { try await $0.fill(topic, partition: 1, values: ["a", "b"]) }
            try await withConsumer(.test(cluster)) { consumer in
                let full = try await consumer.watermarks(of: KafkaTopicPartition(topic: topic, partition: 1))
                #expect(full == KafkaWatermarks(low: 0, high: 2))
                let empty = try await consumer.watermarks(of: KafkaTopicPartition(topic: topic, partition: 2))
                #expect(empty == KafkaWatermarks(low: 0, high: 0))
                let partitions = try await consumer.partitions(of: topic)
                #expect(partitions == [0, 1, 2])
                let error = await #expect(throws: KafkaError.self) {
                    try await consumer.watermarks(of: KafkaTopicPartition(topic: topic, partition: 99))
                }
                #expect(error?.code == .unknownTopicOrPartition)
                #expect(error?.topic == topic)
                #expect(error?.partition == 99)
            }
        }
    }

    @Test func committedOffsetsLeaveOutPartitionsWithoutOne() async throws {
        try await withTopic(partitions: 3) { cluster, topic in
            let places = (0..<Int32(3)).map { KafkaTopicPartition(topic: topic, partition: $0) }
            try await withConsumer(.test(cluster, group: uniqueName("group"))) { consumer in
                let before = try await consumer.committedOffsets(for: places)
                #expect(before.isEmpty)
                try await consumer.commit([places[0]: 5, places[2]: 0])
                let after = try await consumer.committedOffsets(for: places)
                #expect(after == [places[0]: 5, places[2]: 0])
                #expect(consumer.acknowledgedCommits == after)
                try await consumer.commit([places[0]: 2])
                let back = try await consumer.committedOffsets(for: [places[0]])
                #expect(back == [places[0]: 2], "an explicit commit may go back")
                try await consumer.commit([:])
                let none = try await consumer.committedOffsets(for: [])
                #expect(none.isEmpty)
            }
        }
    }
}

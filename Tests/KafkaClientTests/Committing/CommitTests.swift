import EmbeddedKafka
import TestSupport
import Testing

@testable import KafkaClient

/// Commits that reach a broker: when, how many and in which order.
@Suite(.timeLimit(.minutes(1)))
struct CommitTests {
    private let count: Int64 = 100

    /// A topic with 100 records and a group of its own.
    private func withFilledTopic(
        _ body: (EmbeddedKafkaCluster, KafkaTopicPartition, KafkaConsumer.Configuration) async throws -> Void
    ) async throws {
        try await withTopic { cluster, topic in
            try await withProducer(.test(cluster)) { try await $0.fill(topic, values: (0..<100).map { "\($0)" }) }
            var configuration = KafkaConsumer.Configuration.test(cluster, group: uniqueName("group"))
            configuration.commitPolicy = .manual
            try await body(cluster, KafkaTopicPartition(topic: topic, partition: 0), configuration)
        }
    }

    @Test(arguments: [true, false])
    func automaticCommitsComeByCount(inBatches: Bool) async throws {
        try await self.withFilledTopic { cluster, place, configuration in
            var configuration = configuration
            configuration.commitPolicy = .afterProcessing(interval: .seconds(1_000), count: 10)
            try await withConsumer(configuration, subscribedTo: [place.topic]) { consumer in
                if inBatches {
                    for try await batch in consumer.batches {
                        #expect(batch.count <= 10)
                        if try #require(batch.last).offset >= 49 { break }
                    }
                    try await eventually("four batches are committed") {
                        consumer.acknowledgedCommits[place] ?? 0 >= 40
                    }
                } else {
                    var iterator = consumer.records.makeAsyncIterator()
                    for _ in 0..<41 { _ = try await iterator.next(isolation: nil) }
                    try await eventually("forty records are committed") { consumer.acknowledgedCommits == [place: 40] }
                }
            }
        }
    }

    @Test func oneCommitIsOnItsWayHoweverManyAskForOne() async throws {
        try await self.withFilledTopic { cluster, place, configuration in
            try await withConsumer(configuration, subscribedTo: [place.topic]) { consumer in
                var records: [KafkaConsumerRecord] = []
                for try await record in consumer.records {
                    records.append(record)
                    if records.count == 100 { break }
                }
                let delayed = try await cluster.faults.add(
                    .init(.offsetCommit, .delay(.milliseconds(300)), group: configuration.group)
                )
                let requests = try await cluster.observe(.offsetCommit, group: configuration.group)
                try await withThrowingTaskGroup(of: Void.self) { tasks in
                    // The first is held back, the others come meanwhile, in any order.
                    tasks.addTask { [record = records[0]] in try await consumer.commit(record) }
                    try await delayed.happened()
                    for record in records.dropFirst().shuffled() {
                        tasks.addTask { try await consumer.commit(record) }
                    }
                    try await tasks.waitForAll()
                }
                #expect(consumer.acknowledgedCommits == [place: 100])
                let committed = try await consumer.committedOffsets(for: [place])
                #expect(committed == [place: 100])
                #expect(try await requests.count < 10, "they went together")
            }
        }
    }

    @Test func aRecordNeverTakesTheGroupBackButOffsetsDo() async throws {
        try await self.withFilledTopic { cluster, place, configuration in
            try await withConsumer(configuration, subscribedTo: [place.topic]) { consumer in
                var iterator = consumer.records.makeAsyncIterator()
                let first = try #require(try await iterator.next(isolation: nil))
                _ = try await iterator.next(isolation: nil)
                let third = try #require(try await iterator.next(isolation: nil))
                try await consumer.commit(third)
                try await consumer.commit(first)
                #expect(try await consumer.committedOffsets(for: [place]) == [place: 3])
                try await consumer.commit([place: 1])
                #expect(try await consumer.committedOffsets(for: [place]) == [place: 1])
                #expect(consumer.acknowledgedCommits == [place: 1])
            }
        }
    }

    @Test func anErrorThatPassesIsRetried() async throws {
        try await self.withFilledTopic { cluster, place, configuration in
            try await withConsumer(configuration, subscribedTo: [place.topic]) { consumer in
                _ = try await consumer.read(5)
                // The coordinator is loading its groups.
                let fault = try await cluster.faults.add(
                    .init(.offsetCommit, .error(14), group: configuration.group, times: 3)
                )
                try await consumer.commit([place: 5])
                #expect(try await fault.count == 3)
                #expect(consumer.acknowledgedCommits == [place: 5])
            }
        }
    }

    @Test func anErrorThatDoesNotPassIsToldToAll() async throws {
        try await self.withFilledTopic { cluster, place, configuration in
            try await withConsumer(configuration, subscribedTo: [place.topic]) { consumer in
                _ = try await consumer.read(5)
                _ = try await cluster.faults.add(
                    .init(.offsetCommit, .topicAuthorizationFailed, group: configuration.group, times: nil)
                )
                await withTaskGroup(of: KafkaError.Code?.self) { tasks in
                    for offset in 1...5 {
                        tasks.addTask { await code { try await consumer.commit([place: Int64(offset)]) } }
                    }
                    for await code in tasks { #expect(code == .topicAuthorization) }
                }
            }
        }
    }

    @Test(arguments: [KafkaConsumer.Assignor.cooperativeSticky, .range])
    func whatIsProcessedIsCommittedBeforeAPartitionGoes(assignor: KafkaConsumer.Assignor) async throws {
        try await withTopic(partitions: 2) { cluster, topic in
            var configuration = KafkaConsumer.Configuration.test(cluster, group: uniqueName("group"))
            configuration.assignors = [assignor]
            configuration.commitPolicy = .afterProcessing(interval: .seconds(1_000))
            try await withProducer(.test(cluster)) { producer in
                for partition in 0..<Int32(2) {
                    try await producer.fill(topic, partition: partition, values: (0..<10).map { "\($0)" })
                }
            }
            let seen = Collected<Int64>()
            try await withConsumer(configuration, subscribedTo: [topic]) { first in
                let reader = Task { for try await record in first.records { seen.append(record.offset) } }
                try await eventually("all is read") { seen.count == 20 }
                // The answers come late; the partitions wait for them.
                let fault = try await cluster.faults.add(
                    .init(.offsetCommit, .delay(.milliseconds(300)), group: configuration.group)
                )
                try await withConsumer(configuration, subscribedTo: [topic]) { second in
                    try await eventually("one partition moves") { second.assignment.count == 1 }
                    #expect(try await fault.count == 1)
                    let moved = try #require(second.assignment.first)
                    #expect(try await second.committedOffsets(for: [moved]) == [moved: 10])
                }
                reader.cancel()
                try await reader.value
            }
            #expect(seen.count == 20, "nothing is read twice")
        }
    }
}

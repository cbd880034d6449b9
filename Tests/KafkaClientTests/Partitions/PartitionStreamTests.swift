import EmbeddedKafka
import Synchronization
import TestSupport
import Testing

@testable import KafkaClient

/// Streams of partitions, without rebalances.
@Suite(.timeLimit(.minutes(1)))
struct PartitionStreamTests {
    private func partitions(_ topic: String, _ count: Int) -> [KafkaTopicPartition: KafkaOffset] {
        (0..<Int32(count)).reduce(into: [:]) { $0[KafkaTopicPartition(topic: topic, partition: $1)] = .beginning }
    }

    private func fill(_ cluster: EmbeddedKafkaCluster, _ topic: String, partitions: Int, count: Int) async throws {
        try await withProducer(.test(cluster)) { producer in
            for partition in 0..<Int32(partitions) {
                try await producer.fill(topic, partition: partition, values: (0..<count).map { "\(partition)-\($0)" })
            }
        }
    }

    @Test func assignedPartitionsAreReadEachByItsStreamUntilTheConsumerIsClosed() async throws {
        try await withTopic(partitions: 3) { cluster, topic in
            try await self.fill(cluster, topic, partitions: 3, count: 100)
            let seen = Collected<String>()
            let ended = Collected<KafkaTopicPartition>()
            let reading = try await withConsumer(.test(cluster), assigned: self.partitions(topic, 3)) { consumer in
                let reading = Task {
                    try await withThrowingTaskGroup(of: Void.self) { group in
                        for try await partition in consumer.partitions {
                            group.addTask {
                                var next = 0
                                for try await record in partition.records {
                                    #expect(record.topicPartition == partition.topicPartition)
                                    #expect(record.valueString == "\(record.partition)-\(next)")
                                    next += 1
                                    seen.append(record.text)
                                }
                                ended.append(partition.topicPartition)
                            }
                        }
                        try await group.waitForAll()
                    }
                }
                try await eventually("all is read") { seen.count == 300 }
                #expect(ended.count == 0)
                return reading
            }
            try await reading.value
            #expect(Set(ended.elements) == Set(self.partitions(topic, 3).keys))
        }
    }

    @Test func aSlowPartitionDelaysNoOther() async throws {
        try await withTopic(partitions: 2) { cluster, topic in
            try await self.fill(cluster, topic, partitions: 2, count: 500)
            var configuration = KafkaConsumer.Configuration.test(cluster)
            configuration.maxBatchRecords = 50
            let gate = Gate()
            let slow = Collected<String>()
            let fast = Collected<String>()
            try await withConsumer(configuration, assigned: self.partitions(topic, 2)) { consumer in
                let reading = Task {
                    try await consumer.forEachPartition { partition in
                        for try await batch in partition.batches {
                            for record in batch {
                                (record.partition == 0 ? slow : fast).append(record.text)
                            }
                            if partition.topicPartition.partition == 0 { await gate.wait() }
                        }
                    }
                }
                try await eventually("the fast partition is read") { fast.count == 500 }
                #expect(slow.count <= 50)
                gate.open()
                try await eventually("the slow partition is read") { slow.count == 500 }
                reading.cancel()
                try await reading.value
            }
        }
    }

    @Test func whatIsFetchedOfAPartitionThatIsNotReadIsBounded() async throws {
        try await withTopic(partitions: 2) { cluster, topic in
            let value = String(repeating: "x", count: 10_000)
            var producing = KafkaProducer.Configuration.test(cluster)
            // A fetch brings whole batches: small ones, so that it keeps to its limit.
            producing.additional["batch.size"] = "20000"
            try await withProducer(producing) { producer in
                for partition in 0..<Int32(2) {
                    try await producer.fill(topic, partition: partition, values: Array(repeating: value, count: 400))
                }
            }
            var configuration = KafkaConsumer.Configuration.test(cluster)
            configuration.maxPrefetchedBytes = 200_000
            configuration.maxPartitionFetchBytes = 100_000
            try await withConsumer(configuration, assigned: self.partitions(topic, 2)) { consumer in
                let fetches = try await cluster.observe(.fetch)
                let seen = Collected<Int>()
                let reading = Task {
                    try await consumer.forEachPartition { partition in
                        guard partition.topicPartition.partition == 0 else { return await waitForCancellation() }
                        for try await batch in partition.batches { seen.append(batch.count) }
                    }
                }
                try await eventually("the other partition is read") { seen.elements.reduce(0, +) == 400 }
                try await fetches.happened(times: 10)
                let counts = try #require(consumer.core.readers.withLock { $0 }?.queuedCounts)
                let unread = try #require(counts[KafkaTopicPartition(topic: topic, partition: 1)])
                // 20 records are the limit, which one response of 10 more may exceed; and some that came before.
                #expect(unread > 0)
                #expect(unread < 60)
                reading.cancel()
                try await reading.value
            }
        }
    }

    @Test func whatWasFetchedBeforeIsNotLost() async throws {
        try await withTopic(partitions: 3) { cluster, topic in
            try await self.fill(cluster, topic, partitions: 2, count: 50)
            var configuration = KafkaConsumer.Configuration.test(cluster)
            configuration.reportsEndOfPartition = true
            configuration.maxBatchRecords = 7
            try await withConsumer(configuration, assigned: self.partitions(topic, 3)) { consumer in
                try await eventually("records and ends are in the common queue") { consumer.core.queuedCount >= 103 }
                let seen = Collected<String>()
                try await withThrowingTaskGroup(of: Void.self) { group in
                    for try await partition in consumer.partitions {
                        let number = partition.topicPartition.partition
                        group.addTask {
                            var next = 0
                            for try await batch in partition.batches {
                                for record in batch {
                                    #expect(record.valueString == "\(number)-\(next)")
                                    next += 1
                                    seen.append(record.text)
                                }
                                if let end = batch.endOfPartitions[partition.topicPartition] {
                                    #expect(end == (number < 2 ? 50 : 0))
                                    #expect(batch.endOfPartitions.count == 1)
                                    return
                                }
                            }
                        }
                        if number == 2 { break }
                    }
                    try await group.waitForAll()
                }
                #expect(seen.count == 100)
            }
        }
    }

    @Test func breakingOutOfAStreamLeavesItUsable() async throws {
        try await withTopic { cluster, topic in
            try await self.fill(cluster, topic, partitions: 1, count: 10)
            try await withConsumer(.test(cluster), assigned: self.partitions(topic, 1)) { consumer in
                var partitions = consumer.partitions.makeAsyncIterator()
                let first = try await partitions.next()
                let stream = try #require(first)
                var seen: [String] = []
                for try await record in stream.records {
                    seen.append(record.text)
                    if seen.count == 3 { break }
                }
                for try await batch in stream.batches {
                    seen += batch.map(\.text)
                    if seen.count == 10 { break }
                }
                #expect(seen == (0..<10).map { "0-\($0)" })
                // Another sequence of partitions begins with those that are there.
                var again = consumer.partitions.makeAsyncIterator()
                let sameAgain = try await again.next()
                #expect(sameAgain?.topicPartition == stream.topicPartition)
                #expect(!stream.hasEnded)
            }
        }
    }

    @Test func aStreamHasOneReader() async throws {
        try await withTopic { cluster, topic in
            try await self.fill(cluster, topic, partitions: 1, count: 10)
            try await withConsumer(.test(cluster), assigned: self.partitions(topic, 1)) { consumer in
                var partitions = consumer.partitions.makeAsyncIterator()
                let first = try await partitions.next()
                let stream = try #require(first)
                var one = stream.records.makeAsyncIterator()
                let firstRecord = try await one.next()
                #expect(firstRecord?.offset == 0)
                var two = stream.records.makeAsyncIterator()
                do throws(KafkaError) {
                    _ = try await two.next()
                    Issue.record("a second reader must be refused")
                } catch {
                    #expect(error.code == .invalidState)
                    #expect(error.partition == 0)
                }
                let secondRecord = try await one.next()
                #expect(secondRecord?.offset == 1)
            }
        }
    }

    @Test func aConsumerIsReadInOneWay() async throws {
        try await withTopic { cluster, topic in
            try await self.fill(cluster, topic, partitions: 1, count: 10)
            try await withConsumer(.test(cluster), assigned: self.partitions(topic, 1)) { consumer in
                let first = try await consumer.read(1)
                #expect(first.count == 1)
                let refused = await #expect(throws: KafkaError.self) {
                    for try await _ in consumer.partitions {}
                }
                #expect(refused?.code == .invalidState)
                #expect(refused?.message.contains("records or batches") == true)
                let next = try await consumer.read(1)
                #expect(next.map(\.offset) == [1])
            }
            try await withConsumer(.test(cluster), assigned: self.partitions(topic, 1)) { consumer in
                var partitions = consumer.partitions.makeAsyncIterator()
                let stream = try await partitions.next()
                #expect(stream != nil)
                let refused = await #expect(throws: KafkaError.self) { try await consumer.read(1) }
                #expect(refused?.code == .invalidState)
                await #expect(throws: KafkaError.self) { try await consumer.process { _ in } }
            }
        }
    }

    @Test func anErrorEndsAllAndAnotherCallGoesOn() async throws {
        struct Failure: Error {}
        try await withTopic(partitions: 2) { cluster, topic in
            try await self.fill(cluster, topic, partitions: 2, count: 10)
            try await withConsumer(.test(cluster), assigned: self.partitions(topic, 2)) { consumer in
                let seen = Collected<String>()
                await #expect(throws: Failure.self) {
                    try await consumer.forEachPartition { partition in
                        for try await record in partition.records {
                            seen.append(record.text)
                            if record.partition == 1, record.offset == 4 { throw Failure() }
                        }
                    }
                }
                let reading = Task {
                    try await consumer.forEachPartition { partition in
                        for try await record in partition.records { seen.append(record.text) }
                    }
                }
                try await eventually("all is read") { seen.count == 20 }
                reading.cancel()
                try await reading.value
                #expect(Set(seen.elements).count == 20)
            }
        }
    }
}

extension KafkaConsumerRecord {
    fileprivate var text: String { self.valueString ?? "" }
}

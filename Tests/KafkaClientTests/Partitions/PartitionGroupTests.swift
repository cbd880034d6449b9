import EmbeddedKafka
import Synchronization
import TestSupport
import Testing

@testable import KafkaClient

/// Streams of partitions that the group gives and takes.
@Suite(.timeLimit(.minutes(1)))
struct PartitionGroupTests {
    private func configuration(
        _ cluster: EmbeddedKafkaCluster,
        assignor: KafkaConsumer.Assignor = .cooperativeSticky
    ) -> KafkaConsumer.Configuration {
        var configuration = KafkaConsumer.Configuration.test(cluster, group: uniqueName("group"))
        configuration.assignors = [assignor]
        configuration.maxBatchRecords = 20
        return configuration
    }

    private func fill(
        _ cluster: EmbeddedKafkaCluster,
        _ topic: String,
        partitions: Int,
        _ values: [String]
    ) async throws {
        try await withProducer(.test(cluster)) { producer in
            for partition in 0..<Int32(partitions) {
                try await producer.fill(topic, partition: partition, values: values.map { "\(partition)-\($0)" })
            }
        }
    }

    @Test(arguments: [KafkaConsumer.Assignor.cooperativeSticky, .range])
    func everyRecordIsReadOnceWhileMembersComeAndGo(assignor: KafkaConsumer.Assignor) async throws {
        try await withTopic(partitions: 4) { cluster, topic in
            let seen = Collected<String>()
            let log = CapturedLog()
            let configuration = self.configuration(cluster, assignor: assignor)
            @Sendable func read(_ consumer: KafkaConsumer) async throws {
                try await consumer.forEachPartition { partition in
                    for try await record in partition.records { seen.append(record.valueString ?? "") }
                }
            }
            try await withConsumer(configuration, subscribedTo: [topic], log: log) { first in
                let firstReads = Task { try await read(first) }
                try await eventually("the first member has all") { first.assignment.count == 4 }
                try await self.fill(cluster, topic, partitions: 4, (0..<200).map { "a\($0)" })
                try await withConsumer(configuration, subscribedTo: [topic], log: log) { second in
                    let secondReads = Task { try await read(second) }
                    try await eventually("both have two partitions") {
                        first.assignment.count == 2 && second.assignment.count == 2
                    }
                    try await self.fill(cluster, topic, partitions: 4, (0..<200).map { "b\($0)" })
                    try await eventually("both rounds are read") { Set(seen.elements).count == 1_600 }
                    secondReads.cancel()
                    try await secondReads.value
                }
                try await eventually("the first member has all again") { first.assignment.count == 4 }
                try await self.fill(cluster, topic, partitions: 4, ["last"])
                try await eventually("the last records are read") { Set(seen.elements).count == 1_604 }
                firstReads.cancel()
                try await firstReads.value
            }
            #expect(seen.count == 1_604, "nothing is read twice")
            #expect(!log.contains("automatic commit: "), "every commit was taken")
        }
    }

    @Test func aPartitionWaitsForWhatItsStreamHasInHandAndIsCommitted() async throws {
        try await withCluster(topics: ["t": 2]) { cluster in
            let configuration = self.configuration(cluster)
            try await self.fill(cluster, "t", partitions: 2, (0..<10).map { "\($0)" })
            let gate = Gate()
            let seen = Collected<String>()
            let ended = Collected<KafkaTopicPartition>()
            try await withConsumer(configuration, subscribedTo: ["t"]) { first in
                let firstReads = Task {
                    try await first.forEachPartition { partition in
                        for try await record in partition.records {
                            seen.append(record.valueString ?? "")
                            // The second record of each takes until the gate opens.
                            if record.offset == 1 { await gate.wait() }
                        }
                        ended.append(partition.topicPartition)
                    }
                }
                try await eventually("records are in hand") { seen.count == 4 }
                let syncs = try await cluster.observe(.syncGroup)
                try await withConsumer(configuration, subscribedTo: ["t"]) { second in
                    try await syncs.happened(times: 2)
                    try await always(for: .seconds(1), "nothing moves while records are in hand") {
                        first.assignment.count == 2 && second.assignment.isEmpty
                    }
                    gate.open()
                    try await eventually("one partition moves") { second.assignment.count == 1 }
                    let moved = try #require(second.assignment.first)
                    try await eventually("its stream has ended") { ended.elements == [moved] }
                    let committed = try await second.committedOffsets(for: [moved])
                    #expect(committed == [moved: 2])
                    var partitions = second.partitions.makeAsyncIterator()
                    let next = try await partitions.next()
                    let stream = try #require(next)
                    #expect(stream.topicPartition == moved)
                    for try await record in stream.records {
                        seen.append(record.valueString ?? "")
                        if record.offset == 9 { break }
                    }
                    try await eventually("all is read") { Set(seen.elements).count == 20 }
                    firstReads.cancel()
                    try await firstReads.value
                }
                #expect(seen.count == 20, "nothing is read twice")
            }
        }
    }

    @Test func anIdleStreamAndAnUnreadOneDoNotHoldUpARebalance() async throws {
        try await withTopic(partitions: 2) { cluster, topic in
            let configuration = self.configuration(cluster, assignor: .range)
            try await withConsumer(configuration, subscribedTo: [topic]) { first in
                let streams = Collected<KafkaPartitionStream>()
                let reading = Task {
                    try await first.forEachPartition { partition in
                        streams.append(partition)
                        // One waits for records, the other one is not read.
                        if partition.topicPartition.partition == 0 {
                            for try await _ in partition.records {}
                        }
                    }
                }
                try await eventually("both are announced") { streams.count == 2 }
                try await withConsumer(configuration, subscribedTo: [topic]) { second in
                    try await eventually("each has one") {
                        first.assignment.count == 1 && second.assignment.count == 1
                    }
                    #expect(streams.elements.prefix(2).allSatisfy { $0.hasEnded })
                    // What comes back is a new stream.
                    try await eventually("the first member has a new stream") { streams.count == 3 }
                }
                reading.cancel()
                try await reading.value
            }
        }
    }

    @Test func aStreamThatHoldsOnIsRefusedAfterTheDeadline() async throws {
        try await withTopic { cluster, topic in
            var configuration = self.configuration(cluster, assignor: .range)
            configuration.revocationTimeout = .milliseconds(300)
            try await self.fill(cluster, topic, partitions: 1, ["a", "b", "c"])
            let log = CapturedLog()
            try await withConsumer(configuration, subscribedTo: [topic], log: log) { first in
                var partitions = first.partitions.makeAsyncIterator()
                let next = try await partitions.next()
                let stream = try #require(next)
                var records = stream.records.makeAsyncIterator()
                _ = try await records.next()
                let second = try await records.next()
                let inHand = try #require(second)
                try await withConsumer(configuration, subscribedTo: [topic]) { other in
                    try await eventually("the partition is given up") { log.contains("revocationTimeout") }
                    let refused = await #expect(throws: KafkaError.self) { try await first.commit(inHand) }
                    #expect(refused?.code == .groupMembership)
                    #expect(stream.hasEnded)
                    try await eventually("somebody has it") { first.assignment.count + other.assignment.count == 1 }
                    // What was processed before the deadline is committed.
                    let committed = try await first.committedOffsets(for: [stream.topicPartition])
                    #expect(committed == [stream.topicPartition: 1])
                }
                let after = try await records.next()
                #expect(after == nil)
            }
        }
    }

    @Test func lostPartitionsEndAtOnceAndTheGroupIsRejoined() async throws {
        try await withTopic(partitions: 2) { cluster, topic in
            var configuration = self.configuration(cluster)
            configuration.sessionTimeout = .seconds(3)
            configuration.maxPollInterval = .seconds(3)
            try await self.fill(cluster, topic, partitions: 2, ["a", "b"])
            try await withConsumer(configuration, subscribedTo: [topic]) { consumer in
                var partitions = consumer.partitions.makeAsyncIterator()
                var streams: [Int32: KafkaPartitionStream] = [:]
                for _ in 0..<2 {
                    let stream = try await partitions.next()
                    streams[stream?.topicPartition.partition ?? -1] = stream
                }
                var slow = try #require(streams[0]).records.makeAsyncIterator()
                let idle = try #require(streams[1])
                let read = Collected<String>()
                // The other stream is read, and ends while the slow one is still in its first record.
                let reading = Task {
                    for try await record in idle.records { read.append(record.valueString ?? "") }
                }
                let inHand = try await slow.next()
                let held = try #require(inHand)
                try await reading.value
                #expect(read.elements == ["1-a", "1-b"])
                let refused = await #expect(throws: KafkaError.self) { try await consumer.commit(held) }
                #expect(refused?.code == .groupMembership)
                let after = try await slow.next()
                #expect(after == nil)
                do throws(KafkaError) {
                    _ = try await partitions.next()
                    Issue.record("the reader of partitions must learn that a stream took too long")
                } catch {
                    #expect(error.code == .maxPollIntervalExceeded)
                }
                // Reading on joins again, and what was not committed is read again.
                var again: [String] = []
                for _ in 0..<2 {
                    let next = try await partitions.next()
                    let stream = try #require(next)
                    var records = stream.records.makeAsyncIterator()
                    if stream.topicPartition.partition == 0 {
                        let record = try await records.next()
                        again.append(record?.valueString ?? "")
                    }
                }
                #expect(again == ["0-a"])
            }
        }
    }

    @Test func processedRecordsAreCommittedInTheMiddleOfABatch() async throws {
        try await withTopic { cluster, topic in
            var configuration = self.configuration(cluster)
            configuration.maxBatchRecords = 100
            configuration.commitPolicy = .afterProcessing(interval: .milliseconds(100))
            try await self.fill(cluster, topic, partitions: 1, (0..<50).map { "\($0)" })
            try await withConsumer(configuration, subscribedTo: [topic]) { consumer in
                var partitions = consumer.partitions.makeAsyncIterator()
                let next = try await partitions.next()
                var records = try #require(next).records.makeAsyncIterator()
                for _ in 0..<11 { _ = try await records.next() }
                try await eventually("ten processed records are committed") {
                    consumer.acknowledgedCommits.values.max() == 10
                }
                _ = try await records.next()
                try await consumer.commit()
                #expect(consumer.acknowledgedCommits.values.max() == 11)
            }
        }
    }

    @Test func closingWaitsForWhatIsInHandAndCommitsIt() async throws {
        try await withTopic { cluster, topic in
            let configuration = self.configuration(cluster)
            try await self.fill(cluster, topic, partitions: 1, (0..<50).map { "\($0)" })
            let consumer = try KafkaConsumer(configuration: configuration, logger: CapturedLog().makeLogger())
            try await consumer.subscribe(to: [topic])
            let gate = Gate()
            let seen = Collected<Int64>()
            let reading = Task {
                try await consumer.forEachPartition { partition in
                    for try await record in partition.records {
                        seen.append(record.offset)
                        if record.offset == 5 { await gate.wait() }
                    }
                }
            }
            try await eventually("a record is in hand") { seen.count == 6 }
            let closing = Task { await consumer.close() }
            try await eventually("the consumer is closing") { consumer.core.state.withLock { $0.phase != .open } }
            try await always(for: .milliseconds(300), "closing waits") {
                seen.count == 6 && !consumer.core.closed.isComplete
            }
            gate.open()
            try await withDeadline(.seconds(20), "closing") { await closing.value }
            try await reading.value
            #expect(seen.count == 6)
            #expect(consumer.acknowledgedCommits.values.max() == 6)
        }
    }
}

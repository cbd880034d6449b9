import EmbeddedKafka
import Logging
import Synchronization
import TestSupport
import Testing

@testable import KafkaClient

/// An offset that the log does not hold is an event and a policy, never a silent jump.
@Suite(.timeLimit(.minutes(1)))
struct OffsetResetTests {
    private typealias Policy = KafkaConsumer.AutoOffsetReset

    /// A partition whose log holds the offsets 60 to 99.
    private func withShortenedLog(
        _ body: (EmbeddedKafkaCluster, KafkaTopicPartition) async throws -> Void
    ) async throws {
        try await withTopic { cluster, topic in
            try await withProducer(.test(cluster)) { try await $0.fill(topic, values: (0..<100).map { "\($0)" }) }
            try await cluster.deleteRecords(ofTopic: topic, partition: 0, before: 60)
            try await body(cluster, KafkaTopicPartition(topic: topic, partition: 0))
        }
    }

    private func commit(
        _ offsets: [KafkaTopicPartition: Int64],
        of group: String,
        _ cluster: EmbeddedKafkaCluster
    ) async throws {
        try await withConsumer(.test(cluster, group: group)) { consumer in
            // Waits until the coordinator is known.
            _ = try await consumer.committedOffsets(for: Array(offsets.keys), timeout: .seconds(30))
            try await consumer.commit(offsets)
        }
    }

    private func configuration(
        _ cluster: EmbeddedKafkaCluster,
        group: String? = nil,
        policy: Policy,
        events: Collected<KafkaOffsetReset>
    ) -> KafkaConsumer.Configuration {
        var configuration = KafkaConsumer.Configuration.test(cluster, group: group)
        configuration.autoOffsetReset = policy
        configuration.onOffsetReset = { events.append($0) }
        return configuration
    }

    @Test(arguments: [KafkaConsumer.Assignor.cooperativeSticky, .range])
    func aCommittedOffsetBelowTheLogIsToldUnderEarliest(assignor: KafkaConsumer.Assignor) async throws {
        try await self.withShortenedLog { cluster, place in
            let group = uniqueName("group")
            try await self.commit([place: 45], of: group, cluster)
            let events = Collected<KafkaOffsetReset>()
            let log = CapturedLog()
            var configuration = self.configuration(cluster, group: group, policy: .earliest, events: events)
            configuration.assignors = [assignor]
            try await withConsumer(configuration, subscribedTo: [place.topic], log: log) { consumer in
                let offsets = try await consumer.read(40).map(\.offset)
                #expect(offsets == Array(60..<100))
                let event = try #require(events.elements.first)
                #expect(events.count == 1)
                #expect(event.partition == place)
                #expect(event.wantedOffset == 45)
                #expect(event.watermarks == KafkaWatermarks(low: 60, high: 100))
                #expect(event.resumedOffset == 60)
                #expect(event.skippedOffsets == 45..<60)
                #expect(event.repeatedOffsets.isEmpty)
                let warnings = log.lines.filter { $0.level == .warning }.map(\.message)
                #expect(warnings == ["\(event)"])
                #expect(warnings.first?.contains("15 offsets are skipped") == true)
            }
        }
    }

    @Test func aCommittedOffsetBelowTheLogIsToldUnderLatest() async throws {
        try await self.withShortenedLog { cluster, place in
            let group = uniqueName("group")
            try await self.commit([place: 45], of: group, cluster)
            let events = Collected<KafkaOffsetReset>()
            let configuration = self.configuration(cluster, group: group, policy: .latest, events: events)
            try await withConsumer(configuration, subscribedTo: [place.topic]) { consumer in
                let first = Task { try await consumer.read(1) }
                // Told before anything comes.
                try await eventually("it is told") { events.count == 1 }
                #expect(events.elements.first?.skippedOffsets == 45..<100)
                try await withProducer(.test(cluster)) { try await $0.fill(place.topic, values: ["new"]) }
                let offsets = try await first.value.map(\.offset)
                #expect(offsets == [100])
            }
        }
    }

    @Test(arguments: [(KafkaConsumer.AutoOffsetReset.earliest, Int64(60)), (.latest, 100)])
    func anOffsetAboveTheLogIsTold(policy: KafkaConsumer.AutoOffsetReset, resumed: Int64) async throws {
        try await self.withShortenedLog { cluster, place in
            let events = Collected<KafkaOffsetReset>()
            let configuration = self.configuration(cluster, policy: policy, events: events)
            try await withConsumer(configuration, assigned: [place: .absolute(500)]) { consumer in
                let first = Task { try await consumer.read(1) }
                try await eventually("it is told") { events.count == 1 }
                try await withProducer(.test(cluster)) { try await $0.fill(place.topic, values: ["new"]) }
                let offsets = try await first.value.map(\.offset)
                #expect(offsets == [resumed])
                let event = try #require(events.elements.first)
                #expect(event.wantedOffset == 500)
                #expect(event.skippedOffsets.isEmpty)
                #expect(event.repeatedOffsets == resumed..<100)
            }
        }
    }

    @Test(arguments: [KafkaConsumer.Assignor.cooperativeSticky, .range])
    func failingNamesTheRangeAndASeekGoesOn(assignor: KafkaConsumer.Assignor) async throws {
        try await withTopic(partitions: 2) { cluster, topic in
            let places = (0..<Int32(2)).map { KafkaTopicPartition(topic: topic, partition: $0) }
            let group = uniqueName("group")
            try await withProducer(.test(cluster)) { producer in
                for place in places {
                    try await producer.fill(topic, partition: place.partition, values: (0..<100).map { "\($0)" })
                }
            }
            try await cluster.deleteRecords(ofTopic: topic, partition: 0, before: 60)
            try await self.commit([places[0]: 45, places[1]: 0], of: group, cluster)
            let events = Collected<KafkaOffsetReset>()
            var configuration = self.configuration(cluster, group: group, policy: .fail, events: events)
            configuration.assignors = [assignor]
            try await withConsumer(configuration, subscribedTo: [topic]) { consumer in
                var errors: [KafkaError] = []
                var offsets: [KafkaTopicPartition: [Int64]] = [:]
                var records = consumer.records.makeAsyncIterator()
                while offsets[places[1]]?.last != 99 || errors.isEmpty {
                    do {
                        let record = try #require(try await records.next(isolation: nil))
                        offsets[record.topicPartition, default: []].append(record.offset)
                    } catch let error as KafkaError {
                        errors.append(error)
                    }
                }
                #expect(offsets == [places[1]: Array(0..<100)], "the other partition goes on")
                #expect(errors.map(\.code) == [.offsetOutOfRange])
                #expect(errors.first?.partition == 0)
                #expect(errors.first?.message.contains("offset 45") == true)
                #expect(errors.first?.message.contains("60 to 99") == true)
                #expect(events.elements.map(\.resumedOffset) == [nil])
                #expect(events.elements.map(\.skippedOffsets) == [45..<60])
                try await consumer.seek(places[0], to: .absolute(98))
                let nextOffset = try await records.next(isolation: nil)?.offset
                #expect(nextOffset == 98)
                let secondNext = try await records.next(isolation: nil)?.offset
                #expect(secondNext == 99)
            }
        }
    }

    @Test(arguments: [KafkaConsumer.AutoOffsetReset.earliest, .latest, .fail])
    func aStartWithoutCommittedOffsetIsNoLoss(policy: KafkaConsumer.AutoOffsetReset) async throws {
        try await self.withShortenedLog { cluster, place in
            let events = Collected<KafkaOffsetReset>()
            let log = CapturedLog()
            let configuration = self.configuration(cluster, group: uniqueName("group"), policy: policy, events: events)
            try await withConsumer(configuration, subscribedTo: [place.topic], log: log) { consumer in
                var records = consumer.records.makeAsyncIterator()
                switch policy {
                case .earliest:
                    let nextOffset = try await records.next(isolation: nil)?.offset
                    #expect(nextOffset == 60)
                case .latest:
                    let first = Task { try await consumer.read(1) }
                    try await withProducer(.test(cluster)) { producer in
                        // Where the end is, is known some time after the start.
                        var number = 0
                        try await eventually("a record is read") {
                            number += 1
                            try await producer.fill(place.topic, values: ["\(number)"])
                            return consumer.core.state.withLock { $0.nextOffset(of: place) ?? 0 } > 100
                        }
                    }
                    let offset = try #require(try await first.value.first?.offset)
                    #expect(offset >= 100)
                case .fail:
                    let error = await #expect(throws: KafkaError.self) { try await consumer.read(1) }
                    #expect(error?.code == .offsetOutOfRange)
                    #expect(error?.message.contains("committed no offset") == true)
                    let seek = await #expect(throws: KafkaError.self) { try await consumer.seek(place, to: .committed) }
                    #expect(seek?.code == .offsetOutOfRange)
                    try await consumer.seek(place, to: .beginning)
                    let secondNext = try await records.next(isolation: nil)?.offset
                    #expect(secondNext == 60)
                }
            }
            #expect(events.elements.isEmpty)
            #expect(!log.lines.contains { $0.level >= .warning })
        }
    }

    @Test func aTailLongerThanTheLogIsNoLoss() async throws {
        try await self.withShortenedLog { cluster, place in
            let events = Collected<KafkaOffsetReset>()
            let configuration = self.configuration(cluster, policy: .fail, events: events)
            try await withConsumer(configuration, assigned: [place: .tail(70)]) { consumer in
                let offsets = try await consumer.read(1).map(\.offset)
                #expect(offsets == [60])
                #expect(events.elements.isEmpty)
            }
        }
    }

    @Test func recordsThatAreDeletedBeforeTheyAreReadAreTold() async throws {
        try await withTopic { cluster, topic in
            let place = KafkaTopicPartition(topic: topic, partition: 0)
            let value = String(repeating: "x", count: 1_000)
            let group = uniqueName("group")
            let events = Collected<KafkaOffsetReset>()
            try await withProducer(.test(cluster)) { producer in
                // Batches of their own, so that few are fetched ahead.
                for _ in 0..<40 { try await producer.fill(topic, values: Array(repeating: value, count: 10)) }
                var configuration = self.configuration(cluster, group: group, policy: .earliest, events: events)
                configuration.maxPrefetchedBytes = 1_024
                configuration.maxPrefetchedRecords = 5
                configuration.maxPartitionFetchBytes = 15_000
                try await withConsumer(configuration, subscribedTo: [topic]) { consumer in
                    var offsets: [Int64] = []
                    for try await record in consumer.records {
                        offsets.append(record.offset)
                        if offsets.count == 1 {
                            try await cluster.deleteRecords(ofTopic: topic, partition: 0, before: 333)
                        }
                        if record.offset == 399 { break }
                    }
                    let event = try #require(events.elements.first)
                    #expect(events.count == 1)
                    #expect(event.resumedOffset == 333)
                    #expect(offsets == Array(0..<event.wantedOffset) + Array(333..<400), "what was fetched is read")
                    #expect(event.skippedOffsets.lowerBound < 333)
                    try await consumer.commit()
                    #expect(consumer.acknowledgedCommits == [place: 399])
                }
            }
        }
    }

    @Test func aSeekOvertakesTheErrorOfAnOldPlace() async throws {
        try await self.withShortenedLog { cluster, place in
            let events = Collected<KafkaOffsetReset>()
            let configuration = self.configuration(cluster, policy: .latest, events: events)
            try await withConsumer(configuration, assigned: [place: .absolute(500)]) { consumer in
                try await eventually("the error waits to be read") { consumer.core.queuedCount > 1 }
                try await consumer.seek(place, to: .absolute(70))
                let offsets = try await consumer.read(30).map(\.offset)
                #expect(offsets == Array(70..<100))
                #expect(events.elements.isEmpty)
            }
        }
    }

    @Test func aGroupThatBeginsIsFetchedAheadAndReadOnce() async throws {
        try await self.withShortenedLog { cluster, place in
            let configuration = KafkaConsumer.Configuration.test(cluster, group: uniqueName("group"))
            try await withConsumer(configuration, subscribedTo: [place.topic]) { consumer in
                try await eventually("all is fetched without a reader") { consumer.core.queuedCount >= 40 }
                let reader = Task { try await consumer.read(41).map(\.offset) }
                try await eventually("all is read") { consumer.core.state.withLock { $0.nextOffset(of: place) } == 100 }
                try await withProducer(.test(cluster)) { try await $0.fill(place.topic, values: ["new"]) }
                let offsets = try await reader.value
                #expect(offsets == Array(60...100))
            }
        }
    }

    @Test func theBrokersBeingAwayDoesNotLoseTheReset() async throws {
        try await withCluster(topics: ["t": 1]) { cluster in
            let place = KafkaTopicPartition(topic: "t", partition: 0)
            try await withProducer(.test(cluster)) { try await $0.fill("t", values: (0..<10).map { "\($0)" }) }
            try await cluster.deleteRecords(ofTopic: "t", partition: 0, before: 5)
            // Three questions for the range fail.
            try await cluster.failNext(
                .listOffsets,
                with: [.notLeaderForPartition, .notLeaderForPartition, .requestTimedOut]
            )
            let events = Collected<KafkaOffsetReset>()
            let configuration = self.configuration(cluster, policy: .earliest, events: events)
            try await withConsumer(configuration, assigned: [place: .absolute(1)]) { consumer in
                let offsets = try await consumer.read(1).map(\.offset)
                #expect(offsets == [5])
                #expect(events.elements.map(\.skippedOffsets) == [1..<5])
            }
        }
    }

    // MARK: Decisions alone

    @Test func anOffsetThatIsThereAfterAllIsNoReset() {
        let place = KafkaTopicPartition(topic: "t", partition: 0)
        let finding = OffsetResets.Finding(partition: place, wanted: .absolute(30), ownership: 0)
        for policy in [KafkaConsumer.AutoOffsetReset.earliest, .latest, .fail] {
            for range in [(Int64(10), Int64(30)), (30, 30), (30, 50)] {
                let watermarks = KafkaWatermarks(low: range.0, high: range.1)
                #expect(OffsetResets.decide(finding, watermarks: watermarks, policy: policy) == .resume(at: 30, nil))
            }
        }
    }

    @Test func startsThatDoNotHelpComeSlowerAndSlower() {
        let place = KafkaTopicPartition(topic: "t", partition: 0)
        var resets = OffsetResets()
        let delays = (0..<8).map { _ in resets.delay(for: [place]) }
        #expect(delays[0] == .zero)
        #expect(zip(delays, delays.dropFirst()).allSatisfy { $0 <= $1 })
        #expect(delays[1] > .zero)
        #expect(delays[7] == .seconds(1))
        resets.succeeded([place])
        #expect(resets.delay(for: [place]) == .zero)
    }
}

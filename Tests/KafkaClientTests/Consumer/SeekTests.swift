import EmbeddedKafka
import TestSupport
import Testing

@testable import KafkaClient

/// After a seek, reading and committing go on at the new place, and nothing from before it is handed out.
@Suite(.timeLimit(.minutes(1)))
struct SeekTests {
    /// A topic whose partitions have 100 records each, with the times 1,000 to 1,099.
    private func withFilledTopic(
        partitions: Int = 1,
        _ body: (EmbeddedKafkaCluster, [KafkaTopicPartition]) async throws -> Void
    ) async throws {
        try await withTopic(partitions: partitions) { cluster, topic in
            let places = (0..<Int32(partitions)).map { KafkaTopicPartition(topic: topic, partition: $0) }
            let records = places.flatMap { place in
                (0..<100).map { number in
                    KafkaProducerRecord(
                        topic: topic,
                        partition: place.partition,
                        value: "\(number)",
                        timestamp: KafkaTimestamp(millisecondsSince1970: Int64(1_000 + number))
                    )
                }
            }
            try await withProducer(.test(cluster)) { producer in
                for result in try await producer.send(contentsOf: records) { _ = try result.get() }
            }
            try await body(cluster, places)
        }
    }

    // MARK: Places

    @Test(arguments: [
        (KafkaOffset.beginning, Int64(0)), (.absolute(40), 40), (.absolute(-3), 0), (.tail(10), 90), (.tail(1_000), 0),
        (.committed, 70),
    ])
    func readsOnFrom(place: KafkaOffset, expected: Int64) async throws {
        try await self.withFilledTopic { cluster, places in
            var configuration = KafkaConsumer.Configuration.test(cluster, group: uniqueName("group"))
            configuration.commitPolicy = .manual
            try await withConsumer(configuration, assigned: [places[0]: .absolute(50)]) { consumer in
                _ = try await consumer.committedOffsets(for: places, timeout: .seconds(30))
                try await consumer.commit([places[0]: 70])
                var records = consumer.records.makeAsyncIterator()
                for _ in 0..<5 { _ = try await records.next(isolation: nil) }
                let position = try await consumer.seek(places[0], to: place)
                #expect(position == expected)
                for offset in expected..<min(expected + 20, 100) {
                    let nextOffset = try await records.next(isolation: nil)?.offset
                    #expect(nextOffset == offset)
                }
            }
        }
    }

    @Test func theEndIsThatOfTheMoment() async throws {
        try await self.withFilledTopic { cluster, places in
            var configuration = KafkaConsumer.Configuration.test(cluster)
            configuration.reportsEndOfPartition = true
            try await withConsumer(configuration, assigned: [places[0]: .beginning]) { consumer in
                _ = try await consumer.read(1)
                let position = try await consumer.seek(places[0], to: .end)
                #expect(position == 100)
                // Written before the consumer asks for more.
                try await withProducer(.test(cluster)) { try await $0.fill(places[0].topic, values: ["new"]) }
                let offsets = try await consumer.read(1).map(\.offset)
                #expect(offsets == [100])
                // From the end, back and to it again.
                try await consumer.seek(places[0], to: .tail(1))
                let secondOffsets = try await consumer.read(1).map(\.offset)
                #expect(secondOffsets == [100])
                try await consumer.seek(places[0], to: .end)
                for try await batch in consumer.batches where !batch.endOfPartitions.isEmpty {
                    #expect(batch.isEmpty)
                    #expect(batch.endOfPartitions == [places[0]: 101])
                    break
                }
            }
        }
    }

    @Test(arguments: zip([Int64(0), 1_030, 1_099, 1_100, .max, -7], [Int64(0), 30, 99, 100, 100, 0]))
    func readsOnFromATime(time: Int64, expected: Int64) async throws {
        try await self.withFilledTopic(partitions: 2) { cluster, places in
            try await withConsumer(.test(cluster), assigned: [places[0]: .absolute(50), places[1]: .end]) { consumer in
                let positions = try await consumer.seek(places, to: KafkaTimestamp(millisecondsSince1970: time))
                #expect(positions == [places[0]: expected, places[1]: expected])
                try await withProducer(.test(cluster)) { producer in
                    for place in places {
                        try await producer.fill(place.topic, partition: place.partition, values: ["new"])
                    }
                }
                let records = try await consumer.read(2 * Int(101 - expected))
                for place in places {
                    #expect(records.filter { $0.partition == place.partition }.map(\.offset) == Array(expected...100))
                }
            }
        }
    }

    // MARK: What is in hand

    @Test func whatIsLeftOfABatchIsNotHandedOut() async throws {
        try await self.withFilledTopic(partitions: 2) { cluster, places in
            var configuration = KafkaConsumer.Configuration.test(cluster)
            configuration.maxBatchRecords = 200
            try await withConsumer(
                configuration,
                assigned: [places[0]: .beginning, places[1]: .beginning]
            ) { consumer in
                try await eventually("all is in the client") { consumer.core.queuedCount >= 200 }
                var offsets: [KafkaTopicPartition: [Int64]] = [:]
                var count = 0
                for try await record in consumer.records {
                    offsets[record.topicPartition, default: []].append(record.offset)
                    count += 1
                    if count == 10 { try await consumer.seek(places[0], to: .absolute(95)) }
                    if offsets[places[0]]?.last == 99, offsets[places[1]]?.last == 99 { break }
                }
                #expect(offsets[places[1]] == Array(0..<100), "the other partition loses nothing")
                let moved = offsets[places[0]] ?? []
                let before = moved.prefix { $0 < 95 }
                #expect(Array(before) == Array(0..<Int64(before.count)) && before.count <= 10)
                #expect(moved.dropFirst(before.count) == [95, 96, 97, 98, 99])
            }
        }
    }

    @Test func nothingOldComesWhileAnotherTaskSeeks() async throws {
        try await self.withFilledTopic(partitions: 2) { cluster, places in
            var configuration = KafkaConsumer.Configuration.test(cluster)
            configuration.maxBatchRecords = 7
            try await withConsumer(
                configuration,
                assigned: [places[0]: .beginning, places[1]: .beginning]
            ) { consumer in
                let read = Collected<(partition: Int32, offset: Int64)>()
                let reader = Task {
                    for try await record in consumer.records { read.append((record.partition, record.offset)) }
                }
                var targets: [Int64] = []
                for _ in 0..<100 {
                    let target = Int64.random(in: 0..<90)
                    targets.append(target)
                    try await consumer.seek(places[0], to: .absolute(target))
                }
                try await consumer.seek(places[0], to: .absolute(5))
                targets.append(5)
                try await eventually("the last records are read") {
                    read.elements.suffix(200).contains { $0.partition == 0 && $0.offset == 99 }
                        && read.elements.contains { $0.partition == 1 && $0.offset == 99 }
                        && read.elements.last?.offset == 99
                }
                reader.cancel()
                try await reader.value
                #expect(read.elements.filter { $0.partition == 1 }.map(\.offset) == Array(0..<100))
                // Every run of records begins where a seek went, in the order of the seeks, and ends at the last one.
                var waiting = targets[...]
                var next: Int64 = 0
                for offset in read.elements.filter({ $0.partition == 0 }).map(\.offset) {
                    if offset != next {
                        let target = try #require(waiting.firstIndex(of: offset), "\(offset) after \(next - 1)")
                        waiting = waiting[(target + 1)...]
                    }
                    next = offset + 1
                }
                #expect(next == 100)
            }
        }
    }

    // MARK: Commits

    @Test func commitsFollowBackwards() async throws {
        try await self.withFilledTopic { cluster, places in
            let group = uniqueName("group")
            try await withConsumer(.test(cluster, group: group), assigned: [places[0]: .beginning]) { consumer in
                _ = try await consumer.read(81)
                try await consumer.commit()
                #expect(consumer.acknowledgedCommits == [places[0]: 80])
                var records = consumer.records.makeAsyncIterator()
                _ = try await records.next(isolation: nil)
                try await consumer.seek(places[0], to: .absolute(20))
                // The record in hand is from before the seek: asking beyond it does not count.
                _ = try await records.next(isolation: nil)
                try await consumer.commit()
                #expect(consumer.acknowledgedCommits == [places[0]: 20])
                for _ in 0..<10 { _ = try await records.next(isolation: nil) }
                try await consumer.commit()
                #expect(consumer.acknowledgedCommits == [places[0]: 30])
            }
        }
    }

    @Test(arguments: [KafkaConsumer.CommitPolicy.afterProcessing(interval: .seconds(5)), .manual])
    func theSoughtPlaceIsCommittedWithoutReading(policy: KafkaConsumer.CommitPolicy) async throws {
        try await self.withFilledTopic { cluster, places in
            var configuration = KafkaConsumer.Configuration.test(cluster, group: uniqueName("group"))
            configuration.commitPolicy = policy
            try await withConsumer(configuration, subscribedTo: [places[0].topic]) { consumer in
                _ = try await consumer.read(61)
                try await consumer.commit()
                for place in [Int64(10), 90] {
                    try await consumer.seek(places[0], to: .absolute(place))
                    if policy == .manual { try await consumer.commit() }
                    try await eventually("the place is committed") {
                        try await consumer.committedOffsets(for: places) == [places[0]: place]
                    }
                }
            }
        }
    }

    @Test func whatWasReadBeforeASeekIsNotCommittedByHand() async throws {
        try await self.withFilledTopic { cluster, places in
            let group = uniqueName("group")
            try await withConsumer(.test(cluster, group: group), subscribedTo: [places[0].topic]) { consumer in
                for try await record in consumer.records where record.offset == 50 {
                    try await consumer.seek(places[0], to: .beginning)
                    let error = await #expect(throws: KafkaError.self) { try await consumer.commit(record) }
                    #expect(error?.code == .groupMembership)
                    #expect(error?.message.contains("seek") == true)
                    break
                }
            }
        }
    }

    // MARK: When and whose

    @Test(arguments: [KafkaConsumer.Assignor.cooperativeSticky, .range])
    func aMemberSeeksBeforeTheFirstRecord(assignor: KafkaConsumer.Assignor) async throws {
        try await self.withFilledTopic(partitions: 2) { cluster, places in
            var configuration = KafkaConsumer.Configuration.test(cluster, group: uniqueName("group"))
            configuration.assignors = [assignor]
            try await withConsumer(configuration, subscribedTo: [places[0].topic]) { consumer in
                try await eventually("it has both") { consumer.assignment == Set(places) }
                // The committed offsets may not have been found out yet, so that nothing is fetched.
                try await consumer.seek([places[0]: .absolute(97), places[1]: .tail(2)])
                let records = try await consumer.read(5)
                #expect(records.filter { $0.partition == 0 }.map(\.offset) == [97, 98, 99])
                #expect(records.filter { $0.partition == 1 }.map(\.offset) == [98, 99])
            }
        }
    }

    @Test(arguments: [KafkaConsumer.Assignor.cooperativeSticky, .range])
    func aSeekOutdoesTheCommittedOffsetThatIsBeingAskedFor(assignor: KafkaConsumer.Assignor) async throws {
        try await self.withFilledTopic { cluster, places in
            var configuration = KafkaConsumer.Configuration.test(cluster, group: uniqueName("group"))
            configuration.assignors = [assignor]
            try await withConsumer(configuration, assigned: [places[0]: .end]) { try await $0.commit([places[0]: 50]) }
            let question = EmbeddedKafkaFault(.offsetFetch, .delay(.seconds(1)), group: configuration.group)
            let fault = try await cluster.faults.add(question)
            try await withConsumer(configuration, subscribedTo: [places[0].topic]) { consumer in
                try await fault.happened()
                try await consumer.seek(places[0], to: .absolute(97))
                let offsets = try await consumer.read(3).map(\.offset)
                #expect(offsets == [97, 98, 99])
            }
        }
    }

    @Test(arguments: [KafkaConsumer.Assignor.cooperativeSticky, .range])
    func aSeekBesideTheHookOfItsAssignment(assignor: KafkaConsumer.Assignor) async throws {
        try await self.withFilledTopic(partitions: 2) { cluster, places in
            let (called, gate) = (Gate(), Gate())
            var configuration = KafkaConsumer.Configuration.test(cluster, group: uniqueName("group"))
            configuration.assignors = [assignor]
            configuration.onAssigned = { rebalance in
                #expect(throws: Never.self) { try rebalance.seek(places[0], to: .absolute(10)) }
                #expect(throws: Never.self) { try rebalance.seek(places[1], to: .tail(1)) }
                called.open()
                await gate.wait()
            }
            try await withConsumer(configuration, subscribedTo: [places[0].topic]) { consumer in
                await called.wait()
                try await consumer.seek(places[0], to: .absolute(98))
                gate.open()
                let records = try await consumer.read(3)
                #expect(records.filter { $0.partition == 0 }.map(\.offset) == [98, 99])
                #expect(records.filter { $0.partition == 1 }.map(\.offset) == [99])
            }
        }
    }

    @Test func seeksRightAfterAssigning() async throws {
        try await self.withFilledTopic { cluster, places in
            for offset in Int64(90)..<100 {
                try await withConsumer(.test(cluster), assigned: [places[0]: .committed]) { consumer in
                    try await consumer.seek(places[0], to: .absolute(offset))
                    let offsets = try await consumer.read(1).map(\.offset)
                    #expect(offsets == [offset])
                }
            }
        }
    }

    @Test func onlyOwnedPartitionsAreMoved() async throws {
        try await self.withFilledTopic(partitions: 2) { cluster, places in
            let group = uniqueName("group")
            try await withConsumer(.test(cluster, group: group), assigned: [places[0]: .beginning]) { consumer in
                let error = await #expect(throws: KafkaError.self) {
                    try await consumer.seek([places[0]: .absolute(7), places[1]: .absolute(7)])
                }
                #expect(error?.code == .groupMembership)
                #expect(error?.operation == "seek")
                #expect(error?.partition == 1)
                let offsets = try await consumer.read(1).map(\.offset)
                #expect(offsets == [0], "nothing was moved")
            }
            try await withConsumer(.test(cluster, group: group)) { consumer in
                let error = await #expect(throws: KafkaError.self) { try await consumer.seek(places[0], to: .end) }
                #expect(error?.code == .groupMembership)
                await consumer.close()
                let closed = await #expect(throws: KafkaError.self) { try await consumer.seek(places[0], to: .end) }
                #expect(closed?.code == .closed)
            }
        }
    }

    @Test func nothingMovesWhenTheOffsetIsNotFoundOut() async throws {
        try await withCluster(topics: ["t": 1]) { cluster in
            let place = KafkaTopicPartition(topic: "t", partition: 0)
            try await withProducer(.test(cluster)) { try await $0.fill("t", values: (0..<10).map { "\($0)" }) }
            try await withConsumer(.test(cluster), assigned: [place: .beginning]) { consumer in
                _ = try await consumer.read(3)
                try await cluster.failNext(.listOffsets, with: [.topicAuthorizationFailed])
                let error = await #expect(throws: KafkaError.self) { try await consumer.seek(place, to: .end) }
                #expect(error?.code == .topicAuthorization)
                #expect(error?.operation == "seek")
                _ = try await cluster.holdBackAnswers(of: .listOffsets)
                let cancelled = try await startBlockingCall { try await consumer.seek(place, to: .end) }
                cancelled.cancel()
                await #expect(throws: CancellationError.self) { _ = try await cancelled.value }
                let offsets = try await consumer.read(2).map(\.offset)
                #expect(offsets == [3, 4])
            }
        }
    }
}

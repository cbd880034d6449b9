import EmbeddedKafka
import TestSupport
import Testing

@testable import KafkaClient

/// Where a consumer is, how far it is behind, and which offsets belong to times.
@Suite(.timeLimit(.minutes(1)))
struct PositionTests {
    private func place(_ topic: String, _ partition: Int32 = 0) -> KafkaTopicPartition {
        KafkaTopicPartition(topic: topic, partition: partition)
    }

    /// Sends records of these ages to one partition.
    private func fill(
        _ cluster: EmbeddedKafkaCluster,
        _ place: KafkaTopicPartition,
        ages: [Duration]
    ) async throws {
        try await withProducer(.test(cluster)) { producer in
            let now = KafkaTimestamp.now.millisecondsSince1970
            let results = try await producer.send(
                contentsOf: ages.enumerated().map { index, age in
                    KafkaProducerRecord(
                        topic: place.topic,
                        partition: place.partition,
                        value: "\(index)",
                        timestamp: KafkaTimestamp(millisecondsSince1970: now - Int64(age / .milliseconds(1)))
                    )
                }
            )
            for result in results { _ = try result.get() }
        }
    }

    /// Whether a lag's age is that of a record that was sent with it, a little later.
    private func expect(
        _ lag: KafkaLag?,
        records: Int64,
        age: Duration,
        sourceLocation: SourceLocation = #_sourceLocation
    ) throws {
        let lag = try #require(lag, sourceLocation: sourceLocation)
        #expect(lag.records == records, sourceLocation: sourceLocation)
        let found = try #require(lag.age, sourceLocation: sourceLocation)
        #expect(found >= age, sourceLocation: sourceLocation)
        #expect(found <= age * 17 / 16 + .seconds(30), sourceLocation: sourceLocation)
    }

    // MARK: Position

    @Test(arguments: [
        (KafkaOffset.beginning, Int64(0)), (.end, 5), (.absolute(3), 3), (.absolute(9), 9), (.tail(2), 3),
        (.tail(.max), 0), (.committed, 0),
    ])
    func beforeAnythingIsReadItIsThePlaceThatWasGiven(_ given: KafkaOffset, _ position: Int64) async throws {
        try await withTopic { cluster, topic in
            let place = self.place(topic)
            try await self.fill(cluster, place, ages: Array(repeating: .zero, count: 5))
            try await withConsumer(.test(cluster), assigned: [place: given]) { consumer in
                let found = try await consumer.position(of: place)
                #expect(found == position)
            }
        }
    }

    @Test(arguments: [(KafkaConsumer.AutoOffsetReset.earliest, Int64(0)), (.latest, 5), (.fail, 0)])
    func withoutAPlaceAndACommitTheResetDecides(
        _ reset: KafkaConsumer.AutoOffsetReset,
        _ position: Int64
    ) async throws {
        try await withTopic { cluster, topic in
            let place = self.place(topic)
            try await self.fill(cluster, place, ages: Array(repeating: .zero, count: 5))
            var configuration = KafkaConsumer.Configuration.test(cluster, group: uniqueName("group"))
            configuration.autoOffsetReset = reset
            try await withConsumer(configuration, subscribedTo: [topic]) { consumer in
                try await eventually("an assignment") { consumer.assignment.contains(place) }
                #expect(try await consumer.position(of: place) == position)
            }
        }
    }

    @Test func aCommittedOffsetIsThePositionOfANewMember() async throws {
        try await withTopic { cluster, topic in
            let place = self.place(topic)
            try await self.fill(cluster, place, ages: Array(repeating: .zero, count: 5))
            let group = uniqueName("group")
            try await withConsumer(.test(cluster, group: group)) { try await $0.commit([place: 4]) }
            try await withConsumer(.test(cluster, group: group), subscribedTo: [topic]) { consumer in
                try await eventually("an assignment") { consumer.assignment.contains(place) }
                #expect(try await consumer.position(of: place) == 4)
            }
        }
    }

    /// Of a batch, all is handed over; of records, what was taken, however many were fetched.
    @Test func itIsBehindWhatWasHandedOver() async throws {
        try await withTopic(partitions: 2) { cluster, topic in
            let places = [self.place(topic, 0), self.place(topic, 1)]
            for place in places {
                try await self.fill(cluster, place, ages: Array(repeating: .zero, count: 5))
            }
            try await withConsumer(.test(cluster), assigned: [places[0]: .beginning, places[1]: .absolute(2)]) {
                consumer in
                try await eventually("all is fetched") { consumer.core.queuedCount >= 8 }
                let read = try await consumer.read(6)
                for place in places {
                    let first: Int64 = place.partition == 0 ? 0 : 2
                    let count = read.filter { $0.partition == place.partition }.count
                    #expect(try await consumer.position(of: place) == first + Int64(count), "\(place)")
                }
                #expect(try await consumer.readBatches(2).count == 2)
                #expect(try await consumer.position(of: places[0]) == 5)
                #expect(try await consumer.position(of: places[1]) == 5)
            }
        }
    }

    /// What was fetched before a partition was paused is kept, and is not handed over yet.
    @Test func ofAPausedPartitionItStays() async throws {
        try await withTopic(partitions: 2) { cluster, topic in
            let (read, paused) = (self.place(topic, 0), self.place(topic, 1))
            for place in [read, paused] {
                try await self.fill(cluster, place, ages: Array(repeating: .zero, count: 5))
            }
            try await withConsumer(.test(cluster), assigned: [read: .beginning, paused: .beginning]) { consumer in
                try await eventually("all is fetched") { consumer.core.queuedCount >= 10 }
                try await consumer.pause([paused])
                let records = try await consumer.read(5)
                #expect(records.allSatisfy { $0.partition == 0 })
                var position = try await consumer.position(of: read)
                #expect(position == 5)
                position = try await consumer.position(of: paused)
                #expect(position == 0)
                let lag = try await consumer.lag()[paused]
                #expect(lag?.records == 5)
            }
        }
    }

    @Test func ofAPartitionThatIsNotAssignedThereIsNone() async throws {
        try await withTopic { cluster, topic in
            try await withConsumer(.test(cluster), assigned: [self.place(topic): .beginning]) { consumer in
                for other in [self.place(topic, 1), self.place("other"), self.place(""), self.place("a\0b", -1)] {
                    let error = await #expect(throws: KafkaError.self) { try await consumer.position(of: other) }
                    #expect(error?.code == .invalidState)
                    #expect(error?.topic == other.topic)
                }
            }
        }
    }

    // MARK: Lag

    @Test func lagIsThatOfTheNextRecordInHand() async throws {
        try await withTopic { cluster, topic in
            let place = self.place(topic)
            try await self.fill(cluster, place, ages: [.seconds(7200), .seconds(3600), .seconds(60)])
            try await withConsumer(.test(cluster), assigned: [place: .beginning]) { consumer in
                try await eventually("all is fetched") { consumer.core.queuedCount >= 3 }
                _ = try await consumer.read(1)
                let listOffsets = try await cluster.faults.add(
                    .init(.listOffsets, .delay(.zero), topic: topic, times: nil)
                )
                try self.expect(try await consumer.lag()[place], records: 2, age: .seconds(3600))
                let count = try await listOffsets.count
                #expect(count <= 2, "only the two ends were asked for")
                _ = try await consumer.read(1)
                try self.expect(try await consumer.lag()[place], records: 1, age: .seconds(60))
                _ = try await consumer.read(1)
                let lag = try await consumer.lag()[place]
                #expect(lag == KafkaLag(position: 3, start: 0, end: 3, age: .zero))
                #expect(lag?.records == 0)
            }
        }
    }

    @Test func lagOfWhatIsStillAtTheBrokers() async throws {
        try await withTopic(partitions: 3) { cluster, topic in
            let places = (0..<3).map { self.place(topic, $0) }
            try await self.fill(cluster, places[0], ages: [.seconds(7200), .seconds(600), .seconds(1)])
            try await self.fill(cluster, places[1], ages: [.seconds(86_400 * 3)])
            try await withConsumer(
                .test(cluster),
                assigned: [places[0]: .absolute(1), places[1]: .beginning, places[2]: .beginning]
            ) { consumer in
                let lags = try await consumer.lag()
                try self.expect(lags[places[0]], records: 2, age: .seconds(600))
                try self.expect(lags[places[1]], records: 1, age: .seconds(86_400 * 3))
                #expect(lags[places[2]] == KafkaLag(position: 0, start: 0, end: 0, age: .zero))
                #expect(lags.count == 3)
            }
        }
    }

    /// The last record was read long ago, but the next one has just come.
    @Test func aQuietTopicIsNotLate() async throws {
        try await withTopic { cluster, topic in
            let place = self.place(topic)
            try await self.fill(cluster, place, ages: [.seconds(86_400)])
            try await withConsumer(.test(cluster), assigned: [place: .beginning]) { consumer in
                _ = try await consumer.readBatches(1)
                try await self.fill(cluster, place, ages: [.zero])
                try self.expect(try await consumer.lag()[place], records: 1, age: .zero)
            }
        }
    }

    @Test func withoutAnAssignmentThereIsNoLag() async throws {
        try await withTopic { cluster, topic in
            try await withConsumer(.test(cluster, group: uniqueName("group"))) { consumer in
                let lags = try await consumer.lag()
                #expect(lags.isEmpty)
            }
        }
    }

    @Test func onlyWhatIsStillThereCounts() {
        #expect(KafkaLag(position: 3, start: 10, end: 14, age: nil).records == 4)
        #expect(KafkaLag(position: 12, start: 10, end: 14, age: nil).records == 2)
        #expect(KafkaLag(position: 20, start: 10, end: 14, age: nil).records == 0)
        #expect(KafkaLag(position: .min, start: .min, end: .max, age: nil).records == .max)
    }

    // MARK: Offsets for times

    @Test func offsetsForTimes() async throws {
        try await withTopic(partitions: 2) { cluster, topic in
            let places = [self.place(topic, 0), self.place(topic, 1)]
            try await withProducer(.test(cluster)) { producer in
                for (partition, times) in [(Int32(0), [1000, 2000, 3000]), (1, [5000])] as [(Int32, [Int64])] {
                    for time in times {
                        _ = try await producer.send(
                            KafkaProducerRecord(
                                topic: topic,
                                partition: partition,
                                value: "",
                                timestamp: KafkaTimestamp(millisecondsSince1970: time)
                            )
                        )
                    }
                }
            }
            try await withConsumer(.test(cluster)) { consumer in
                // A time behind all records is the end; a negative one is a time, and not librdkafka's name of an end.
                let cases: [(times: [Int64], offsets: [Int64])] = [
                    ([1500, 5000], [1, 0]), ([2000, 5001], [1, 1]), ([3001, 6000], [3, 1]), ([-1, -2], [0, 0]),
                    ([.min, .max], [0, 1]),
                ]
                for (times, expected) in cases {
                    let asked = zip(places, times).reduce(into: [:]) {
                        $0[$1.0] = KafkaTimestamp(millisecondsSince1970: $1.1)
                    }
                    let offsets = try await consumer.offsets(for: asked)
                    #expect(places.map { offsets[$0] } == expected, "\(times)")
                }
                let none = try await consumer.offsets(for: [:])
                #expect(none.isEmpty)
            }
        }
    }

    @Test func offsetsForTimesOfUnknownPartitions() async throws {
        try await withTopic { cluster, topic in
            let time = KafkaTimestamp(millisecondsSince1970: 1)
            try await withConsumer(.test(cluster)) { consumer in
                let missing = uniqueName("missing")
                for unknown in [self.place(topic, 7), self.place(missing), self.place(""), self.place("a\0b")] {
                    let error = await #expect(throws: KafkaError.self) {
                        try await consumer.offsets(
                            for: [self.place(topic): time, unknown: time],
                            timeout: .seconds(30)
                        )
                    }
                    #expect(error?.code == .unknownTopicOrPartition, "\(unknown)")
                }
                let topics = try await cluster.topics
                #expect(!topics.contains(missing), "asking does not make a topic")
            }
        }
    }

    @Test func aClosedConsumerAnswersNothing() async throws {
        try await withTopic { cluster, topic in
            let consumer = try KafkaConsumer(configuration: .test(cluster), logger: CapturedLog().makeLogger())
            await consumer.close()
            let place = self.place(topic)
            let time = KafkaTimestamp(millisecondsSince1970: 1)
            for question in [
                { _ = try await consumer.position(of: place) }, { _ = try await consumer.lag() },
                { _ = try await consumer.offsets(for: [place: time]) },
            ] as [() async throws -> Void] {
                let error = await #expect(throws: KafkaError.self) { try await question() }
                #expect(error?.code == .closed)
            }
        }
    }

    @Test func questionsEndWithTheirTaskAndInTime() async throws {
        try await withCluster(topics: ["t": 1]) { cluster in
            let place = self.place("t")
            try await withConsumer(.test(cluster), assigned: [place: .beginning]) { consumer in
                #expect(try await consumer.lag()[place]?.records == 0)
                _ = try await cluster.holdBackAnswers(of: .listOffsets)
                let task = try await startBlockingCall { try await consumer.lag(timeout: .seconds(100)) }
                task.cancel()
                try await withDeadline(.seconds(20), "lag") {
                    _ = await #expect(throws: CancellationError.self) { try await task.value }
                }
                let error = await #expect(throws: KafkaError.self) {
                    try await consumer.offsets(for: [place: .now], timeout: .milliseconds(300))
                }
                #expect(error?.code == .timedOut)
            }
        }
    }
}

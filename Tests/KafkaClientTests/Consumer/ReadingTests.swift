import EmbeddedKafka
import TestSupport
import Testing

@testable import KafkaClient

/// Breaking out of a loop leaves the consumer usable, and nothing is lost or repeated by that.
@Suite(.timeLimit(.minutes(1)))
struct ReadingTests {
    /// A consumer of two partitions with 1,500 records each.
    private func withFilledTopic(
        maxBatchRecords: Int = 1_000,
        _ body: (KafkaConsumer) async throws -> Void
    ) async throws {
        try await withTopic(partitions: 2) { cluster, topic in
            try await withProducer(.test(cluster)) { producer in
                for partition in 0..<Int32(2) {
                    try await producer.fill(
                        topic,
                        partition: partition,
                        values: (0..<1_500).map { "\(partition)-\($0)" }
                    )
                }
            }
            var configuration = KafkaConsumer.Configuration.test(cluster)
            configuration.maxBatchRecords = maxBatchRecords
            let places = (0..<Int32(2)).map { KafkaTopicPartition(topic: topic, partition: $0) }
            try await withConsumer(
                configuration,
                assigned: Dictionary(uniqueKeysWithValues: places.map { ($0, .beginning) }),
                body
            )
        }
    }

    private func expectAllOnce(_ records: [KafkaRecord], sourceLocation: SourceLocation = #_sourceLocation) {
        #expect(records.count == 3_000, sourceLocation: sourceLocation)
        for partition in 0..<Int32(2) {
            let offsets = records.filter { $0.partition == partition }.map(\.offset)
            #expect(offsets == Array(0..<1_500), "partition \(partition)", sourceLocation: sourceLocation)
        }
    }

    @Test(arguments: [1, 7, 1_000])
    func anotherLoopGoesOn(maxBatchRecords: Int) async throws {
        try await self.withFilledTopic(maxBatchRecords: maxBatchRecords) { consumer in
            var records: [KafkaRecord] = []
            var count = 1
            while records.count < 3_000 {
                records += try await consumer.read(min(count, 3_000 - records.count))
                count = count * 2 % 997 + 1
            }
            self.expectAllOnce(records)
        }
    }

    @Test func recordsAndBatchesTakeTurns() async throws {
        try await self.withFilledTopic(maxBatchRecords: 50) { consumer in
            var records: [KafkaRecord] = []
            while records.count < 3_000 {
                records += try await consumer.read(min(13, 3_000 - records.count))
                if records.count < 3_000 { records += try await consumer.readBatches(1) }
            }
            self.expectAllOnce(records)
        }
    }

    @Test func anErrorInALoopIsLikeABreak() async throws {
        struct Stop: Error {}
        try await self.withFilledTopic { consumer in
            var records: [KafkaRecord] = []
            await #expect(throws: Stop.self) {
                for try await record in consumer.records {
                    records.append(record.detached())
                    if records.count == 10 { throw Stop() }
                }
            }
            records += try await consumer.read(2_990)
            self.expectAllOnce(records)
        }
    }

    @Test func cancellingTheReaderEndsItsLoop() async throws {
        try await withTopic { cluster, topic in
            let place = KafkaTopicPartition(topic: topic, partition: 0)
            try await withProducer(.test(cluster)) { producer in
                try await producer.fill(topic, values: ["0", "1"])
                try await withConsumer(.test(cluster), assigned: [place: .beginning]) { consumer in
                    let seen = Collected<String?>()
                    let reader = Task {
                        for try await record in consumer.records { seen.append(record.valueString) }
                        return Task.isCancelled
                    }
                    try await eventually("both are read") { seen.count == 2 }
                    reader.cancel()
                    #expect(try await withDeadline(.seconds(30), "the loop's end") { try await reader.value })
                    // The consumer is still usable.
                    try await producer.fill(topic, values: ["2"])
                    #expect(try await consumer.read(1).map(\.valueString) == ["2"])
                }
            }
        }
    }

    @Test func cancellationIsSeenInTheMiddleOfABatch() async throws {
        try await self.withFilledTopic { consumer in
            let reader = Task {
                var count = 0
                for try await _ in consumer.records {
                    count += 1
                    if count == 5 { withUnsafeCurrentTask { $0?.cancel() } }
                }
                return count
            }
            let count = try await reader.value
            #expect((5...5 + 16).contains(count), "every sixteenth record looks")
            let rest = try await consumer.read(3_000 - count)
            #expect(rest.count == 3_000 - count)
        }
    }

    @Test func aCancelledTaskReadsNothing() async throws {
        try await self.withFilledTopic { consumer in
            let reader = Task {
                withUnsafeCurrentTask { $0?.cancel() }
                var count = 0
                for try await batch in consumer.batches { count += batch.count }
                return count
            }
            let count = try await reader.value
            #expect(count == 0)
        }
    }

    @Test func oneReaderAtATime() async throws {
        try await withTopic { cluster, topic in
            let place = KafkaTopicPartition(topic: topic, partition: 0)
            try await withConsumer(.test(cluster), assigned: [place: .beginning]) { consumer in
                let refused = Collected<KafkaError>()
                let readers = (0..<2).map { _ in
                    Task {
                        do {
                            for try await _ in consumer.records {}
                        } catch let error as KafkaError {
                            refused.append(error)
                        }
                    }
                }
                // One of them waits for a record, the other one is refused at once.
                try await eventually("one is refused") { refused.count == 1 }
                #expect(refused.elements[0].code == .invalidState)
                #expect(refused.elements[0].operation == "read")
                for reader in readers {
                    reader.cancel()
                    try await reader.value
                }
                #expect(refused.count == 1)
            }
        }
    }

    @Test func aReaderThatHasSomethingInHandKeepsOthersOut() async throws {
        try await self.withFilledTopic { consumer in
            var iterator = consumer.records.makeAsyncIterator()
            var read = [try #require(try await iterator.next(isolation: nil)).detached()]
            var other = consumer.batches.makeAsyncIterator()
            let error = await #expect(throws: KafkaError.self) { try await other.next(isolation: nil) }
            #expect(error?.code == .invalidState)
            while read.count < 3_000 {
                read.append(try #require(try await iterator.next(isolation: nil)).detached())
            }
            self.expectAllOnce(read)
        }
    }

    @Test func theSequenceReadsWhatComesLater() async throws {
        try await withTopic { cluster, topic in
            let place = KafkaTopicPartition(topic: topic, partition: 0)
            try await withProducer(.test(cluster)) { producer in
                try await withConsumer(.test(cluster), assigned: [place: .beginning]) { consumer in
                    let reader = Task { try await consumer.read(100).map(\.valueString) }
                    for number in 0..<100 {
                        _ = try await producer.send(KafkaProducerRecord(topic: topic, value: "\(number)"))
                    }
                    #expect(
                        try await withDeadline(.seconds(30), "all records") { try await reader.value }
                            == (0..<100).map { "\($0)" }
                    )
                }
            }
        }
    }
}

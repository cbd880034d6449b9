import EmbeddedKafka
import Testing

@testable import KafkaClient

/// An awaited send returns when the broker has acknowledged, and says where the record is.
@Suite(.timeLimit(.minutes(1)))
struct SendTests {
    @Test func returnsWhereTheRecordIs() async throws {
        try await withTopic(partitions: 3) { cluster, topic in
            try await withProducer(.test(cluster)) { producer in
                let time = KafkaTimestamp(millisecondsSince1970: 1_291_191_960_000)
                for offset in 0..<3 {
                    let metadata = try await producer.send(
                        KafkaProducerRecord(topic: topic, partition: 2, key: "k", value: "v", timestamp: time)
                    )
                    #expect(metadata.topic == topic)
                    #expect(metadata.partition == 2)
                    #expect(metadata.offset == Int64(offset))
                    #expect(metadata.timestamp == time)
                    #expect(metadata.topicPartition == KafkaTopicPartition(topic: topic, partition: 2))
                }
            }
        }
    }

    @Test func theBrokersTimeIsTheRecordsWhereTheTopicSaysSo() async throws {
        let clock = EmbeddedKafkaClock.Manual()
        try await withCluster({ $0.clock = .manual(clock) }) { cluster in
            try await cluster.createTopic("t", partitions: 1, settings: ["message.timestamp.type": "LogAppendTime"])
            try await withProducer(.test(cluster)) { producer in
                var expected: [KafkaTimestamp?] = []
                for number in 0..<3 {
                    let metadata = try await producer.send(
                        KafkaProducerRecord(topic: "t", value: "\(number)", timestamp: .init(millisecondsSince1970: 1))
                    )
                    expected.append(KafkaTimestamp(millisecondsSince1970: clock.now))
                    #expect(metadata.timestamp == expected.last)
                    await clock.advance(by: .milliseconds(1_234))
                }
                #expect(try await cluster.allRecords(of: "t", partitions: 1).map(\.timestamp) == expected)
            }
        }
    }

    /// The answer is awaited: with a broker that answers late the send takes as long.
    @Test func waitsForTheAcknowledgement() async throws {
        try await withCluster(topics: ["t": 1]) { cluster in
            try await withProducer(.test(cluster)) { producer in
                _ = try await producer.send(KafkaProducerRecord(topic: "t", value: "warm"))
                _ = try await cluster.faults.add(.init(.produce, .delay(.milliseconds(300))))
                let start = ContinuousClock.now
                _ = try await producer.send(KafkaProducerRecord(topic: "t", value: "slow"))
                #expect(ContinuousClock.now - start >= .milliseconds(290))
            }
        }
    }

    @Test func withoutAcknowledgementsThereIsNoOffset() async throws {
        try await withTopic { cluster, topic in
            var configuration = KafkaProducer.Configuration.test(cluster)
            configuration.acknowledgements = .none
            configuration.isIdempotent = false
            try await withProducer(configuration) { producer in
                let metadata = try await producer.send(KafkaProducerRecord(topic: topic, value: "1"))
                #expect(metadata.offset == nil)
            }
        }
    }

    @Test func thePartitionerKeepsAKeyInOnePartition() async throws {
        try await withTopic(partitions: 8) { cluster, topic in
            try await withProducer(.test(cluster)) { producer in
                var partitions: [String: Set<Int32>] = [:]
                for number in 0..<60 {
                    let key = "key-\(number % 20)"
                    let metadata = try await producer.send(KafkaProducerRecord(topic: topic, key: key, value: "v"))
                    partitions[key, default: []].insert(metadata.partition)
                }
                #expect(partitions.values.allSatisfy { $0.count == 1 })
                #expect(Set(partitions.values.flatMap(\.self)).count > 1, "not all keys in one partition")
                // Murmur2 as in Java clients: the well-known hash of "21" is -973932308.
                let metadata = try await producer.send(KafkaProducerRecord(topic: topic, key: "21", value: "v"))
                #expect(metadata.partition == (-973_932_308 & 0x7FFF_FFFF) % 8)
            }
        }
    }

    // MARK: Batches

    @Test func aBatchHasAResultForEachRecordInOrder() async throws {
        try await withTopic(partitions: 2) { cluster, first in
            let second = uniqueName("topic")
            try await cluster.createTopic(second, partitions: 1)
            try await withProducer(.test(cluster)) { producer in
                // Runs of plain records, and between them records with headers, times, keys and nothing at all.
                let records = (0..<5_000).map { number -> KafkaProducerRecord in
                    var record = KafkaProducerRecord(
                        topic: number % 7 == 0 ? second : first,
                        partition: number % 7 == 0 ? 0 : Int32(number / 100 % 2),
                        value: "value-\(number)"
                    )
                    if number % 11 == 0 { record.headers = [KafkaHeader(key: "n", value: "\(number)")] }
                    if number % 13 == 0 {
                        record.timestamp = KafkaTimestamp(millisecondsSince1970: 1_000 + Int64(number))
                    }
                    if number % 17 == 0 { record.key = Array("\(number)".utf8) }
                    if number % 19 == 0 { record.value = nil }
                    return record
                }
                let results = try await producer.send(contentsOf: records)
                #expect(results.count == records.count)
                var next: [KafkaTopicPartition: Int64] = [:]
                for (record, result) in zip(records, results) {
                    let metadata = try result.get()
                    #expect(metadata.topic == record.topic)
                    #expect(metadata.partition == record.partition)
                    #expect(metadata.offset == next[metadata.topicPartition, default: 0], "order is kept")
                    next[metadata.topicPartition, default: 0] += 1
                }
                let read =
                    try await cluster.allRecords(of: first, partitions: 2)
                    + cluster.allRecords(of: second, partitions: 1)
                let byPlace = Dictionary(grouping: read) {
                    KafkaTopicPartition(topic: $0.topic, partition: $0.partition)
                }
                for (record, result) in zip(records, results) {
                    let metadata = try result.get()
                    let offset = try #require(metadata.offset)
                    let stored = try #require(byPlace[metadata.topicPartition])[Int(offset)]
                    #expect(stored.offset == offset)
                    #expect(stored.key == record.key)
                    #expect(stored.value == record.value)
                    #expect(stored.headers == record.headers)
                    if let timestamp = record.timestamp { #expect(stored.timestamp == timestamp) }
                }
            }
        }
    }

    @Test func recordsThatFailDoNotHarmTheOthers() async throws {
        try await withTopic(partitions: 2) { cluster, topic in
            var configuration = KafkaProducer.Configuration.test(cluster)
            configuration.maxMessageBytes = 10_000
            try await withProducer(configuration) { producer in
                // So that the number of partitions is known.
                _ = try await producer.send(KafkaProducerRecord(topic: topic, partition: 0, value: "first"))
                var records = (0..<300).map {
                    KafkaProducerRecord(topic: topic, partition: 0, value: "value-\($0)")
                }
                records[10].partition = 99
                records[20].value = Array(repeating: 1, count: 20_000)
                records[30].value = Array(repeating: 1, count: 20_000)
                records[30].headers = [KafkaHeader(key: "h", value: "1")]
                records[40].partition = -2
                records[50].timestamp = KafkaTimestamp(millisecondsSince1970: 0)
                records[60].topic = "a\u{0}b"
                // At the end, so that no retry of a queue comes after them.
                records[298].partition = 99
                records[299].value = Array(repeating: 1, count: 20_000)
                let results = try await producer.send(contentsOf: records)
                try #require(results.count == records.count)

                let codes: [Int: KafkaError.Code] = [
                    10: .unknownTopicOrPartition, 20: .messageTooLarge, 30: .messageTooLarge, 40: .invalidRecord,
                    50: .invalidRecord, 60: .unknownTopicOrPartition, 298: .unknownTopicOrPartition,
                    299: .messageTooLarge,
                ]
                var offset: Int64 = 1
                for (index, result) in results.enumerated() {
                    if let code = codes[index] {
                        let error = try #require(failure(of: result), "record \(index) can't be sent")
                        #expect(error.code == code)
                        #expect(error.operation == "send")
                    } else {
                        #expect(try result.get().offset == offset)
                        offset += 1
                    }
                }
                let unknown = try #require(failure(of: results[10]))
                #expect(unknown.topic == topic)
                #expect(unknown.partition == 99)
                let large = try #require(failure(of: results[20]))
                #expect(large.topic == topic)
                #expect(large.partition == 0)
            }
        }
    }

    /// What a record takes is reckoned as librdkafka does: one byte more is refused.
    @Test(arguments: [0, 1, 63, 64, 8_191, 8_192], [nil, 0, 63, 64] as [Int?])
    func theLargestRecordIsKnown(key: Int, header: Int?) async throws {
        try await withTopic { cluster, topic in
            var configuration = KafkaProducer.Configuration.test(cluster)
            configuration.maxMessageBytes = 20_000
            try await withProducer(configuration) { producer in
                var record = KafkaProducerRecord(
                    topic: topic,
                    partition: 0,
                    key: Array(repeating: 1, count: key),
                    value: [],
                    headers: [
                        KafkaHeader(key: "a", value: header.map { Array(repeating: 1, count: $0) }),
                        KafkaHeader(key: String(repeating: "b", count: 64), value: "1"),
                    ]
                )
                record.value = Array(repeating: 1, count: 20_000 - record.maxEncodedSize)
                #expect(record.maxEncodedSize == 20_000)
                _ = try await producer.send(record)
                record.value?.append(1)
                let error = await #expect(throws: KafkaError.self) { try await producer.send(record) }
                #expect(error?.code == .messageTooLarge)
            }
        }
    }

    @Test func anEmptyBatchIsNothing() async throws {
        try await withTopic { cluster, _ in
            try await withProducer(.test(cluster)) { producer in
                let results = try await producer.send(contentsOf: [])
                #expect(results.isEmpty)
            }
        }
    }

    @Test func severalTasksSendBatchesAtOnce() async throws {
        try await withTopic(partitions: 4) { cluster, topic in
            try await withProducer(.test(cluster)) { producer in
                try await withThrowingTaskGroup(of: Void.self) { group in
                    for partition in 0..<Int32(4) {
                        group.addTask {
                            for round in 0..<5 {
                                let results = try await producer.send(
                                    contentsOf: (0..<500).map {
                                        KafkaProducerRecord(topic: topic, partition: partition, value: "\(round)-\($0)")
                                    }
                                )
                                #expect(
                                    try results.map { try $0.get().offset } == (0..<500).map { Int64(round * 500 + $0) }
                                )
                            }
                        }
                    }
                    try await group.waitForAll()
                }
            }
        }
    }

    @Test func flushWaitsForReceipts() async throws {
        try await withCluster(topics: ["t": 1]) { cluster in
            var configuration = KafkaProducer.Configuration.test(cluster)
            configuration.linger = .seconds(60)
            try await withProducer(configuration) { producer in
                let receipt = try await producer.enqueue(KafkaProducerRecord(topic: "t", value: "1"))
                try await producer.flush(timeout: .seconds(20))
                #expect(try await receipt.metadata.offset == 0)
            }
        }
    }

    @Test func flushSaysWhatHadNoAnswer() async throws {
        try await withCluster(topics: ["t": 1]) { cluster in
            var configuration = KafkaProducer.Configuration.test(cluster)
            configuration.closeTimeout = .zero
            try await withProducer(configuration) { producer in
                _ = try await producer.send(KafkaProducerRecord(topic: "t", value: "1"))
                try await cluster.stopNode(1)
                _ = try producer.trySend(KafkaProducerRecord(topic: "t", value: "2"))
                let error = try await #require(throws: KafkaError.self) {
                    try await producer.flush(timeout: .milliseconds(200))
                }
                #expect(error.code == .timedOut)
                #expect(error.message.contains("1 records had no answer"))
            }
        }
    }

    @Test func partitionsOfATopic() async throws {
        try await withTopic(partitions: 5) { cluster, topic in
            try await withProducer(.test(cluster)) { producer in
                let partitions = try await producer.partitions(of: topic)
                #expect(partitions == [0, 1, 2, 3, 4])
            }
        }
    }
}

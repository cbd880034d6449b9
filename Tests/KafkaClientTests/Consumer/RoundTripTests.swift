import EmbeddedKafka
import Testing

@testable import KafkaClient

/// What is sent comes back unchanged.
@Suite(.timeLimit(.minutes(1)))
struct RoundTripTests {
    static let cases: [(name: String, record: KafkaProducerRecord)] = [
        ("tombstone", .init(topic: "", key: "k", value: nil)),
        ("tombstone without key", .init(topic: "", value: nil)),
        ("empty value", .init(topic: "", key: "k", value: [])),
        ("null key", .init(topic: "", key: nil, value: "v")),
        ("empty key", .init(topic: "", key: [], value: "v")),
        ("empty key and value", .init(topic: "", key: [], value: [])),
        ("empty key, tombstone", .init(topic: "", key: [], value: nil)),
        ("text", .init(topic: "", key: "schlüssel", value: "größe 🐟")),
        ("not UTF-8", .init(topic: "", key: [0xFF, 0xFE, 0x00, 0x80], value: [0x00, 0xC3, 0x28, 0xFF, 0x00])),
        ("all bytes", .init(topic: "", key: Array(0...255), value: Array(0...255))),
        (
            "large value",
            .init(topic: "", key: "large", value: (0..<990_000).map { UInt8(truncatingIfNeeded: $0 &* 31) })
        ),
        ("larger than what is gathered", .init(topic: "", value: (0..<300_000).map { UInt8(truncatingIfNeeded: $0) })),
        ("timestamp", .init(topic: "", value: "v", timestamp: .init(millisecondsSince1970: 1_291_191_960_123))),
        ("oldest timestamp", .init(topic: "", value: "v", timestamp: .init(millisecondsSince1970: 1))),
        (
            "repeated headers",
            .init(
                topic: "",
                value: "v",
                headers: [
                    KafkaHeader(key: "a", value: "1"), KafkaHeader(key: "b", value: "2"),
                    KafkaHeader(key: "a", value: "3"),
                ]
            )
        ),
        ("null header value", .init(topic: "", value: "v", headers: [KafkaHeader(key: "null", value: nil)])),
        ("empty header value", .init(topic: "", value: "v", headers: [KafkaHeader(key: "empty", value: [])])),
        (
            "all kinds of headers",
            .init(
                topic: "",
                value: nil,
                headers: [
                    KafkaHeader(key: "null", value: nil), KafkaHeader(key: "empty", value: []),
                    KafkaHeader(key: "bytes", value: [0, 0xFF, 0]), KafkaHeader(key: "größe", value: "🐟"),
                    KafkaHeader(key: "", value: "no name"),
                    KafkaHeader(key: "long", value: Array(repeating: 7, count: 5_000)),
                ]
            )
        ),
    ]

    private func expect(
        _ read: KafkaRecord,
        like sent: KafkaProducerRecord,
        _ name: String,
        sourceLocation: SourceLocation = #_sourceLocation
    ) {
        #expect(read.topic == sent.topic, "\(name)", sourceLocation: sourceLocation)
        #expect(read.key == sent.key, "\(name)", sourceLocation: sourceLocation)
        let isSameValue = read.value == sent.value
        #expect(isSameValue, "\(name)", sourceLocation: sourceLocation)
        #expect(read.headers == sent.headers, "\(name)", sourceLocation: sourceLocation)
        if let timestamp = sent.timestamp {
            #expect(read.timestamp == timestamp, "\(name)", sourceLocation: sourceLocation)
        } else {
            let now = read.timestamp?.millisecondsSince1970 ?? 0
            #expect(now > 1_700_000_000_000, "\(name)", sourceLocation: sourceLocation)
        }
    }

    @Test(arguments: [false, true])
    func nothingIsChanged(inBatches: Bool) async throws {
        try await withTopic(partitions: 3) { cluster, topic in
            let records = Self.cases.enumerated().map { index, entry in
                var record = entry.record
                record.topic = topic
                record.partition = Int32(index % 3)
                return record
            }
            try await withProducer(.test(cluster)) { producer in
                if inBatches {
                    for result in try await producer.send(contentsOf: records) { _ = try result.get() }
                } else {
                    for record in records { _ = try await producer.send(record) }
                }
            }
            let read = try await cluster.allRecords(of: topic, partitions: 3)
            #expect(read.count == records.count)
            for partition in 0..<3 {
                let sent = zip(Self.cases, records).enumerated().filter { $0.offset % 3 == partition }.map(\.element)
                let stored = read.filter { $0.partition == Int32(partition) }
                for ((entry, record), (offset, other)) in zip(sent, stored.enumerated()) {
                    #expect(other.offset == Int64(offset))
                    self.expect(other, like: record, entry.name)
                }
            }
        }
    }

    @Test func theFieldsOfARecord() async throws {
        try await withTopic { cluster, topic in
            try await withProducer(.test(cluster)) { producer in
                for record: KafkaProducerRecord in [
                    .init(topic: topic, key: "ключ", value: "значение", headers: [.init(key: "h", value: "1")]),
                    .init(topic: topic, value: nil),
                    .init(topic: topic, key: [], value: [0xFF]),
                ] {
                    _ = try await producer.send(record)
                }
            }
            let place = KafkaTopicPartition(topic: topic, partition: 0)
            try await withConsumer(.test(cluster), assigned: [place: .beginning]) { consumer in
                var iterator = consumer.records.makeAsyncIterator()
                let full = try #require(try await iterator.next(isolation: nil))
                #expect(full.topicPartition == place)
                #expect(full.topic == topic)
                #expect(full.partition == 0)
                #expect(full.offset == 0)
                #expect(full.keyString == "ключ")
                #expect(full.valueString == "значение")
                #expect(full.headers == [KafkaHeader(key: "h", value: "1")])
                #expect(full.headers == full.headers, "asked twice")
                let keyBytes = full.withKeyBytes(copy)
                #expect(keyBytes == Array("ключ".utf8))
                let valueBytes = full.withValueBytes(copy)
                #expect(valueBytes == Array("значение".utf8))

                let tombstone = try #require(try await iterator.next(isolation: nil))
                #expect(tombstone.value == nil)
                #expect(tombstone.valueString == nil)
                #expect(tombstone.key == nil)
                #expect(tombstone.headers.isEmpty)
                let isTombstone = tombstone.withValueBytes { $0 == nil }
                let hasNoKey = tombstone.withKeyBytes { $0 == nil }
                #expect(isTombstone && hasNoKey)

                let odd = try #require(try await iterator.next(isolation: nil))
                #expect(odd.key == [])
                let keyCount = odd.withKeyBytes { $0?.byteCount }
                #expect(keyCount == 0)
                #expect(odd.valueString == "\u{FFFD}", "repaired")
                #expect(odd.value == [0xFF])

                let copy = full.detached()
                #expect(copy.key == full.key && copy.value == full.value && copy.headers == full.headers)
                #expect(copy.offset == 0 && copy.topic == topic && copy.partition == 0)
                #expect(copy.timestamp == full.timestamp)
            }
        }
    }

    /// Records outlive the loop, the next batch and the consumer.
    @Test func recordsLiveAsLongAsSomebodyHoldsThem() async throws {
        try await withTopic { cluster, topic in
            try await withProducer(.test(cluster)) { try await $0.fill(topic, values: (0..<500).map { "value-\($0)" }) }
            var configuration = KafkaConsumer.Configuration.test(cluster)
            configuration.maxBatchRecords = 7
            let place = KafkaTopicPartition(topic: topic, partition: 0)
            var kept: [KafkaConsumerRecord] = []
            var batches: [KafkaConsumerBatch] = []
            try await withConsumer(configuration, assigned: [place: .beginning]) { consumer in
                for try await record in consumer.records {
                    if record.offset % 100 == 0 { kept.append(record) }
                    if record.offset == 300 { break }
                }
                for try await batch in consumer.batches {
                    batches.append(batch)
                    if batches.count == 3 { break }
                }
            }
            #expect(kept.map(\.valueString) == [0, 100, 200, 300].map { "value-\($0)" })
            #expect(batches.flatMap { $0.map(\.valueString) }.first == "value-301")
            #expect(batches.allSatisfy { !$0.isEmpty && $0.count <= 7 })
        }
    }

    @Test func aBatchIsACollection() async throws {
        try await withTopic { cluster, topic in
            try await withProducer(.test(cluster)) { try await $0.fill(topic, values: (0..<50).map { "\($0)" }) }
            let place = KafkaTopicPartition(topic: topic, partition: 0)
            try await withConsumer(.test(cluster), assigned: [place: .beginning]) { consumer in
                for try await batch in consumer.batches {
                    #expect(batch.startIndex == 0)
                    #expect(batch.endIndex == batch.count)
                    #expect(batch.first?.offset == 0)
                    #expect(batch.last?.offset == Int64(batch.count - 1))
                    #expect(batch.reversed().map(\.offset) == batch.map(\.offset).reversed())
                    #expect(batch.endOfPartitions.isEmpty, "not asked for")
                    break
                }
            }
        }
    }

    @Test(arguments: KafkaProducer.Compression.allTested)
    func compressionChangesNothing(compression: KafkaProducer.Compression) async throws {
        try await withTopic { cluster, topic in
            var configuration = KafkaProducer.Configuration.test(cluster)
            configuration.compression = compression
            let values = (0..<300).map { "the same text again and again \($0)" }
            try await withProducer(configuration) { try await $0.fill(topic, values: values) }
            #expect(try await cluster.allRecords(of: topic, partitions: 1).map(\.valueString) == values)
        }
    }
}

extension KafkaProducer.Compression {
    static let allTested: [Self] = [.none, .gzip, .snappy, .lz4, .zstd]
}

/// The bytes of a span; `nil` is no bytes.
private func copy(_ bytes: RawSpan?) -> [UInt8]? {
    guard let bytes else { return nil }
    return (0..<bytes.byteCount).map { bytes.unsafeLoad(fromByteOffset: $0, as: UInt8.self) }
}

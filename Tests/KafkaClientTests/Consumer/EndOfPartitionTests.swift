import EmbeddedKafka
import TestSupport
import Testing

@testable import KafkaClient

/// Batches say which partitions were read to their end.
@Suite(.timeLimit(.minutes(1)))
struct EndOfPartitionTests {
    private func configuration(_ cluster: EmbeddedKafkaCluster) -> KafkaConsumer.Configuration {
        var configuration = KafkaConsumer.Configuration.test(cluster)
        configuration.reportsEndOfPartition = true
        return configuration
    }

    @Test func comesAfterTheRecordsAndForEmptyPartitionsToo() async throws {
        try await withTopic(partitions: 3) { cluster, topic in
            let places = (0..<Int32(3)).map { KafkaTopicPartition(topic: topic, partition: $0) }
            try await withProducer(.test(cluster)) { producer in
                try await producer.fill(topic, partition: 0, values: (0..<2_500).map { "\($0)" })
                try await producer.fill(topic, partition: 2, values: ["one"])
            }
            let assignment = Dictionary(uniqueKeysWithValues: places.map { ($0, KafkaOffset.beginning) })
            try await withConsumer(self.configuration(cluster), assigned: assignment) { consumer in
                var next: [KafkaTopicPartition: Int64] = [:]
                var ends: [KafkaTopicPartition: Int64] = [:]
                for try await batch in consumer.batches {
                    for record in batch { next[record.topicPartition] = record.offset + 1 }
                    for (place, end) in batch.endOfPartitions {
                        #expect(next[place, default: 0] == end, "all records came before the end")
                        ends[place] = end
                    }
                    if ends.count == 3 { break }
                }
                #expect(ends == [places[0]: 2_500, places[1]: 0, places[2]: 1])
            }
        }
    }

    @Test func newRecordsComeAfterTheEnd() async throws {
        try await withTopic { cluster, topic in
            let place = KafkaTopicPartition(topic: topic, partition: 0)
            try await withProducer(.test(cluster)) { producer in
                try await withConsumer(self.configuration(cluster), assigned: [place: .beginning]) { consumer in
                    var ends: [Int64] = []
                    var values: [String?] = []
                    for try await batch in consumer.batches {
                        values += batch.map(\.valueString)
                        guard let end = batch.endOfPartitions[place] else { continue }
                        #expect(Int64(values.count) == end)
                        ends.append(end)
                        if ends.count == 4 { break }
                        _ = try await producer.send(KafkaProducerRecord(topic: topic, value: "\(ends.count)"))
                    }
                    #expect(ends == [0, 1, 2, 3])
                    #expect(values == ["1", "2", "3"])
                }
            }
        }
    }

    /// When records came behind the end before anybody looked, it is no longer an end.
    @Test func aStaleEndIsNotReported() async throws {
        try await withTopic { cluster, topic in
            let place = KafkaTopicPartition(topic: topic, partition: 0)
            try await withProducer(.test(cluster)) { producer in
                try await producer.fill(topic, values: ["0"])
                try await withConsumer(self.configuration(cluster), assigned: [place: .beginning]) { consumer in
                    // The record and the end of the partition wait in the data queue.
                    try await eventually("the end is fetched") { consumer.core.queuedCount >= 2 }
                    try await producer.fill(topic, values: ["1"])
                    try await eventually("the new record is fetched") { consumer.core.queuedCount >= 3 }
                    for try await batch in consumer.batches {
                        let last = try #require(batch.last)
                        if let end = batch.endOfPartitions[place] { #expect(end == last.offset + 1) }
                        #expect(last.offset == 1, "one drain took all")
                        break
                    }
                }
            }
        }
    }

    @Test func aSequenceOfRecordsPassesOver() async throws {
        try await withTopic(partitions: 2) { cluster, topic in
            let places = (0..<Int32(2)).map { KafkaTopicPartition(topic: topic, partition: $0) }
            try await withProducer(.test(cluster)) { producer in
                let assignment = Dictionary(uniqueKeysWithValues: places.map { ($0, KafkaOffset.beginning) })
                try await withConsumer(self.configuration(cluster), assigned: assignment) { consumer in
                    try await eventually("both ends are fetched") { consumer.core.queuedCount >= 2 }
                    let reading = Task { try await consumer.read(2).map(\.valueString) }
                    _ = try await producer.send(KafkaProducerRecord(topic: topic, partition: 1, value: "a"))
                    _ = try await producer.send(KafkaProducerRecord(topic: topic, partition: 1, value: "b"))
                    #expect(try await reading.value == ["a", "b"])
                }
            }
        }
    }

    @Test func withoutAskingThereAreNone() async throws {
        try await withTopic(partitions: 2) { cluster, topic in
            let places = (0..<Int32(2)).map { KafkaTopicPartition(topic: topic, partition: $0) }
            try await withProducer(.test(cluster)) { try await $0.fill(topic, partition: 1, values: ["a"]) }
            let assignment = Dictionary(uniqueKeysWithValues: places.map { ($0, KafkaOffset.beginning) })
            try await withConsumer(.test(cluster), assigned: assignment) { consumer in
                for try await batch in consumer.batches {
                    #expect(batch.endOfPartitions.isEmpty)
                    #expect(!batch.isEmpty)
                    break
                }
            }
        }
    }
}

import KafkaClient
import Testing

@Suite("The client on a cluster", .timeLimit(.minutes(2)))
struct ClientIntegrationTests {
    let cluster: IntegrationCluster

    init() async throws {
        self.cluster = try await IntegrationCluster.shared
    }

    @Test("every form of record arrives as it was sent")
    func forms() async throws {
        let topic = self.cluster.uniqueName("forms")
        let partitions = try await self.cluster.createTopic(topic)
        let first = try #require(partitions.first).partition
        let headers = [
            KafkaHeader(key: "repeated", value: "1"), KafkaHeader(key: "repeated", value: "2"),
            KafkaHeader(key: "null", value: nil), KafkaHeader(key: "empty", value: []),
        ]
        let time = KafkaTimestamp(millisecondsSince1970: 1_290_000_000_000)
        let sent: [KafkaProducerRecord] = [
            .init(topic: topic, partition: first, key: "key", value: "value"),
            .init(topic: topic, partition: first, key: "tombstone", value: nil),
            .init(topic: topic, partition: first, key: "empty value", value: []),
            .init(topic: topic, partition: first, key: nil, value: "no key"),
            .init(topic: topic, partition: first, key: [], value: "empty key"),
            .init(topic: topic, partition: first, key: [0xFF, 0x00, 0xFE], value: [0x00, 0xFF]),
            .init(topic: topic, partition: first, key: "headers", value: "headers", headers: headers),
            .init(topic: topic, partition: first, key: "time", value: "time", timestamp: time),
        ]
        try await withKafkaProducer(self.cluster.producer, logger: self.cluster.logger) { producer in
            for result in try await producer.send(contentsOf: sent) { _ = try result.get() }
            for record in sent { _ = try await producer.send(record) }
        }
        let records = try await self.cluster.readAll(partitions).filter { $0.partition == first }.suffix(2 * sent.count)
        #expect(records.map(\.key) == (sent + sent).map(\.key))
        #expect(records.map(\.value) == (sent + sent).map(\.value))
        #expect(records.map(\.headers) == (sent + sent).map(\.headers))
        #expect(records.filter { $0.key == Array("time".utf8) }.map(\.timestamp) == [time, time])
    }

    @Test("a group goes on where it committed")
    func resume() async throws {
        let topic = self.cluster.uniqueName("resume")
        let group = self.cluster.uniqueName("group")
        let partitions = try await self.cluster.createTopic(topic)
        let values = (0..<500).map { "value \($0)" }
        try await withKafkaProducer(self.cluster.producer, logger: self.cluster.logger) { producer in
            let records = values.map { KafkaProducerRecord(topic: topic, key: $0, value: $0) }
            for result in try await producer.send(contentsOf: records) { _ = try result.get() }
        }
        let before = try await self.read(200, topic: topic, group: group)
        let after = try await self.read(300, topic: topic, group: group)
        let read = Dictionary(grouping: before + after) { $0 }
        #expect(read.filter { $0.value.count > 1 }.keys.sorted() == [], "nothing is read twice")
        #expect(Set(values).subtracting(read.keys).sorted() == [], "nothing is lost")

        try await withKafkaConsumer(self.cluster.consumer(group: group), logger: self.cluster.logger) { consumer in
            let committed = try await consumer.committedOffsets(for: partitions)
            for partition in partitions {
                let end = try await consumer.watermarks(of: partition).high
                #expect(committed[partition] ?? 0 == end, "\(partition)")
            }
        }
    }

    /// Reads as a member of a group, commits the last record and leaves.
    private func read(_ count: Int, topic: String, group: String) async throws -> [String] {
        try await withKafkaConsumer(
            self.cluster.consumer(group: group),
            subscribedTo: [topic],
            logger: self.cluster.logger
        ) { consumer in
            var values: [String] = []
            for try await record in consumer.records {
                // The record that created the topic, in a cluster from outside.
                if record.valueString != "first" { values.append(record.valueString ?? "") }
                if values.count == count {
                    try await consumer.commit(record)
                    break
                }
            }
            return values
        }
    }

    @Test("assigned partitions are read from where they are told")
    func positions() async throws {
        let topic = self.cluster.uniqueName("positions")
        let partition = try #require(try await self.cluster.createTopic(topic).first)
        try await withKafkaProducer(self.cluster.producer, logger: self.cluster.logger) { producer in
            let records = (0..<100).map {
                KafkaProducerRecord(topic: topic, partition: partition.partition, value: "\($0)")
            }
            for result in try await producer.send(contentsOf: records) { _ = try result.get() }
        }
        for (offset, left) in [(KafkaOffset.beginning, 100), (.tail(7), 7)] {
            let values = try await withKafkaConsumer(
                self.cluster.consumer(),
                assigned: [partition: offset],
                logger: self.cluster.logger
            ) { consumer in
                var values: [String] = []
                for try await record in consumer.records {
                    if record.valueString != "first" { values.append(record.valueString ?? "") }
                    if values.last == "99" { break }
                }
                return values
            }
            #expect(values == (100 - left..<100).map(String.init), "from \(offset)")
        }
    }

    @Test("what is not there has a name in the error")
    func unknownPartition() async throws {
        let topic = self.cluster.uniqueName("unknown")
        _ = try await self.cluster.createTopic(topic)
        try await withKafkaProducer(self.cluster.producer, logger: self.cluster.logger) { producer in
            let error = await #expect(throws: KafkaError.self) {
                try await producer.send(.init(topic: topic, partition: 4_000, value: "lost"))
            }
            #expect(error?.code == .unknownTopicOrPartition)
            #expect(error?.description.contains("\(topic)[4000]") == true, "\(error.debugDescription)")
        }
    }
}

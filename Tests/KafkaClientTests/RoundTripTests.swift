import KafkaClient
import KafkaMockCluster
import Testing

@Suite(.timeLimit(.minutes(1)))
struct RoundTripTests {
    @Test func sendAndRead() async throws {
        let cluster = try MockCluster()
        try cluster.createTopic("t", partitions: 2)
        try await withKafkaProducer(.init(bootstrapServers: cluster.bootstrapServers)) { producer in
            let m = try await producer.send(.init(topic: "t", partition: 0, key: "k", value: "v"))
            #expect(m.offset == 0)
            let results = try await producer.send(
                contentsOf: (0..<5000).map { .init(topic: "t", partition: 1, key: "k\($0)", value: "v\($0)") }
            )
            #expect(results.count == 5000)
            for (i, r) in results.enumerated() { #expect(try r.get().offset == Int64(i)) }
        }
        var c = KafkaConsumer.Configuration(bootstrapServers: cluster.bootstrapServers, group: "g")
        c.fetchMaxWait = .milliseconds(10)
        var n = 0
        let consumer = try KafkaConsumer(configuration: c)
        try await consumer.subscribe(to: ["t"])
        for try await record in consumer.records {
            if record.partition == 0 {
                #expect(record.valueString == "v")
            } else {
                #expect(record.valueString == "v\(record.offset)")
            }
            n += 1
            if n == 5001 { try await consumer.commit(record); break }
        }
        await consumer.close()
        print(consumer.acknowledgedCommits)
    }
}

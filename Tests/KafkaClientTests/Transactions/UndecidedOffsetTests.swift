import EmbeddedKafka
import TestSupport
import Testing

@testable import KafkaClient

/// Members that are given partitions whose committed offset an open transaction may change (KIP-447).
@Suite(.timeLimit(.minutes(1)))
struct UndecidedOffsetTests {
    private static let places = (0..<Int32(2)).map { KafkaTopicPartition(topic: "t", partition: $0) }

    /// librdkafka 2.0 takes it that nothing was committed when the group shares out anew while it waits.
    @Test(arguments: [KafkaConsumer.Assignor.cooperativeSticky, .range])
    func theyAreReadWhenItIsDecided(assignor: KafkaConsumer.Assignor) async throws {
        try await withCluster(topics: ["t": 2, "u": 1]) { cluster in
            try await withProducer(.test(cluster)) { producer in
                for place in Self.places {
                    try await producer.fill("t", partition: place.partition, values: (0..<10).map { "\($0)" })
                }
            }
            let (began, decided) = (Gate(), Gate())
            let transaction = Task {
                try await withConsumer(.manual(cluster, group: "g"), assigned: [:]) { consumer in
                    try await consumer.commit([Self.places[0]: 5, Self.places[1]: 5])
                    try await withProducer(.transactional(cluster, "id")) { producer in
                        try await producer.withTransaction { transaction in
                            try await transaction.commit([Self.places[0]: 6], of: consumer)
                            began.open()
                            await decided.wait()
                            throw Refusal()
                        }
                    }
                }
            }
            await began.wait()
            var configuration = KafkaConsumer.Configuration.manual(cluster, group: "g")
            configuration.assignors = [assignor]
            let second = configuration
            try await withConsumer(configuration, subscribedTo: ["t"]) { consumer in
                let records = Collected<KafkaConsumerRecord>()
                let reading = Task {
                    for try await record in consumer.records { records.append(record) }
                }
                try await eventually("the other partition is read") { records.count == 5 }
                try await withConsumer(second, subscribedTo: ["u"]) { second in
                    try await eventually("the second one is a member") { second.assignment.count == 1 }
                    try await always(for: .seconds(1), "nothing is read before it is decided") {
                        records.elements.allSatisfy { $0.partition == 1 }
                    }
                    decided.open()
                    await #expect(throws: Refusal.self) { try await transaction.value }
                    try await eventually("both are read") { records.elements.contains { $0.partition == 0 } }
                }
                try await eventually("all is read") { Set(records.elements.map(\.topicPartition)).count == 2 }
                reading.cancel()
                for place in Self.places {
                    let first = records.elements.first { $0.topicPartition == place }
                    #expect(first?.offset == 5)
                }
            }
        }
    }
}

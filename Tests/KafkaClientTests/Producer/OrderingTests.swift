import EmbeddedKafka
import Testing

@testable import KafkaClient

/// Sends of one task to one partition keep their order, and nothing is repeated, whatever the brokers do meanwhile.
@Suite(.timeLimit(.minutes(1)))
struct OrderingTests {
    private func expectValues(
        _ expected: [String],
        in cluster: EmbeddedKafkaCluster,
        sourceLocation: SourceLocation = #_sourceLocation
    ) async throws {
        let stored = try await cluster.allRecords(of: "t", partitions: 1).map { $0.valueString ?? "" }
        let missing = Set(expected).subtracting(stored).sorted()
        #expect(missing.isEmpty, sourceLocation: sourceLocation)
        #expect(Set(stored).count == stored.count, "nothing is repeated", sourceLocation: sourceLocation)
        #expect(stored == expected, sourceLocation: sourceLocation)
    }

    @Test func callsOfAllKindsKeepTheirOrder() async throws {
        try await withCluster(topics: ["t": 1]) { cluster in
            var configuration = KafkaProducer.Configuration.test(cluster)
            configuration.maxQueuedRecords = 50
            var expected: [String] = []
            try await withProducer(configuration) { producer in
                for number in 0..<600 {
                    let record = KafkaProducerRecord(topic: "t", partition: 0, value: "\(number)")
                    expected.append("\(number)")
                    switch number % 5 {
                    case 0:
                        _ = try await producer.enqueue(record)
                    case 1:
                        let more = (0..<20).map {
                            KafkaProducerRecord(topic: "t", partition: 0, value: "\(number)-\($0)")
                        }
                        expected += more.map { String(decoding: $0.value ?? [], as: UTF8.self) }
                        for result in try await producer.send(contentsOf: [record] + more) { _ = try result.get() }
                    case 2:
                        var withHeaders = record
                        withHeaders.headers = [KafkaHeader(key: "h", value: "1")]
                        _ = try await producer.enqueue(withHeaders)
                    case 3 where number % 100 == 3:
                        _ = try await producer.send(record)
                    default:
                        _ = try await producer.enqueue(record)
                    }
                }
            }
            try await self.expectValues(expected, in: cluster)
        }
    }

    /// One request on its way at a time: librdkafka 2.0.2 sometimes ends with a fatal error ("sequence desynchronization")
    /// when a broker refuses the request behind one that failed, as it must.
    @Test func theOrderSurvivesRetriableErrors() async throws {
        try await withCluster(topics: ["t": 1]) { cluster in
            var configuration = KafkaProducer.Configuration.test(cluster)
            configuration.maxBatchRecords = 10
            configuration.additional["max.in.flight"] = "1"
            configuration.additional["retry.backoff.ms"] = "10"
            let expected = (0..<500).map { "\($0)" }
            try await withProducer(configuration) { producer in
                _ = try await producer.send(KafkaProducerRecord(topic: "t", value: "warm"))
                try await cluster.failNext(
                    .produce,
                    with: [
                        .requestTimedOut, .notEnoughReplicas, .requestTimedOut, .notEnoughReplicas,
                        .notLeaderForPartition,
                        .requestTimedOut, .leaderNotAvailable, .notEnoughReplicas,
                    ]
                )
                var receipts: [KafkaSendReceipt] = []
                for value in expected {
                    receipts.append(
                        try await producer.enqueue(KafkaProducerRecord(topic: "t", partition: 0, value: value))
                    )
                }
                for receipt in receipts {
                    _ = try await receipt.metadata
                }
            }
            try await self.expectValues(["warm"] + expected, in: cluster)
        }
    }

    @Test func theOrderSurvivesAChangeOfLeader() async throws {
        try await withCluster(nodes: 3, topics: ["t": 1]) { cluster in
            var configuration = KafkaProducer.Configuration.test(cluster)
            configuration.maxBatchRecords = 10
            configuration.additional["retry.backoff.ms"] = "10"
            let expected = (0..<600).map { "\($0)" }
            try await withProducer(configuration) { producer in
                for (number, value) in expected.enumerated() {
                    if number % 150 == 75 {
                        // What is on its way is refused by the old leader.
                        try await cluster.moveLeader(ofTopic: "t", partition: 0, to: Int32(number / 150 % 3) + 1)
                    }
                    _ = try await producer.enqueue(KafkaProducerRecord(topic: "t", partition: 0, value: value))
                }
                try await producer.flush()
            }
            try await self.expectValues(expected, in: cluster)
        }
    }

    /// The leader takes no connections for a while; what was queued is sent later.
    @Test func theOrderSurvivesAStoppedBroker() async throws {
        try await withCluster(topics: ["t": 1]) { cluster in
            var configuration = KafkaProducer.Configuration.test(cluster)
            configuration.additional["reconnect.backoff.ms"] = "10"
            configuration.additional["reconnect.backoff.max.ms"] = "50"
            let expected = (0..<400).map { "\($0)" }
            try await withProducer(configuration) { producer in
                for (number, value) in expected.enumerated() {
                    if number == 100 { try await cluster.stopNode(1) }
                    if number == 300 { try await cluster.startNode(1) }
                    _ = try await producer.enqueue(KafkaProducerRecord(topic: "t", partition: 0, value: value))
                }
                try await producer.flush()
            }
            try await self.expectValues(expected, in: cluster)
        }
    }

    /// Records are stored once although their answers are lost, and those sent again meet those that are on their way.
    @Test(arguments: [EmbeddedKafkaFault.Effect.disconnectAfter, .disconnectBefore])
    func theOrderSurvivesLostConnections(effect: EmbeddedKafkaFault.Effect) async throws {
        try await withCluster(topics: ["t": 1]) { cluster in
            var configuration = KafkaProducer.Configuration.test(cluster)
            configuration.maxBatchRecords = 10
            configuration.additional["retry.backoff.ms"] = "10"
            configuration.additional["reconnect.backoff.ms"] = "10"
            let expected = (0..<500).map { "\($0)" }
            let fault = try await cluster.faults.add(.init(.produce, effect, skipping: 3, times: 4))
            try await withProducer(configuration) { producer in
                for value in expected {
                    _ = try await producer.enqueue(KafkaProducerRecord(topic: "t", partition: 0, value: value))
                }
                try await producer.flush()
            }
            #expect(try await fault.count == 4)
            try await self.expectValues(expected, in: cluster)
        }
    }

    @Test func idempotenceIsOnUnlessItIsTurnedOff() async throws {
        // A broker that gives out no producer id stops an idempotent producer, and only that one.
        try await withCluster(topics: ["t": 1]) { cluster in
            _ = try await cluster.faults.add(.init(.initProducerID, .coordinatorLoadInProgress, times: nil))
            var configuration = KafkaProducer.Configuration.test(cluster)
            configuration.deliveryTimeout = .milliseconds(600)
            configuration.closeTimeout = .zero
            try await withProducer(configuration) { producer in
                let error = try await #require(throws: KafkaError.self) {
                    try await producer.send(KafkaProducerRecord(topic: "t", value: "1"))
                }
                #expect(error.code == .timedOut)
            }
            configuration.isIdempotent = false
            configuration.deliveryTimeout = .seconds(20)
            try await withProducer(configuration) { producer in
                _ = try await producer.send(KafkaProducerRecord(topic: "t", value: "1"))
            }
        }
    }
}

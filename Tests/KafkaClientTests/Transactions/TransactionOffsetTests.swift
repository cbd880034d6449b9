import Dispatch
import EmbeddedKafka
import TestSupport
import Testing

@testable import KafkaClient

/// Positions that are committed with transactions.
@Suite(.timeLimit(.minutes(1)))
struct TransactionOffsetTests {
    @Test func offsetsAreCommittedWithTheTransaction() async throws {
        try await withTopic { cluster, topic in
            let group = uniqueName("group")
            try await withProducer(.test(cluster)) { try await $0.fill(topic, values: ["1", "2", "3"]) }
            try await withProducer(.transactional(cluster, uniqueName("id"))) { producer in
                try await withConsumer(.manual(cluster, group: group), subscribedTo: [topic]) { consumer in
                    for try await batch in consumer.batches {
                        // Not with one that is aborted.
                        await #expect(throws: Refusal.self) {
                            try await producer.withTransaction { transaction in
                                try await transaction.commit(batch, of: consumer)
                                throw Refusal()
                            }
                        }
                        #expect(try await cluster.committed(topic, group: group) == nil)
                        let place = KafkaTopicPartition(topic: topic, partition: 0)
                        try await producer.withTransaction { transaction in
                            try await transaction.commit([place: 2], of: consumer)
                        }
                        #expect(try await cluster.committed(topic, group: group) == 2)
                        try await producer.withTransaction { transaction in
                            try await transaction.commit(batch, of: consumer)
                        }
                        #expect(try await cluster.committed(topic, group: group) == batch.last.map { $0.offset + 1 })
                        if batch.last?.valueString == "3" { break }
                    }
                }
                #expect(try await cluster.committed(topic, group: group) == 3, "closing commits nothing else")
            }
        }
    }

    @Test func onlyAConsumerThatCommitsNothingByItself() async throws {
        try await withTopic { cluster, topic in
            let place = KafkaTopicPartition(topic: topic, partition: 0)
            try await withProducer(.transactional(cluster, uniqueName("id"))) { producer in
                func refusal(
                    _ consumer: KafkaConsumer,
                    _ offsets: [KafkaTopicPartition: Int64]
                ) async -> KafkaError? {
                    await #expect(throws: KafkaError.self) {
                        try await producer.withTransaction { transaction in
                            // Also when it is passed over, the transaction fails.
                            try? await transaction.commit(offsets, of: consumer)
                        }
                    }
                }
                try await withConsumer(.test(cluster, group: uniqueName("group"))) { consumer in
                    let error = await refusal(consumer, [place: 1])
                    #expect(error?.code == .invalidState)
                    #expect(error?.message.contains("commitPolicy") == true)
                    let transform = await #expect(throws: KafkaError.self) {
                        try await consumer.transform(through: producer) { _, _ in }
                    }
                    #expect(transform?.code == .invalidState)
                }
                try await withConsumer(.test(cluster)) { consumer in
                    let error = await refusal(consumer, [place: 1])
                    #expect(error?.code == .invalidState)
                    #expect(error?.message.contains("group") == true)
                }
                try await withConsumer(.manual(cluster, group: uniqueName("group"))) { consumer in
                    #expect(await refusal(consumer, [place: -1])?.code == .invalidState)
                }
            }
        }
    }

    @Test func aPartitionThatIsNotOwnedIsNotCommitted() async throws {
        try await withTopic { cluster, topic in
            let group = uniqueName("group")
            try await withProducer(.transactional(cluster, uniqueName("id"))) { producer in
                try await withConsumer(.manual(cluster, group: group), subscribedTo: [topic]) { consumer in
                    let foreign = KafkaTopicPartition(topic: topic, partition: 7)
                    let error = await #expect(throws: KafkaError.self) {
                        try await producer.withTransaction { transaction in
                            try await transaction.send(KafkaProducerRecord(topic: topic, value: "no"))
                            try await transaction.commit([foreign: 1], of: consumer)
                        }
                    }
                    #expect(error?.code == .groupMembership)
                    #expect(error?.partition == 7)
                }
                let values = try await cluster.values(of: topic)
                #expect(values == [])
            }
        }
    }

    @Test func aMemberThatIsOneNoLongerIsFenced() async throws {
        try await withCluster(topics: ["t": 1]) { cluster in
            try await withProducer(.test(cluster)) { try await $0.fill("t", values: ["1"]) }
            try await withProducer(.transactional(cluster, "id")) { producer in
                try await withConsumer(.manual(cluster, group: "g"), subscribedTo: ["t"]) { consumer in
                    for try await batch in consumer.batches {
                        // The broker says what it says to a member of an earlier generation.
                        try await cluster.failNext(.transactionOffsetCommit, with: [.error(22)])
                        let error = await #expect(throws: KafkaError.self) {
                            try await producer.withTransaction { transaction in
                                try await transaction.send(KafkaProducerRecord(topic: "t", value: "no"))
                                try await transaction.commit(batch, of: consumer)
                            }
                        }
                        #expect(error?.requiresAbort == true)
                        #expect(error?.code == .groupMembership)
                        break
                    }
                }
                #expect(try await cluster.values(of: "t") == ["1"])
                #expect(try await cluster.committed("t", group: "g") == nil)
            }
        }
    }

    /// Offsets that name no member are taken from anybody, so they must not be sent.
    @Test func aMemberThatDoesNotKnowYetThatItIsNoneCommitsNothing() async throws {
        try await withCluster(topics: ["t": 1]) { cluster in
            try await withProducer(.test(cluster)) { try await $0.fill("t", values: ["1"]) }
            try await withProducer(.transactional(cluster, "id")) { producer in
                try await withConsumer(.manual(cluster, group: "g"), subscribedTo: ["t"]) { consumer in
                    for try await batch in consumer.batches {
                        // The consumer hears nothing of its group, of which librdkafka learns that it is no member of it.
                        let gate = DispatchGate()
                        try consumer.core.client(for: "test").pump.dispatchQueue.async { gate.wait() }
                        defer { gate.open() }
                        try await cluster.failNext(.heartbeat, with: [.error(25)])
                        try await eventually("the offsets are refused") {
                            do {
                                try await producer.withTransaction { transaction in
                                    try await transaction.commit(batch, of: consumer)
                                    throw Refusal()
                                }
                                return false
                            } catch let error as KafkaError {
                                try #require(error.code == .groupMembership)
                                return !error.requiresAbort
                            } catch is Refusal {
                                return false
                            }
                        }
                        #expect(!consumer.assignment.isEmpty, "it does not know yet")
                        break
                    }
                }
            }
        }
    }

    @Test func errorsOfTheGroupsCoordinatorThatPassAreNotSeen() async throws {
        try await withCluster(topics: ["t": 1]) { cluster in
            try await withProducer(.test(cluster)) { try await $0.fill("t", values: ["1"]) }
            try await withProducer(.transactional(cluster, "id")) { producer in
                try await withConsumer(.manual(cluster, group: "g"), subscribedTo: ["t"]) { consumer in
                    for try await batch in consumer.batches {
                        try await cluster.failNext(.addOffsetsToTransaction, with: [.coordinatorLoadInProgress])
                        try await cluster.failNext(.transactionOffsetCommit, with: [.coordinatorLoadInProgress])
                        try await producer.withTransaction { transaction in
                            try await transaction.commit(batch, of: consumer)
                        }
                        break
                    }
                }
            }
            #expect(try await cluster.committed("t", group: "g") == 1)
        }
    }

    @Test func cancellingWhileOffsetsAreCommittedAborts() async throws {
        try await withCluster(topics: ["t": 1]) { cluster in
            try await withProducer(.test(cluster)) { try await $0.fill("t", values: ["1"]) }
            try await withProducer(.transactional(cluster, "id")) { producer in
                try await withConsumer(.manual(cluster, group: "g"), subscribedTo: ["t"]) { consumer in
                    for try await batch in consumer.batches {
                        let slow = try await cluster.faults.add(
                            .init(.transactionOffsetCommit, .delay(.seconds(4)))
                        )
                        let task = Task {
                            try await producer.withTransaction { try await $0.commit(batch, of: consumer) }
                        }
                        try await slow.happened()
                        task.cancel()
                        await #expect(throws: CancellationError.self) { try await task.value }
                        break
                    }
                }
                try await producer.withTransaction {
                    _ = try await $0.send(KafkaProducerRecord(topic: "t", value: "2"))
                }
            }
            #expect(try await cluster.committed("t", group: "g") == nil)
        }
    }
}

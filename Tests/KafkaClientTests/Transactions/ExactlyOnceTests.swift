import EmbeddedKafka
import TestSupport
import Testing

@testable import KafkaClient

/// A group that consumes, transforms and produces while its members come and go.
@Suite(.timeLimit(.minutes(2)))
struct ExactlyOnceTests {
    private static let places = (0..<Int32(6)).map { KafkaTopicPartition(topic: "in", partition: $0) }

    @Test func eachRecordHasItsEffectOnceWhileMembersComeAndGo() async throws {
        try await withCluster(topics: ["in": Self.places.count, "out": 3]) { cluster in
            var members = ["a", "b", "c"].map { Member($0, cluster: cluster) }
            let feeder = Feeder(cluster)

            // One goes as it should, another one comes.
            try await self.progress(cluster, to: 300)
            await members.removeFirst().stop()
            members.append(Member("d", cluster: cluster))

            // One is out of reach in the middle of a transaction, until the group has gone on without it. Then it wants to
            // commit what it had.
            let zombie = Member("zombie", cluster: cluster, waits: true)
            await zombie.isProcessing.wait()
            let cut = try await cluster.faults.add(.init(nil, .disconnectBefore, clientID: "zombie", times: nil))
            let inHand = try #require(zombie.batches.elements.first)
            try await self.progress(cluster, beyond: inHand)
            try await cut.remove()
            zombie.gate.open()

            // One dies: what it sends is lost for good.
            let dead = members.removeFirst()
            _ = try await cluster.faults.add(.init(nil, .disconnectBefore, clientID: dead.name, times: nil))
            dead.task.cancel()

            try await self.progress(cluster, to: feeder.count + 300)
            let values = try await feeder.stop()
            try await self.progress(cluster, to: values.count)
            for member in members + [zombie, dead] { await member.stop() }

            let visible = try await cluster.values(of: "out", partitions: 3)
            #expect(visible.count == values.count, "each once")
            #expect(Set(visible) == Set(values), "none missing")
            let sent = try await cluster.values(of: "out", partitions: 3, .readUncommitted)
            #expect(sent.count > values.count, "some transactions were aborted, or this shows little")
        }
    }

    /// Waits until the group has processed so many records.
    private func progress(_ cluster: EmbeddedKafkaCluster, to count: Int) async throws {
        try await self.waitForOffsets(cluster, "\(count) records are processed") {
            $0.values.reduce(0, +) >= Int64(count)
        }
    }

    /// Waits until the group has come beyond these offsets.
    private func progress(
        _ cluster: EmbeddedKafkaCluster,
        beyond offsets: [KafkaTopicPartition: Int64]
    ) async throws {
        try await self.waitForOffsets(cluster, "the group goes on") { committed in
            offsets.allSatisfy { committed[$0.key, default: 0] > $0.value }
        }
    }

    private func waitForOffsets(
        _ cluster: EmbeddedKafkaCluster,
        _ what: String,
        _ condition: @escaping ([KafkaTopicPartition: Int64]) -> Bool
    ) async throws {
        try await withConsumer(.test(cluster, group: "g")) { consumer in
            try await eventually(within: .seconds(40), what) {
                // Not while a transaction with offsets is open.
                let offsets = try? await consumer.committedOffsets(for: Self.places)
                return offsets.map(condition) ?? false
            }
        }
    }
}

/// A member of the group: a consumer and a producer that call themselves by its name.
private struct Member {
    let name: String
    let task: Task<Void, any Error>
    /// Processing waits while it is closed.
    let gate = Gate()
    /// Opens when a batch is in hand.
    let isProcessing = Gate()
    let batches = Collected<[KafkaTopicPartition: Int64]>()

    init(_ name: String, cluster: EmbeddedKafkaCluster, waits: Bool = false) {
        let (gate, isProcessing, batches) = (self.gate, self.isProcessing, self.batches)
        if !waits { gate.open() }
        self.name = name
        self.task = Task {
            var consuming = KafkaConsumer.Configuration.manual(cluster, group: "g")
            consuming.clientID = name
            consuming.sessionTimeout = .seconds(1)
            consuming.maxBatchRecords = 20
            consuming.revocationTimeout = .milliseconds(500)
            var producing = KafkaProducer.Configuration.transactional(cluster, name)
            producing.clientID = name
            // Until then, nobody gets the offsets that the dead one has in its open transaction.
            producing.transactionTimeout = .seconds(5)
            try await withProducer(producing) { producer in
                try await withConsumer(consuming, subscribedTo: ["in"]) { consumer in
                    try await consumer.transform(through: producer) { batch, transaction in
                        batches.append(batch.offsets)
                        for record in batch {
                            let copy = KafkaProducerRecord(topic: "out", key: record.key, value: record.value)
                            try await transaction.enqueue(copy)
                        }
                        isProcessing.open()
                        await gate.wait()
                    }
                }
            }
        }
    }

    /// Leaves the group as it is asked to.
    func stop() async {
        self.task.cancel()
        _ = await self.task.result
    }
}

/// Sends records to the topic "in", until it is stopped.
private struct Feeder {
    private let task: Task<[String], any Error>
    private let sent: Collected<Int>

    var count: Int { self.sent.count }

    init(_ cluster: EmbeddedKafkaCluster) {
        let sent = Collected<Int>()
        self.sent = sent
        self.task = Task {
            try await withProducer(.test(cluster)) { producer in
                var values: [String] = []
                while !Task.isCancelled {
                    let more = (values.count..<values.count + 50).map { "\($0)" }
                    let records = more.map { KafkaProducerRecord(topic: "in", key: $0, value: $0) }
                    // In a task of its own, so that being stopped leaves no doubt about what was sent.
                    let results = try await Task { try await producer.send(contentsOf: records) }.value
                    for (number, result) in results.enumerated() {
                        _ = try result.get()
                        sent.append(number)
                    }
                    values += more
                    try? await suspend(for: .milliseconds(50))
                }
                return values
            }
        }
    }

    /// All that was sent.
    func stop() async throws -> [String] {
        self.task.cancel()
        return try await self.task.value
    }
}

import EmbeddedKafka
import TestSupport
import Testing

@testable import KafkaClient

extension FaultTests {
    /// A member that is cut off with a batch in hand, while the group goes on without it.
    @Suite struct ZombieTests {
        private let place = KafkaTopicPartition(topic: "t", partition: 0)

        @Test func itsCommitsAreRefused() async throws {
            try await withCluster(topics: ["t": 1]) { cluster in
                let load = Load(to: "t", partitions: 1, of: cluster)
                let end = ContinuousClock.now + FaultTests.duration
                var (zombies, refused) = (0, 0)
                repeat {
                    zombies += 1
                    refused += try await self.standStill("zombie-\(zombies)", in: cluster)
                } while ContinuousClock.now < end
                let sent = try await load.stop()
                FaultTests.report(
                    "zombies at a group of one partition",
                    ["records": sent.count, "a second": sent.rate, "zombies": zombies, "commits refused": refused]
                )
            }
        }

        /// - Returns: how many commits were refused.
        private func standStill(_ name: String, in cluster: EmbeddedKafkaCluster) async throws -> Int {
            var configuration = KafkaConsumer.Configuration.manual(cluster, group: "g")
            configuration.clientID = name
            configuration.sessionTimeout = .seconds(1)
            let losses = Collected<Set<KafkaTopicPartition>>()
            configuration.onLost = { losses.append($0.partitions) }
            return try await withConsumer(configuration, subscribedTo: ["t"]) { zombie in
                var iterator = zombie.batches.makeAsyncIterator()
                let batch = try #require(try await iterator.next())
                let inHand = try #require(batch.offsets[self.place])
                let cut = try await cluster.faults.add(.init(nil, .disconnectBefore, clientID: name, times: nil))
                let committed = try await self.goOn(beyond: inHand, in: cluster)

                // It does not know yet, or just learns it.
                try await cut.remove()
                // Both at once: whoever asks when it has joined again, and owns the partition anew, is no zombie any more.
                let committingByOffset = Task { try await zombie.commit([self.place: inHand]) }
                let byBatch = await #expect(throws: KafkaError.self) { try await zombie.commit(batch) }
                #expect(byBatch?.code == .groupMembership)
                let byOffset = await #expect(throws: KafkaError.self) { try await committingByOffset.value }
                #expect(byOffset?.code == .groupMembership)
                #expect(try await cluster.committed("t", group: "g") == committed, "nothing was taken back")
                #expect(zombie.acknowledgedCommits.isEmpty)
                try await eventually("it is told that it lost the partition") { losses.elements == [[self.place]] }
                return [byBatch, byOffset].count { $0?.code == .groupMembership }
            }
        }

        /// Another member takes over, commits more than the zombie has in hand, and leaves.
        ///
        /// - Returns: what it committed.
        private func goOn(beyond offset: Int64, in cluster: EmbeddedKafkaCluster) async throws -> Int64 {
            var configuration = KafkaConsumer.Configuration.manual(cluster, group: "g")
            configuration.sessionTimeout = .seconds(3)
            return try await withConsumer(configuration, subscribedTo: ["t"]) { consumer in
                for try await batch in consumer.batches {
                    guard let end = batch.offsets[self.place], end > offset else { continue }
                    try await consumer.commit(batch)
                    return end
                }
                throw DeadlineExceeded(description: "the records ended")
            }
        }
    }
}

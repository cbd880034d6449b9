import EmbeddedKafka
import Testing

@testable import KafkaClient

extension FaultTests {
    /// Three nodes under load, of which one is always in trouble.
    @Suite struct NodesUnderLoadTests {
        private static let partitions = 6

        @Test func aNodeThatStopsAndStartsIsMissedByNobody() async throws {
            try await self.withRun("a node is stopped and started") { cluster, group in
                for node in Int32(1)...3 {
                    try await cluster.stopNode(node)
                    try await group.progress(from: group.partitions, partitions: Self.partitions)
                    try await cluster.startNode(node)
                    try await group.progress(from: group.partitions, partitions: Self.partitions)
                }
                return 3
            }
        }

        @Test func coordinatorsAndLeadersMove() async throws {
            try await self.withRun("coordinator and leaders move", repeats: false) { cluster, group in
                for node in Int32(1)...3 {
                    try await cluster.moveCoordinator(ofGroup: "g", to: node)
                    for partition in 0..<Int32(Self.partitions) {
                        let leader = (node + partition) % 3 + 1
                        try await cluster.moveLeader(ofTopic: "t", partition: partition, to: leader)
                    }
                    try await group.progress(from: group.partitions, partitions: Self.partitions)
                }
                return 3
            }
        }

        /// Makes trouble as long as the load goes on, and expects that nothing is lost, stored twice or out of order.
        ///
        /// - Parameters:
        ///   - repeats: whether the group may read records again.
        ///   - trouble: makes some, and says how often.
        private func withRun(
            _ headline: String,
            repeats: Bool = true,
            _ trouble: (EmbeddedKafkaCluster, ReadingGroup) async throws -> Int
        ) async throws {
            try await withCluster(nodes: 3, topics: ["t": Self.partitions]) { cluster in
                let load = Load(to: "t", partitions: Self.partitions, of: cluster)
                let group = ReadingGroup(of: "t", members: 2, in: cluster)
                // A member that joins makes the others join again, which is not the trouble that is meant here.
                try await group.gather()
                try await group.progress(from: [:], partitions: Self.partitions, beyond: 0)
                let end = ContinuousClock.now + FaultTests.duration
                var troubles = 0
                repeat { troubles += try await trouble(cluster, group) } while ContinuousClock.now < end
                let sent = try await load.stop()
                try await group.finish(reading: sent)

                let stored = try await cluster.tallies(of: "t", sent)
                #expect(stored == sent.asTallies)
                let readings = group.partitions
                #expect(readings.count == Self.partitions)
                for (partition, count) in sent.perPartition.enumerated() {
                    #expect(readings[Int32(partition)]?.next == Int64(count))
                }
                let read = readings.values
                #expect(read.missing == 0)
                #expect(read.repeated == 0 || repeats, "nobody left the group")
                #expect(group.losses == 0)
                FaultTests.report(
                    headline,
                    [
                        "records": sent.count, "a second": sent.rate, "times": troubles,
                        "lost": stored.missing, "stored twice or out of order": stored.repeated,
                        "not read": read.missing, "read again": read.repeated,
                    ]
                )
            }
        }
    }
}

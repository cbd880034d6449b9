import EmbeddedKafka
import Testing

@testable import KafkaClient

extension FaultTests {
    /// Produce requests under load that are carried out, and whose answers never come.
    @Suite struct LostAnswersTests {
        @Test(arguments: [EmbeddedKafkaFault.Effect.disconnectAfter, .dropResponse])
        func nothingIsLostStoredTwiceOrOutOfOrder(effect: EmbeddedKafkaFault.Effect) async throws {
            let partitions = 6
            try await withCluster(nodes: 3, topics: ["t": partitions]) { cluster in
                let load = Load(to: "t", partitions: partitions, of: cluster) {
                    $0.requestTimeout = .seconds(1)
                    $0.additional["socket.timeout.ms"] = "1000"
                }
                let end = ContinuousClock.now + FaultTests.duration
                var count = 0
                repeat {
                    let lost = try await cluster.faults.add(.init(.produce, effect, skipping: 20))
                    try await lost.happened()
                    count += 1
                } while ContinuousClock.now < end
                let sent = try await load.stop()
                let stored = try await cluster.tallies(of: "t", sent)
                #expect(stored == sent.asTallies)
                FaultTests.report(
                    "answers to Produce are lost (\(effect))",
                    [
                        "records": sent.count, "a second": sent.rate, "answers lost": count,
                        "lost": stored.missing, "stored twice or out of order": stored.repeated,
                    ]
                )
            }
        }
    }
}

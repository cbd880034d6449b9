import EmbeddedKafka
import Foundation
import KafkaClient
import Subprocess
import TestSupport
import Testing

@testable import OrderPipeline

#if canImport(System)
import System
#else
import SystemPackage
#endif

@Suite("A replay after one that was killed", .timeLimit(.minutes(2)))
struct KilledReplayTests {
    private static let executable = Executable.path(.init(BuiltCommand.path(of: "order-pipeline")))

    @Test("it gets the partitions that the dead members hold, and comes to its end")
    func killed() async throws {
        try await withEmbeddedPipelineCluster { embedded in
            let cluster = PipelineCluster(bootstrapServers: embedded.bootstrapServers)
            // Nothing can be sent: the process can't be done before the signal, however late that comes.
            let notEnoughReplicas: Int16 = 19
            let fault = try await embedded.faults.add(.init(.produce, .error(notEnoughReplicas), times: nil))
            let result = try await Subprocess.run(
                Self.executable,
                arguments: Arguments(["replay", Fixtures.excerpt, "-b", cluster.bootstrapServers[0]]),
                input: .none,
                output: .discarded,
                error: .string(limit: 1 << 20)
            ) { execution in
                for service in PipelineService.allCases {
                    try await self.waitForMember(of: service.group, in: cluster)
                }
                try execution.send(signal: .kill)
            }
            #expect(result.terminationStatus == .signaled(9), "\(result.standardError)")
            try await fault.remove()

            var replay = Replay(cluster: cluster, logger: .silent)
            // Busy machines need longer; with the usual session time-out even this is not enough.
            replay.stallLimit = .seconds(40)
            let outcome = try await replay.run(try Fixtures.everyCase())
            #expect(outcome.totals == Fixtures.everyCaseTotals)
        }
    }

    /// A group with members takes no commit from outside.
    private func waitForMember(of group: String, in cluster: PipelineCluster) async throws {
        let partition = KafkaTopicPartition(topic: PipelineTopic.commands.rawValue, partition: 0)
        try await withKafkaConsumer(cluster.consumer(group: group), logger: .silent) { consumer in
            while true {
                do throws(KafkaError) {
                    try await consumer.commit([partition: 0])
                } catch {
                    guard error.code == .groupMembership else { throw error }
                    return
                }
                try Task.checkCancellation()
            }
        }
    }
}

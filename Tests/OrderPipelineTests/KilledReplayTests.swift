import Foundation
import KafkaClient
import Subprocess
import Testing

@testable import OrderPipeline

#if canImport(System)
import System
#else
import SystemPackage
#endif

@Suite("A replay after one that was killed", .timeLimit(.minutes(2)))
struct KilledReplayTests {
    private static let executable: Executable = {
        var folder = URL(filePath: CommandLine.arguments[0]).deletingLastPathComponent()
        #if os(macOS)
        if let bundle = Bundle.allBundles.first(where: { $0.bundlePath.hasSuffix(".xctest") }) {
            folder = bundle.bundleURL.deletingLastPathComponent()
        }
        #endif
        return .path(.init(folder.appending(path: "order-pipeline").path))
    }()

    @Test("it gets the partitions that the dead members hold, and comes to its end")
    func killed() async throws {
        // More than is done in the moment between the first event and the signal.
        let codec = JSONCodec()
        let lines = try (1...5_000).flatMap { number in
            try codec.encode(OrderCommand(Fixtures.invoice("\(1_000 + number)", [(1, 1)]))) + [UInt8(ascii: "\n")]
        }
        try await Fixtures.withFile("orders.jsonl", lines) { try await self.replayAfterKill(of: $0) }
    }

    private func replayAfterKill(of path: String) async throws {
        try await withPipelineCluster(isEmbedded: false) { cluster in
            // Killed in the midst of its work: when it has published events, its services are members of their groups.
            let events = KafkaTopicPartition(topic: PipelineTopic.orders.rawValue, partition: 0)
            let result = try await Subprocess.run(
                Self.executable,
                arguments: Arguments(["replay", path, "-b", cluster.bootstrapServers[0]]),
                input: .none,
                output: .discarded,
                error: .string(limit: 1 << 20)
            ) { execution in
                var configuration = KafkaConsumer.Configuration(bootstrapServers: cluster.bootstrapServers)
                configuration.fetchMaxWait = .milliseconds(10)
                try await withKafkaConsumer(configuration, assigned: [events: .beginning], logger: .silent) {
                    consumer in
                    for try await _ in consumer.records { break }
                }
                try execution.send(signal: .kill)
            }
            #expect(result.terminationStatus == .signaled(9), "\(result.standardError)")

            let commands = try Fixtures.everyCase()
            var replay = Replay(cluster: cluster, logger: .silent)
            // Busy machines need longer; with the usual session time-out even this is not enough.
            replay.stallLimit = .seconds(40)
            let outcome = try await replay.run(commands)
            #expect(outcome.totals == Fixtures.everyCaseTotals)
        }
    }
}

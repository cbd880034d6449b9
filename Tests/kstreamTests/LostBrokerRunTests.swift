import EmbeddedKafka
import KafkaClient
import Subprocess
import Testing

@testable import kstream

/// Brokers that go away while a command runs.
@Suite(.timeLimit(.minutes(3)))
struct LostBrokerRunTests {
    /// A client soon tries again.
    private let shortTimeouts = ["-X", "reconnect.backoff.max.ms=100"]

    private func withTopic(_ body: (EmbeddedKafkaCluster, String) async throws -> Void) async throws {
        try await withEmbeddedKafka { cluster in
            try await cluster.createTopic("t", partitions: 1)
            try await body(cluster, cluster.bootstrapServers.joined(separator: ","))
        }
    }

    private func waitForRecord(_ value: String, in cluster: EmbeddedKafkaCluster) async throws {
        let partition = KafkaTopicPartition(topic: "t", partition: 0)
        let configuration = KafkaConsumer.Configuration(bootstrapServers: cluster.bootstrapServers)
        try await withKafkaConsumer(configuration, assigned: [partition: .beginning], logger: .silent) { consumer in
            for try await record in consumer.records where record.valueString == value { break }
        }
    }

    @Test func `produce says so, and ends with what was delivered while nobody types`() async throws {
        try await self.withTopic { cluster, servers in
            let result = try await Subprocess.run(
                Command.executable,
                arguments: Arguments(
                    ["produce", "t", "-b", servers, "-X", "message.timeout.ms=8000"] + self.shortTimeouts
                ),
                environment: Command.environment(),
                input: .inputWriter,
                output: .sequence,
                error: .string(limit: 1 << 20)
            ) { execution in
                _ = try await execution.standardInputWriter.write("before\n")
                try await self.waitForRecord("before", in: cluster)
                try await cluster.stopNode(1)
                _ = try await execution.standardInputWriter.write("after\n")
                // Ends with the command, whose input stays open.
                for try await _ in execution.standardOutput {}
            }
            #expect(result.terminationStatus == .exited(4))
            let lines = result.standardError.split(separator: "\n")
            #expect(lines.count { $0.hasPrefix("no broker reachable: ") && $0.hasSuffix("; trying again") } == 1)
            #expect(lines.contains { $0.hasPrefix("line 2: not delivered: ") })
            #expect(lines.last == "t: 1 delivered, 1 not delivered; no broker answers any more, the rest was not sent")
        }
    }

    @Test func `consume says so once, and again when a broker is back`() async throws {
        try await self.withTopic { cluster, servers in
            let configuration = KafkaProducer.Configuration(bootstrapServers: cluster.bootstrapServers)
            try await withKafkaProducer(configuration, logger: .silent) { producer in
                _ = try await producer.send(.init(topic: "t", value: "before"))
            }
            let result = try await Subprocess.run(
                Command.executable,
                arguments: Arguments(["consume", "t", "-b", servers] + self.shortTimeouts),
                environment: Command.environment(),
                input: .none,
                output: .sequence,
                error: .sequence
            ) { execution in
                var output = ""
                for try await chunk in execution.standardOutput {
                    output += chunk.withUnsafeBytes { String(decoding: $0, as: UTF8.self) }
                    if output == "before\n" { break }
                }
                try await cluster.stopNode(1)
                var seen = ""
                var isRestored = false
                for try await chunk in execution.standardError {
                    seen += chunk.withUnsafeBytes { String(decoding: $0, as: UTF8.self) }
                    if !isRestored, seen.contains("trying again\n") {
                        isRestored = true
                        try await cluster.startNode(1)
                    }
                    if seen.contains("connected again\n") { try execution.send(signal: .interrupt) }
                }
                #expect(seen.hasPrefix("no broker reachable: "))
                #expect(seen.hasSuffix("; trying again\nconnected again\n"))
                #expect(seen.split(separator: "\n").count == 2)
            }
            #expect(result.terminationStatus == .exited(0))
        }
    }
}

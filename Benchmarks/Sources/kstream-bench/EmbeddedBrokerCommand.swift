import ArgumentParser
import CMeasurement
import EmbeddedKafka
import Foundation

/// The embedded broker as a process of its own.
struct EmbeddedBrokerCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "embedded-broker",
        abstract: """
            Runs the embedded broker until standard input ends; prints its addresses on the first line, and then, for each \
            line of input, the seconds of processor time that it has used.
            """
    )

    @Option(help: "How many nodes.")
    var nodes = 1

    @Argument(help: "Topics to create, as NAME:PARTITIONS.")
    var topics: [String] = []

    /// Producers write some gigabytes in all: what is old makes room. Consumers read less than is kept of a partition.
    private static let topicSettings = ["segment.bytes": "\(8 << 20)", "retention.bytes": "\(16 << 20)"]

    /// Runs on the main thread, which may wait for the next line: the broker has a thread of its own.
    @MainActor
    func run() async throws {
        try await withEmbeddedKafka(.init(nodes: self.nodes)) { cluster in
            for topic in self.topics {
                let parts = topic.split(separator: ":")
                guard parts.count == 2, let partitions = Int(parts[1]) else {
                    throw ValidationError("\(topic) is not NAME:PARTITIONS")
                }
                try await cluster.createTopic(String(parts[0]), partitions: partitions, settings: Self.topicSettings)
            }
            self.answer(cluster.bootstrapServers.joined(separator: ","))
            while readLine() != nil { self.answer("\(measurement_cpu())") }
        }
    }

    private func answer(_ line: String) {
        FileHandle.standardOutput.write(Data((line + "\n").utf8))
    }
}

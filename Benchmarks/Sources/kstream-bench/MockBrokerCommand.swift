import ArgumentParser
import CReference

/// librdkafka's mock broker as a process of its own: what the embedded broker is compared with.
struct MockBrokerCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "mock-broker",
        abstract: "Runs librdkafka's mock broker until standard input ends; prints its address on the first line."
    )

    @Argument(help: "Topics to create, as NAME:PARTITIONS.")
    var topics: [String] = []

    func run() throws {
        guard reference_mock_broker(self.topics.joined(separator: "\n")) == 0 else { throw ExitCode.failure }
    }
}

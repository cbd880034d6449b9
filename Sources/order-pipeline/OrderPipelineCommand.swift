internal import ArgumentParser
internal import CommandLineSupport
internal import KafkaClient

/// `order-pipeline`: real orders through Kafka topics.
@main
struct OrderPipelineCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "order-pipeline",
        abstract: "Takes orders, payments and shipments through Kafka topics.",
        version: "order-pipeline \(toolkitVersion)",
        subcommands: [ReplayCommand.self, ServiceCommand.self]
    )

    static func main() async {
        await CommandRunner.main(Self.self) { explained($0) }
    }
}

/// The sentence and the exit status for an error of the client; `nil` for errors that speak for themselves.
private func explained(_ error: any Error) -> CommandFailure? {
    guard let error = error as? KafkaError else { return nil }
    switch error.code {
    case .brokerUnreachable:
        return CommandFailure(
            "\(error.message). Is the broker running, and is its address right (--bootstrap-servers)?",
            status: ExitStatus.unreachable
        )
    case .configuration:
        return CommandFailure(error.message, status: ExitStatus.usage)
    default:
        return nil
    }
}

import ArgumentParser

/// The command: the harness by default; the other two run as its child processes.
@main
struct Bench: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "kstream-bench",
        abstract: "Measures KafkaClient against a C program on the same librdkafka and the same broker.",
        subcommands: [RunCommand.self, WorkerCommand.self, MockBrokerCommand.self],
        defaultSubcommand: RunCommand.self
    )
}

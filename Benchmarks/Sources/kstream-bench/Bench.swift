import ArgumentParser

/// The command: the harness by default; the others run as its child processes.
@main
struct Bench: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "kstream-bench",
        abstract: "Measures KafkaClient against a C program, and the embedded broker against librdkafka's mock.",
        subcommands: [RunCommand.self, WorkerCommand.self, MockBrokerCommand.self, EmbeddedBrokerCommand.self],
        defaultSubcommand: RunCommand.self
    )
}

internal import ArgumentParser
internal import CommandLineSupport

/// `kstream`: reads, writes and moves through Kafka topics from a shell.
@main
struct KStreamCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "kstream",
        abstract: "Produces to, consumes from and seeks in Kafka topics, and runs a cluster for tests.",
        discussion: """
            Data goes to standard output, everything else to standard error.

            All but broker need the addresses of some brokers: -b, or KSTREAM_BOOTSTRAP_SERVERS.

            Exit status:
              0  done
              1  failed
              2  the command line is wrong
              3  no broker could be reached in time
              4  delivered in part
              5  nothing matched (consume: there was no record)
            130  interrupted before it was done
            """,
        version: "kstream \(toolkitVersion)",
        subcommands: [ProduceCommand.self, ConsumeCommand.self, SeekCommand.self, BrokerCommand.self]
    )

    static func main() async {
        await CommandRunner.main(Self.self) { explained($0) }
    }
}

internal import ArgumentParser
internal import CommandLineSupport
internal import EventStreaming
internal import Logging

/// How the verbs find a cluster, and what they tell of it.
struct ConnectionOptions: ParsableArguments {
    @Option(
        name: [.customShort("b"), .long],
        help: ArgumentHelp("Addresses of some brokers of an Apache Kafka cluster.", valueName: "host:port,...")
    )
    var bootstrapServers: String?

    @Flag(name: .shortAndLong, help: "Write the clients' log to standard error.")
    var verbose = false

    func validate() throws {
        if self.bootstrapServers != nil, self.servers.isEmpty {
            throw ValidationError("--bootstrap-servers has no address: give host:port, or several with commas.")
        }
    }

    /// The addresses that were given, here or by the environment.
    var servers: [String] {
        let list = self.bootstrapServers ?? environmentVariable("KSTREAM_BOOTSTRAP_SERVERS") ?? ""
        return list.split { $0 == "," || $0.isWhitespace }.map(String.init)
    }

    /// Silent unless asked for: what goes wrong is said by the command itself, once.
    var clientLogger: Logger {
        self.verbose ? Self.logger(level: .debug) : Logger(label: "order-pipeline") { _ in SwiftLogNoOpLogHandler() }
    }

    /// Takes what the services have to say.
    static var serviceLogger: Logger { Self.logger(level: .warning) }

    private static func logger(level: Logger.Level) -> Logger {
        var logger = Logger(label: "order-pipeline") { StreamLogHandler.standardError(label: $0) }
        logger.logLevel = level
        return logger
    }
}

/// What services promise, as an option.
enum Guarantee: String, ExpressibleByArgument, CaseIterable {
    case exactlyOnce = "exactly-once"
    case atLeastOnce = "at-least-once"

    var processing: ProcessingGuarantee {
        switch self {
        case .exactlyOnce: .exactlyOnce
        case .atLeastOnce: .atLeastOnce
        }
    }
}

internal import ArgumentParser
internal import CommandLineSupport
internal import KafkaClient
internal import Logging

/// How to reach the cluster: options that all commands share.
struct ConnectionOptions: ParsableArguments {
    @Option(
        name: [.short, .long],
        help: ArgumentHelp(
            "Addresses of some brokers, separated by commas; the others are found through them.",
            discussion: "Without it, KSTREAM_BOOTSTRAP_SERVERS is used.",
            valueName: "host:port,..."
        )
    )
    var bootstrapServers: String?

    @Option(help: ArgumentHelp("How long a broker may take to answer.", valueName: "seconds"))
    var timeout: Double = 10

    @Option(
        name: .customShort("X"),
        help: ArgumentHelp("A property of librdkafka, for example security.protocol=ssl.", valueName: "name=value")
    )
    var properties: [Property] = []

    @Flag(name: .shortAndLong, help: "Write the client's log to standard error.")
    var verbose = false

    /// A property of librdkafka as given on the command line.
    struct Property: ExpressibleByArgument {
        let name: String
        let value: String

        init?(argument: String) {
            guard let equals = argument.firstIndex(of: "="), equals > argument.startIndex else { return nil }
            self.name = String(argument[..<equals])
            self.value = String(argument[argument.index(after: equals)...])
        }
    }

    func validate() throws {
        guard self.timeout > 0, self.timeout <= 3600 else {
            throw ValidationError("--timeout must be above 0 and at most 3600 seconds.")
        }
    }

    /// The addresses.
    /// - Throws: A usage error when there are none.
    var servers: [String] {
        get throws {
            let list = self.bootstrapServers ?? environmentVariable("KSTREAM_BOOTSTRAP_SERVERS") ?? ""
            let servers = list.split(separator: ",").map { String($0.trimmingWhitespace) }.filter { !$0.isEmpty }
            guard !servers.isEmpty else {
                throw ValidationError("No broker is given: use -b host:port, or set KSTREAM_BOOTSTRAP_SERVERS.")
            }
            return servers
        }
    }

    /// How long a broker may take to answer.
    var timeoutDuration: Duration { .seconds(self.timeout) }

    /// Properties that win over those of the configuration.
    var additional: [String: String] {
        Dictionary(self.properties.map { ($0.name, $0.value) }) { _, last in last }
    }

    /// Silent unless asked for: what goes wrong is said by the command itself, once.
    var logger: Logger {
        guard self.verbose else { return Logger(label: "kstream") { _ in SwiftLogNoOpLogHandler() } }
        var logger = Logger(label: "kstream") { StreamLogHandler.standardError(label: $0) }
        logger.logLevel = .debug
        return logger
    }
}

extension Substring {
    fileprivate var trimmingWhitespace: Substring {
        var text = self.drop(while: \.isWhitespace)
        while text.last?.isWhitespace == true { text.removeLast() }
        return text
    }
}

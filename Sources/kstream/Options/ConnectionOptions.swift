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

    @Option(
        parsing: .unconditional,
        help: ArgumentHelp(
            "How long a broker may take to answer, at the start and when it is asked something.",
            discussion: "A broker that goes away later is waited for.",
            valueName: "seconds"
        )
    )
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
            throw ValidationError("--timeout must be above 0 and at most 3600 seconds, not \(self.timeout).")
        }
    }

    /// - Parameter reserved: properties that a command needs as they are, with what to do instead.
    /// - Throws: A usage error when one of them is given.
    func checkProperties(reserved: [String: String]) throws {
        for property in self.properties {
            guard let instead = reserved[property.name] else { continue }
            throw ValidationError("-X \(property.name) can't be set: \(instead).")
        }
    }

    private static let reservedByAll = [
        "log.queue": "the client's log goes to standard error, with --verbose",
        "statistics.interval.ms": "a command has nowhere to put them",
    ]

    /// Properties that commands which read need as they are.
    static let reservedByConsumers = Self.reservedByAll.merging([
        "group.id": "use --group",
        "auto.offset.reset": "use --from",
        "auto.commit.interval.ms": "with --group, what was written is committed",
        "enable.auto.commit": "with --group, what was written is committed",
        "enable.auto.offset.store": "with --group, what was written is committed",
        "max.poll.interval.ms": "a record counts as processed as soon as it is written",
        "enable.partition.eof": "use --exit-at-end",
    ]) { $1 }

    /// Properties that commands which send need as they are.
    static let reservedByProducers = Self.reservedByAll.merging([
        "queue.buffering.max.messages": "lines are read only as fast as they are sent",
        "queue.buffering.max.kbytes": "lines are read only as fast as they are sent",
        "delivery.report.only.error": "every record's delivery is awaited",
        "transactional.id": "records are sent outside of transactions",
        "transaction.timeout.ms": "records are sent outside of transactions",
    ]) { $1 }

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

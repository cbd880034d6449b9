internal import ArgumentParser
internal import CommandLineSupport
internal import EmbeddedKafka
internal import Logging

/// `kstream broker`: runs the embedded cluster in the foreground.
struct BrokerCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "broker",
        abstract: "Runs a Kafka cluster in the foreground, for development and tests.",
        discussion: """
            Speaks the Kafka protocol with any client. The first line of standard output, written when every node answers, \
            has the addresses for --bootstrap-servers. Ctrl-C or SIGTERM ends it, with its data flushed.

            There is one copy of the data, whatever the number of nodes: this is not for production.

            A fault makes requests go wrong on purpose: API:EFFECT, and behind it, with commas, which requests.
              API      produce, fetch, joinGroup, ... or any
              EFFECT   error=NUMBER (Kafka's), delay=MILLISECONDS, drop-request, drop-response, disconnect-before, \
            disconnect-after
              which    topic=, partition=, group=, transactional-id=, client-id=, node=, skip=N, times=N or times=all \
            (1 unless said)

            Examples:
              kstream broker --data ./kafka-data
              kstream broker --port 0 --nodes 3
              kstream broker --fault produce:error=7,topic=orders,times=3 --fault fetch:delay=200,times=all
            """
    )

    @Option(
        help: ArgumentHelp("Port of the first node; the next ones follow. 0 lets the system pick.", valueName: "port")
    )
    var port = 9092

    @Option(help: ArgumentHelp("How many nodes.", valueName: "n"))
    var nodes = 1

    @Option(help: ArgumentHelp("The address to listen on.", valueName: "address"))
    var host = "127.0.0.1"

    @Option(help: ArgumentHelp("The host that clients are told to connect to, if it is another.", valueName: "host"))
    var advertisedHost: String?

    @Option(help: ArgumentHelp("Keep everything in this directory; without it, in memory.", valueName: "dir"))
    var data: String?

    @Option(help: ArgumentHelp("How many partitions a topic gets when nothing else is said.", valueName: "n"))
    var partitions = 1

    @Flag(help: "Do not make topics that are asked for and not there.")
    var noAutomaticTopics = false

    @Option(
        help: ArgumentHelp(
            "Somebody who may connect, by SASL PLAIN or SCRAM; may be repeated.",
            valueName: "name:password"
        )
    )
    var user: [String] = []

    @Option(help: ArgumentHelp("PEM file with the certificate for TLS.", valueName: "file"))
    var tlsCertificate: String?

    @Option(help: ArgumentHelp("PEM file with its private key.", valueName: "file"))
    var tlsKey: String?

    @Option(
        help: ArgumentHelp(
            "PEM file with the authorities of client certificates, which are then needed.",
            valueName: "file"
        )
    )
    var tlsClientAuthorities: String?

    @Option(help: ArgumentHelp("Something that goes wrong on purpose; may be repeated.", valueName: "fault"))
    var fault: [FaultOption] = []

    @Flag(name: .shortAndLong, help: "Write the broker's log to standard error.")
    var verbose = false

    func validate() throws {
        guard (0...65_535).contains(self.port) else { throw ValidationError("--port must be from 0 to 65535.") }
        guard (1...100).contains(self.nodes) else { throw ValidationError("--nodes must be from 1 to 100.") }
        guard self.port == 0 || self.port + self.nodes - 1 <= 65_535 else {
            throw ValidationError("there are no \(self.nodes) ports from \(self.port) on.")
        }
        guard (self.tlsCertificate == nil) == (self.tlsKey == nil) else {
            throw ValidationError("--tls-certificate and --tls-key go together.")
        }
        guard self.tlsClientAuthorities == nil || self.tlsCertificate != nil else {
            throw ValidationError("--tls-client-authorities needs --tls-certificate.")
        }
        guard self.user.allSatisfy({ !$0.prefix { $0 != ":" }.isEmpty && $0.contains(":") }) else {
            throw ValidationError("--user is NAME:PASSWORD.")
        }
    }

    func run() async throws {
        let cluster: EmbeddedKafkaCluster
        do {
            cluster = try EmbeddedKafkaCluster(configuration: self.clusterConfiguration)
        } catch {
            throw CommandFailure(error.message, status: ExitStatus.usage)
        }
        do {
            try await cluster.start()
        } catch let error as EmbeddedKafkaError {
            throw CommandFailure(error.message)
        }
        do {
            for fault in self.fault { _ = try await cluster.faults.add(fault.fault) }
            try await StandardOutput.shared.write(cluster.bootstrapServers.joined(separator: ",") + "\n")
            try await StandardOutput.shared.flush()
            writeToStandardError("ready; Ctrl-C ends it\n")
            await Self.cancellation()
        } catch {
            try await cluster.stop()
            throw error
        }
        try await cluster.stop()
    }

    private var clusterConfiguration: EmbeddedKafkaCluster.Configuration {
        var configuration = EmbeddedKafkaCluster.Configuration(nodes: self.nodes)
        configuration.ports = self.port == 0 ? [] : (0..<self.nodes).map { self.port + $0 }
        configuration.host = self.host
        configuration.advertisedHost = self.advertisedHost
        configuration.storage = self.data.map { .directory($0) } ?? .memory
        configuration.defaultPartitions = self.partitions
        configuration.createsTopicsAutomatically = !self.noAutomaticTopics
        configuration.security.users = Dictionary(
            self.user.map { text in
                let name = text.prefix { $0 != ":" }
                return (String(name), String(text.dropFirst(name.count + 1)))
            },
            uniquingKeysWith: { $1 }
        )
        if let chain = self.tlsCertificate, let key = self.tlsKey {
            configuration.security.certificate = .init(
                chainFile: chain,
                keyFile: key,
                clientAuthoritiesFile: self.tlsClientAuthorities
            )
        }
        var logger = Logger(label: "kstream-broker") { StreamLogHandler.standardError(label: $0) }
        logger.logLevel = self.verbose ? .debug : .warning
        configuration.logger = logger
        return configuration
    }

    /// Returns when the task is cancelled.
    private static func cancellation() async {
        let (stream, continuation) = AsyncStream<Void>.makeStream()
        await withTaskCancellationHandler {
            for await _ in stream {}
        } onCancel: {
            continuation.finish()
        }
    }
}

internal import ArgumentParser
internal import CommandLineSupport
internal import EventSourcing
internal import EventSourcingSQLite
internal import EventStreaming
internal import KafkaClient
internal import Logging
internal import TestAccounts

/// Parts of a service in a process of their own, for tests that kill it.
@main
struct EventSourcingProcess: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "event-sourcing-process",
        subcommands: [ProjectionRun.self, RelayRun.self, TransfersRun.self, KafkaTransfersRun.self, AccountsRun.self]
    )

    static func main() async {
        await CommandRunner.main(Self.self)
    }
}

/// What all of them are told.
struct ProcessOptions: ParsableArguments {
    @Option var servers: String
    /// A name of the test's own, in names of topics and groups.
    @Option var name: String
    /// The file or folder.
    @Option var path: String
    /// The name of this instance.
    @Option var instance = "one"
    /// How many records go into one transaction at most.
    @Option var batch = 20

    var logger: Logger { Logger(label: self.name) { _ in SwiftLogNoOpLogHandler() } }

    /// The process manager of transfers, over the topics of the test.
    func transfers(patience: Duration) -> ProcessManager<TransferState> {
        Transfers.manager(
            name: self.name,
            events: "\(self.name).events",
            commands: "\(self.name).commands",
            patience: patience
        )
    }

    func consumer() -> KafkaConsumer.Configuration {
        var configuration = KafkaConsumer.Configuration(bootstrapServers: [self.servers])
        // A process that is killed has its place again when it is restarted.
        configuration.groupInstanceID = self.instance
        configuration.sessionTimeout = .seconds(6)
        configuration.heartbeatInterval = .milliseconds(200)
        configuration.fetchMaxWait = .milliseconds(50)
        configuration.maxBatchRecords = self.batch
        return configuration
    }
}

/// Runs the projection of balances.
struct ProjectionRun: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "projection")

    @OptionGroup var options: ProcessOptions
    /// How long it takes to read an event, in microseconds.
    @Option var delay: UInt32 = 0

    func run() async throws {
        let readModels = try SQLiteReadModels(folder: self.options.path)
        let storage = try await readModels.storage(of: "balances", version: 1, setUp: Balances.setUp)
        var configuration = ProjectorConfiguration(bootstrapServers: [self.options.servers])
        configuration.consumer = self.options.consumer()
        configuration.consumer.group = self.options.name
        let projector = Projector(
            Balances.projection(of: "\(self.options.name).events", delay: self.delay),
            storage: storage,
            configuration: configuration,
            logger: self.options.logger
        )
        try await projector.run()
    }
}

/// Appends events to a store, as fast as it can, and publishes them.
struct RelayRun: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "relay")

    @OptionGroup var options: ProcessOptions
    /// How many events there are to be in the end.
    @Option var events = 1_000

    func run() async throws {
        let database = try EventDatabase(path: self.options.path)
        let topic = "\(self.options.name).events"
        let store = try SQLiteEventStore(database, publishing: { _ in topic })
        var configuration = OutboxRelayConfiguration(name: self.options.name, bootstrapServers: [self.options.servers])
        configuration.batchSize = self.options.batch
        configuration.producer.linger = .zero
        let relay = OutboxRelay(try SQLiteOutbox(database), configuration, logger: self.options.logger)
        let accounts = EntityStore(store, decider: Account(), events: .accounts(), category: "account")
        let total = self.events
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await relay.run() }
            group.addTask {
                // Each command has an id that follows from its number: one that was cut off is given again.
                for number in Int(try await store.lastPosition())..<total {
                    let command = EventMetadata(id: "command-\(number)", source: "/test", type: "deposit")
                    try await accounts.handle(.deposit(number + 1), of: "\(number % 7)", causedBy: command)
                }
            }
            try await group.waitForAll()
        }
    }
}

/// Leads transfers, in SQLite.
struct TransfersRun: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "transfers")

    @OptionGroup var options: ProcessOptions
    @Option var patience = 3_600.0

    func run() async throws {
        let manager = self.options.transfers(patience: .seconds(self.patience))
        var configuration = SQLiteProcessConfiguration(
            name: self.options.name,
            bootstrapServers: [self.options.servers]
        )
        configuration.projector.consumer = self.options.consumer()
        configuration.relay.batchSize = self.options.batch
        let database = try EventDatabase(path: self.options.path)
        let host = try SQLiteProcessHost(
            manager,
            database: database,
            configuration: configuration,
            logger: self.options.logger
        )
        try await host.run()
    }
}

/// Leads transfers, on Kafka alone.
struct KafkaTransfersRun: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "kafka-transfers")

    @OptionGroup var options: ProcessOptions
    @Option var patience = 3_600.0

    func run() async throws {
        let manager = self.options.transfers(patience: .seconds(self.patience))
        var configuration = KafkaProcessConfiguration(
            journal: "\(self.options.name).journal",
            bootstrapServers: [self.options.servers]
        )
        configuration.instance = self.options.instance
        configuration.consumer = self.options.consumer()
        let host = KafkaProcessHost(manager, configuration: configuration, logger: self.options.logger)
        try await host.run()
    }
}

/// Hosts accounts on Kafka.
struct AccountsRun: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "accounts")

    @OptionGroup var options: ProcessOptions
    /// How many events lie between two snapshots.
    @Option var snapshots = 200

    func run() async throws {
        var configuration = EntityProcessorConfiguration<AccountState>(
            name: self.options.name,
            bootstrapServers: [self.options.servers]
        )
        configuration.instance = self.options.instance
        configuration.category = "account"
        configuration.replies = "\(self.options.name).replies"
        configuration.consumer = self.options.consumer()
        configuration.producer.linger = .zero
        configuration.snapshots = EntitySnapshots(folder: self.options.path, serde: .json())
        configuration.snapshots?.interval = self.snapshots
        let processor = EntityProcessor(
            Account(),
            events: .accounts(),
            commands: Topic("\(self.options.name).commands", key: .string, value: .json()),
            into: "\(self.options.name).events",
            configuration: configuration,
            logger: self.options.logger
        )
        try await processor.run()
    }
}

internal import Logging
internal import NIOCore

/// The whole state of a cluster and what its requests do to it, confined to one event loop.
///
/// All nodes share it: a node is a socket, and the partitions, groups and transactions that it leads.
final class Broker {
    /// How many partitions a cluster holds at most.
    static let maxPartitions = 10_000

    let options: EmbeddedKafkaCluster.Configuration
    let security: Security
    let logger: Logger
    let eventLoop: any EventLoop
    let clusterID: String
    let journal: Journal
    let logs: LogStore
    let topics: TopicCatalog
    var nodes: NodeTable
    var groups: GroupCoordinator
    var transactions: TransactionCoordinator
    var fetchWaiters = FetchWaiters()
    /// Who waits to join or to get an assignment, by the number that the coordinator knows the request by.
    var groupWaiters: [UInt64: Exchange] = [:]
    var faults = FaultTable()
    /// Who waits for a fault, by the fault's number; looked at after each request that a fault happened to.
    var faultObservers: [UInt64: [FaultObserver]] = [:]
    /// How many requests of each API came, those that faults swallowed too.
    var requestCounts: [APIKey: Int] = [:]

    var maintenanceTimer: Timer?
    private var connections: [UInt64: Connection] = [:]
    private var lastID: UInt64 = 0
    private var coordinationTimer: Scheduled<Void>?
    private var coordinationDue: Int64?

    init(
        options: EmbeddedKafkaCluster.Configuration,
        security: Security,
        eventLoop: any EventLoop
    ) throws {
        self.options = options
        self.security = security
        self.logger = options.logger
        self.eventLoop = eventLoop
        self.nodes = NodeTable(count: options.nodes)
        let logs = try LogStore(options.storage)
        self.logs = logs
        self.journal = try logs.makeJournal()
        self.topics = TopicCatalog(
            defaults: TopicCatalog.Defaults(
                partitions: options.defaultPartitions,
                retentionMilliseconds: options.retention?.wholeMilliseconds ?? -1,
                retentionBytes: options.retentionBytes ?? -1
            ),
            logs: logs,
            journal: self.journal
        )
        self.groups = Self.makeGroups(options)
        self.transactions = Self.makeTransactions(options)
        self.clusterID = try Self.clusterID(in: self.journal)
        try self.restore()
    }

    /// Milliseconds since 1970.
    var now: Int64 {
        switch self.options.clock.source {
        case .manual(let clock): clock.now
        case .system: SystemTime.now
        }
    }

    /// A number that no other thing of this broker has.
    func makeID() -> UInt64 {
        self.lastID += 1
        return self.lastID
    }

    // MARK: Connections

    func opened(_ connection: Connection) {
        guard self.nodes.isUp(connection.node) else { return connection.close() }
        self.connections[connection.id] = connection
    }

    func closed(_ connection: Connection) {
        self.connections[connection.id] = nil
        for id in self.fetchWaiters.waiting(on: connection) { self.fetchWaiters.remove(id)?.timer.cancel() }
        for (waiter, exchange) in self.groupWaiters where exchange.connection === connection {
            self.groupWaiters[waiter] = nil
            self.groups.forget(waiter, now: self.now)
        }
    }

    /// Cuts the connections to a node, or all.
    func disconnect(node: Int32? = nil) {
        for connection in Array(self.connections.values) where node == nil || connection.node == node {
            connection.close()
        }
    }

    var connectionCount: Int { self.connections.count }

    /// The room that all connections have made for bytes of requests, in bytes.
    var inboundCapacity: Int { self.connections.values.reduce(0) { $0 + $1.inboundCapacity } }

    // MARK: Time

    /// Looks at once and later, when it is due, at what groups and transactions wait for.
    func scheduleCoordination() {
        let due = [self.groups.nextDeadline, self.transactions.nextDeadline].compactMap { $0 }.min()
        guard due != self.coordinationDue else { return }
        self.coordinationTimer?.cancel()
        self.coordinationTimer = nil
        self.coordinationDue = due
        // A clock that is moved by hand calls `timePassed` itself.
        guard let due, case .system = self.options.clock.source else { return }
        let delay = max(0, due &- self.now)
        self.coordinationTimer = self.eventLoop.assumeIsolated().scheduleTask(in: .milliseconds(min(delay, 86_400_000)))
        {
            self.coordinationDue = nil
            self.timePassed()
        }
    }

    /// Does what is due by now.
    func timePassed() {
        let now = self.now
        self.perform(self.groups.tick(now: now))
        self.perform(self.transactions.tick(now: now))
        if case .manual = self.options.clock.source { self.maintain() }
        self.settle()
    }

    /// Ends a change: what the coordinators want kept goes to the journal, and the next deadline is looked for.
    func settle() {
        do {
            // In this order: what a transaction commits is kept before that the transaction is complete.
            for change in self.groups.takeChanges() + self.transactions.takeChanges() {
                try self.journal.put(key: change.key, value: change.value)
            }
        } catch {
            self.logger.error("the journal can't be written", metadata: ["reason": "\(error)"])
        }
        self.scheduleCoordination()
    }

    // MARK: Start and end

    /// Takes back what the journal has of an earlier run: first topics, then what is about them.
    private func restore() throws {
        let now = self.now
        for entry in try self.journal.load() where entry.key != Self.clusterIDKey {
            if try self.topics.restore(key: entry.key, value: entry.value, now: now) { continue }
            if try self.groups.restore(key: entry.key, value: entry.value) { continue }
            _ = try self.transactions.restore(key: entry.key, value: entry.value)
        }
        self.perform(self.transactions.recoveryEffects())
        self.groups.dropPendingOffsets(exceptOf: self.transactions.openProducerIDs)
        try self.logs.removeAll(except: Set(self.topics.topics.values.flatMap { $0.partitions.map(\.id) }))
        for topic in self.topics.topics.values { self.placeLeaders(of: topic) }
        self.settle()
    }

    private static let clusterIDKey = ByteBuffer(string: "cluster-id")

    private static func clusterID(in journal: Journal) throws -> String {
        if let value = try journal.load().last(where: { $0.key == self.clusterIDKey })?.value {
            return String(buffer: value)
        }
        // Like Kafka's: 16 random bytes in base 64 for URLs, without padding.
        let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_")
        let id = String((0..<22).map { _ in alphabet[Int.random(in: alphabet.indices)] })
        try journal.put(key: self.clusterIDKey, value: ByteBuffer(string: id))
        return id
    }

    /// Makes everything as it was at the start of a new cluster.
    func reset() throws {
        self.disconnect()
        for id in self.fetchWaiters.all { self.fetchWaiters.remove(id)?.timer.cancel() }
        self.groupWaiters = [:]
        try self.topics.removeAll()
        for entry in try self.journal.load() where entry.key != Self.clusterIDKey {
            try self.journal.put(key: entry.key, value: nil)
        }
        self.groups = Self.makeGroups(self.options)
        self.transactions = Self.makeTransactions(self.options)
        self.nodes.movedCoordinators = [:]
        self.faults.removeAll()
        self.requestCounts = [:]
        self.resumeFaultObservers()
        self.settle()
    }

    private static func makeGroups(_ options: EmbeddedKafkaCluster.Configuration) -> GroupCoordinator {
        var settings = GroupSettings()
        settings.initialRebalanceDelay = Int32(clamping: options.initialRebalanceDelay.wholeMilliseconds)
        return GroupCoordinator(settings: settings, keepsChanges: options.storage != .memory) { .random() }
    }

    /// Flushes and closes what is on disk. The connections must be closed before.
    func shutDown() throws {
        self.endFaultObservers()
        self.coordinationTimer?.cancel()
        self.maintenanceTimer?.cancel()
        for topic in self.topics.topics.values {
            for partition in topic.partitions { try partition.log.close() }
        }
        try self.journal.close()
        self.logs.close()
    }
}

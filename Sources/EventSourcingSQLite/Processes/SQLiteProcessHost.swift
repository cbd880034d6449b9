public import EventSourcing
public import EventStreaming
internal import GRDB
internal import KafkaClient
public import Logging
internal import Synchronization

/// How a ``SQLiteProcessHost`` works.
public struct SQLiteProcessConfiguration: Sendable {
    /// How messages are read.
    public var projector: ProjectorConfiguration
    /// How commands are published. Its name is that of the process manager unless it is changed.
    public var relay: OutboxRelayConfiguration
    /// How long commands wait, published by nobody, until this process publishes them, where another process over the same file did
    /// before. Default: 10 s.
    public var takeoverDelay = Duration.seconds(10)
    /// The clock of the deadlines. Default: the system's.
    public var now: @Sendable () -> UTCTime = { .now }

    /// Makes a configuration with the defaults.
    ///
    /// - Parameters:
    ///   - name: that of the process manager.
    ///   - bootstrapServers: `host:port` of some brokers.
    public init(name: String, bootstrapServers: [String]) {
        self.projector = ProjectorConfiguration(bootstrapServers: bootstrapServers)
        self.relay = OutboxRelayConfiguration(name: name, bootstrapServers: bootstrapServers)
    }
}

/// Runs a process manager over a SQLite file: instances, deadlines, timeline, inbox, outbox and how far it has read change in one
/// transaction, and a relay publishes the commands.
///
/// Each message is handled once, also one that its sender sent twice, by its id. Each deadline passes once, also when it was due while
/// nothing ran. Several processes may run over the same file: one has each partition, any of them the deadlines, and one publishes,
/// until another one finds that commands wait (``SQLiteProcessConfiguration/takeoverDelay``).
public final class SQLiteProcessHost<State: Codable & Sendable>: Sendable {
    private let manager: ProcessManager<State>
    private let engine: ProcessEngine<State>
    private let database: EventDatabase
    private let storage: SQLiteProjectionStorage
    private let outbox: SQLiteOutbox
    private let configuration: SQLiteProcessConfiguration
    private let projector: Projector<SQLiteProjectionStorage>
    private let relay: OutboxRelay<SQLiteOutbox>
    private let logger: Logger

    /// Makes a host, and the tables where there are none; nothing is connected before it runs.
    ///
    /// - Parameters:
    ///   - manager: the process manager.
    ///   - database: a file of its own.
    ///   - configuration: how it works.
    ///   - logger: takes what it and its clients have to say.
    /// - Throws: `DatabaseError`.
    public init(
        _ manager: ProcessManager<State>,
        database: EventDatabase,
        configuration: SQLiteProcessConfiguration,
        logger: Logger = Logger(label: "EventSourcing.ProcessManager")
    ) throws {
        self.manager = manager
        self.database = database
        self.configuration = configuration
        self.logger = logger
        self.storage = SQLiteProjectionStorage(database, projection: manager.name, version: 1)
        try self.storage.setUp(isLive: true) { db in try ProcessRows.createTables(db) }
        let outbox = try SQLiteOutbox(database)
        let engine = ProcessEngine(manager)
        self.outbox = outbox
        self.engine = engine
        let now = configuration.now
        let inputs = manager.inputs.map { input in
            ProjectionInput<Database>(topic: input.topic) { records in
                let calls = records.map { record in Result { try input.prepare(record) } }
                return { index, db, _ in
                    try Self.handle(try calls[index].get(), manager, engine, outbox, now: now(), db)
                }
            }
        }
        self.projector = Projector(
            Projection(name: manager.name, version: 1, inputs: inputs),
            storage: self.storage,
            configuration: configuration.projector,
            logger: logger
        )
        self.relay = OutboxRelay(outbox, configuration.relay, logger: logger)
    }

    /// How it reads messages.
    public var status: ProjectorStatus { self.projector.status }

    /// How it publishes commands.
    public var relayStatus: OutboxRelayStatus { self.relay.status }

    // MARK: Running

    /// Handles messages and deadlines, and publishes commands, until the task is cancelled.
    ///
    /// - Throws: as `Projector.run()` and `OutboxRelay.run()`. It does not throw when it is cancelled.
    public func run() async throws {
        do {
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { try await self.projector.run() }
                group.addTask { try await self.publish() }
                group.addTask { try await self.watchDeadlines() }
                // Whichever ends first ends the others.
                defer { group.cancelAll() }
                while try await group.next() != nil { group.cancelAll() }
            }
        } catch  where Task.isCancelled {
            return
        }
    }

    /// Publishes commands, unless another process does that.
    private func publish() async throws {
        while true {
            do {
                return try await self.relay.run()
            } catch let error as KafkaError where error.code == .fenced {
                self.logger.info("another process publishes the commands of \(self.manager.name) now")
            }
            try await self.waitUntilNobodyPublishes()
        }
    }

    /// Returns when the oldest command has waited for the delay while this looked on: a backlog that is old, but gets less, is
    /// being published.
    private func waitUntilNobodyPublishes() async throws {
        var oldest: Int64?
        var deadline = ContinuousClock.now
        while true {
            let count = self.database.changeCount
            let position = try await self.outbox.entries(after: 0, limit: 1).first?.position
            guard let position else {
                oldest = nil
                try await self.database.waitForChange(past: count)
                continue
            }
            if position != oldest {
                oldest = position
                deadline = .now + self.configuration.takeoverDelay
            }
            if deadline <= .now { return }
            _ = try await withDeadline(deadline) { try await self.database.waitForChange(past: count) }
        }
    }

    private static func handle(
        _ call: ProcessInput<State>.Call,
        _ manager: ProcessManager<State>,
        _ engine: ProcessEngine<State>,
        _ outbox: SQLiteOutbox,
        now: UTCTime,
        _ db: Database
    ) throws {
        guard let id = call.id else { return }
        // It would be cut off there, and be another instance.
        if id.utf8.contains(0) { throw SerdeError("the id of an instance has a zero byte in it") }
        if let event = call.metadata?.identity, try !SQLiteInbox.note(event, receiver: manager.name, db) { return }
        let instance: ProcessInstance<State>? = try ProcessRows.instance(db, id)
        guard let transition = try engine.handle(call, of: id, instance, now: now) else { return }
        try Self.save(transition, outbox, db)
    }

    private static func save(_ transition: ProcessTransition<State>, _ outbox: SQLiteOutbox, _ db: Database) throws {
        try ProcessRows.save(db, transition.instance)
        try ProcessRows.add(db, transition.timeline, of: transition.instance.id)
        for record in transition.records { try outbox.add(record, in: db) }
    }

    /// Has deadlines pass when they are due.
    private func watchDeadlines() async throws {
        while true {
            try Task.checkCancellation()
            let count = self.database.changeCount
            let now = self.configuration.now()
            guard let due = try await self.database.read({ db in try ProcessRows.nextDue(db) }) else {
                try await self.database.waitForChange(past: count)
                continue
            }
            guard due > now.millisecondsSince1970 else {
                try await self.passDeadlines(now)
                continue
            }
            let wait = Duration.milliseconds(min(due - now.millisecondsSince1970, 86_400_000))
            _ = try await withDeadline(.now + wait) {
                try await self.database.waitForChange(past: count)
                return true
            }
        }
    }

    /// Has those deadlines pass that are due: some of them, in one transaction.
    private func passDeadlines(_ now: UTCTime) async throws {
        let (engine, outbox) = (self.engine, self.outbox)
        try await self.database.write { db in
            for id in try ProcessRows.due(db, at: now.millisecondsSince1970, limit: 100) {
                guard let instance: ProcessInstance<State> = try ProcessRows.instance(db, id) else { continue }
                let deadlines = instance.deadlines.filter { $0.value <= now }
                guard let deadline = deadlines.min(by: { ($0.value, $0.key) < ($1.value, $1.key) })?.key else {
                    try ProcessRows.save(db, instance)
                    continue
                }
                if let transition = engine.pass(deadline, instance, now: now) {
                    try Self.save(transition, outbox, db)
                }
            }
        }
    }

    // MARK: Asking

    /// An instance as it is.
    public func instance(_ id: String) async throws -> ProcessInstance<State>? {
        try await self.database.read { db in try ProcessRows.instance(db, id) }
    }

    /// What happened to an instance, in order.
    public func timeline(of id: String) async throws -> [ProcessTimelineEntry] {
        try await self.database.read { db in try ProcessRows.timeline(db, id) }
    }

    /// Instances, those first to which something happened last.
    ///
    /// - Parameters:
    ///   - status: those that stand so; `nil` is all.
    ///   - limit: how many at most.
    public func instances(_ status: ProcessStatus? = nil, limit: Int = 100) async throws -> [ProcessSummary] {
        try await self.database.read { db in try ProcessRows.summaries(db, status, limit: limit) }
    }

    /// How many instances stand how.
    public func counts() async throws -> [ProcessStatus: Int] {
        try await self.database.read { db in try ProcessRows.counts(db) }
    }

    /// Has an instance that is stuck try again: to undo what it could not, or to handle its deadline.
    ///
    /// - Returns: whether it was stuck.
    @discardableResult
    public func resume(_ id: String) async throws -> Bool {
        let (engine, outbox, now) = (self.engine, self.outbox, self.configuration.now())
        return try await self.database.write { db in
            guard let instance: ProcessInstance<State> = try ProcessRows.instance(db, id),
                let transition = engine.resume(instance, now: now)
            else { return false }
            try Self.save(transition, outbox, db)
            return true
        }
    }

    /// Forgets instances that have ended, with their timelines, and which messages were handled as long ago.
    ///
    /// - Parameter age: how long ago they ended at least. A message for one of them that comes later, or again, begins a new
    ///   instance.
    /// - Returns: how many.
    @discardableResult
    public func forgetEnded(olderThan age: Duration) async throws -> Int {
        let time = self.configuration.now().advanced(by: .zero - age).millisecondsSince1970
        let name = self.manager.name
        return try await self.database.write { db in
            try SQLiteInbox.forget(before: time, receiver: name, db)
            return try ProcessRows.deleteEnded(db, before: time)
        }
    }
}

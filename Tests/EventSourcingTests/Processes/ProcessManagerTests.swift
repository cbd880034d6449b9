import EventSourcing
import EventSourcingSQLite
import EventStreaming
import KafkaClient
import Synchronization
import TestAccounts
import TestSupport
import Testing

/// Process managers in their two homes: both do the same.
@Suite(.timeLimit(.minutes(2)))
struct ProcessManagerTests {
    /// Where a process manager runs.
    enum Home: String, CaseIterable, Sendable {
        case sqlite
        case kafka
    }

    /// What of a host the tests ask.
    private struct Host: Sendable {
        var run: @Sendable () async throws -> Void
        var status: @Sendable (String) async throws -> ProcessStatus?
        var timeline: @Sendable (String) async throws -> [ProcessTimelineEntry]
    }

    private func host(
        _ home: Home,
        _ shop: Shop,
        _ folder: String,
        patience: Duration = .seconds(3_600),
        poison: PoisonAction = .stop,
        clockAhead ahead: Duration = .zero
    ) throws -> Host {
        let manager = Transfers.manager(
            name: shop.name,
            events: shop.topic("events"),
            commands: shop.topic("commands"),
            patience: patience
        )
        switch home {
        case .sqlite:
            var configuration = SQLiteProcessConfiguration(name: shop.name, bootstrapServers: shop.servers)
            configuration.projector.consumer = shop.consuming
            configuration.projector.poisonAction = { _ in poison }
            configuration.now = { UTCTime.now.advanced(by: ahead) }
            let database = try EventDatabase(path: "\(folder)/transfers.sqlite")
            let host = try SQLiteProcessHost(
                manager,
                database: database,
                configuration: configuration,
                logger: shop.logger
            )
            return Host(
                run: { try await host.run() },
                status: { try await host.instance($0)?.status },
                timeline: { try await host.timeline(of: $0) }
            )
        case .kafka:
            var configuration = KafkaProcessConfiguration(
                journal: shop.topic("journal"),
                bootstrapServers: shop.servers
            )
            configuration.consumer = shop.consuming
            configuration.poisonAction = { _ in poison }
            configuration.now = { UTCTime.now.advanced(by: ahead) }
            configuration.producer.linger = .zero
            let host = KafkaProcessHost(manager, configuration: configuration, logger: shop.logger)
            return Host(
                run: { try await host.run() },
                status: { id in host.instances.first { $0.id == id }?.status },
                timeline: { try await host.timeline(of: $0) }
            )
        }
    }

    private func make() async throws -> Shop { try await Shop.make("events", "commands", "journal") }

    private func send(_ shop: Shop, _ id: String, _ events: TransferEvent...) async throws {
        let topic = Topic<String, TransferEvent>(shop.topic("events"), key: .string, value: .json())
        try await shop.send(events.map { try topic.record(of: Message(key: id, value: $0), source: "/test") })
    }

    private func commands(_ shop: Shop) async throws -> [String: [TransferCommand]] {
        let serde = Serde<TransferCommand>.json()
        var commands: [String: [TransferCommand]] = [:]
        for record in try await shop.records(of: "commands") {
            let key = record.key.map { String(decoding: $0, as: UTF8.self) } ?? ""
            commands[key, default: []].append(try serde.decode(record.value))
        }
        return commands
    }

    private let requested = TransferEvent.requested(from: "a", to: "b", amount: 5)
    private let withdraw = TransferCommand.withdraw(account: "a", amount: 5)
    private let deposit = TransferCommand.deposit(account: "b", amount: 5)
    private let giveBack = TransferCommand.giveBack(account: "a", amount: 5)

    @Test(arguments: Home.allCases)
    func eventsBecomeCommands(_ home: Home) async throws {
        let shop = try await self.make()
        try await withTemporaryFolder { folder in
            let host = try self.host(home, shop, folder)
            try await withRunning(host.run) {
                try await self.send(shop, "1", self.requested, .withdrawn, .deposited)
                try await self.send(shop, "2", self.requested, .withdrawn, .refused)
                // It begins nothing.
                try await self.send(shop, "3", .deposited)
                try await eventually(pause: 100, "both are on their way") {
                    let (first, second) = (try await host.status("1"), try await host.status("2"))
                    return first == .completed && second == .compensating
                }
                try await self.send(shop, "2", .returned)
                try await eventually(pause: 100, "the second one has ended") {
                    try await host.status("2") == .compensated
                }
                try await eventually(pause: 100, "all commands are there") {
                    try await self.commands(shop) == [
                        "1": [self.withdraw, self.deposit], "2": [self.withdraw, self.deposit, self.giveBack],
                    ]
                }
                #expect(try await host.status("3") == nil)
                // What comes later is ignored.
                try await self.send(shop, "1", .refused)
                try await self.send(shop, "4", self.requested)
                try await eventually(pause: 100, "it goes on") { try await host.status("4") == .running }
                #expect(try await host.status("1") == .completed)
            }
            let kinds = try await host.timeline("2").map(\.kind)
            #expect(
                kinds == [
                    .started, .event, .command, .deadline, .event, .command, .deadline, .event, .compensating,
                    .command, .event, .compensated, .compensated,
                ]
            )
        }
    }

    /// Commands tell where they come from, in all steps.
    @Test(arguments: Home.allCases)
    func commandsAreCorrelated(_ home: Home) async throws {
        let shop = try await self.make()
        try await withTemporaryFolder { folder in
            let host = try self.host(home, shop, folder)
            try await withRunning(host.run) {
                try await self.send(shop, "1", self.requested, .withdrawn)
                try await eventually(pause: 100, "both commands are there") {
                    try await shop.records(of: "commands").count == 2
                }
            }
            let metadata = try await shop.records(of: "commands").compactMap { EventMetadata(headers: $0.headers) }
            let events = try await shop.records(of: "events").compactMap { EventMetadata(headers: $0.headers) }
            #expect(metadata.map(\.causationID) == events.map(\.id))
            #expect(Set(metadata.map(\.correlationID)) == [events.first?.id])
            #expect(Set(metadata.map(\.id)).count == 2)
        }
    }

    /// The same event, twice, by its id.
    @Test(arguments: Home.allCases)
    func anEventThatComesAgainIsHandledOnce(_ home: Home) async throws {
        let shop = try await self.make()
        try await withTemporaryFolder { folder in
            let topic = Topic<String, TransferEvent>(shop.topic("events"), key: .string, value: .json())
            let record = try topic.record(of: Message(key: "1", value: self.requested), source: "/test")
            for _ in 0..<2 {
                let host = try self.host(home, shop, folder)
                try await withRunning(host.run) {
                    try await shop.send([record, record])
                    try await self.send(shop, "end", self.requested)
                    try await eventually(pause: 100, "all are handled") { try await host.status("end") != nil }
                    try await eventually(pause: 100, "the command is there") {
                        try await self.commands(shop)["1"] != nil
                    }
                }
            }
            #expect(try await self.commands(shop)["1"] == [self.withdraw])
        }
    }

    /// A deadline that was due while nothing ran passes when it runs again, once.
    @Test(arguments: Home.allCases)
    func deadlinesOutliveTheProcess(_ home: Home) async throws {
        let shop = try await self.make()
        try await withTemporaryFolder { folder in
            let first = try self.host(home, shop, folder)
            try await withRunning(first.run) {
                try await self.send(shop, "1", self.requested)
                try await eventually(pause: 100, "it waits") { try await first.status("1") == .running }
                try await eventually(pause: 100, "the command is there") {
                    try await self.commands(shop)["1"] == [self.withdraw]
                }
            }
            #expect(try await self.commands(shop)["1"] == [self.withdraw])
            for _ in 0..<2 {
                // The time has gone by.
                let next = try self.host(home, shop, folder, clockAhead: .seconds(3_700))
                try await withRunning(next.run) {
                    try await eventually(pause: 100, "it has passed") { try await next.status("1") == .compensated }
                    try await eventually(pause: 100, "the command is there") {
                        try await self.commands(shop)["1"]?.count == 2
                    }
                }
            }
            #expect(try await self.commands(shop)["1"] == [self.withdraw, .tell("late")])
        }
    }

    @Test(arguments: Home.allCases)
    func deadlinesPassWhileItRuns(_ home: Home) async throws {
        let shop = try await self.make()
        try await withTemporaryFolder { folder in
            let host = try self.host(home, shop, folder, patience: .milliseconds(200))
            try await withRunning(host.run) {
                for number in 0..<30 { try await self.send(shop, "\(number)", self.requested) }
                try await eventually(pause: 100, "all have passed") {
                    for number in 0..<30 where try await host.status("\(number)") != .compensated { return false }
                    return true
                }
                try await eventually(pause: 100, "all commands are there") {
                    try await self.commands(shop).values.allSatisfy { $0 == [self.withdraw, .tell("late")] }
                }
            }
            #expect(try await self.commands(shop).count == 30)
        }
    }

    @Test(arguments: Home.allCases)
    func aPoisonMessageStopsOrIsPassedOver(_ home: Home) async throws {
        let shop = try await self.make()
        try await withTemporaryFolder { folder in
            try await shop.send([KafkaProducerRecord(topic: shop.topic("events"), key: "1", value: "no event")])
            try await self.send(shop, "1", self.requested)
            let strict = try self.host(home, shop, folder)
            let error = await #expect(throws: ProjectionError.self) { try await strict.run() }
            #expect(error?.code == .stopped)
            let lenient = try self.host(home, shop, folder, poison: .skip)
            try await withRunning(lenient.run) {
                try await eventually("it goes on") { try await lenient.status("1") == .running }
            }
        }
    }

    // MARK: SQLite alone

    /// The one that does not publish goes on with the rest, and publishes when the other one is gone.
    @Test func processesShareAFile() async throws {
        let shop = try await self.make()
        try await withTemporaryFolder { folder in
            func makeHost() throws -> SQLiteProcessHost<TransferState> {
                var configuration = SQLiteProcessConfiguration(name: shop.name, bootstrapServers: shop.servers)
                configuration.projector.consumer = shop.consuming
                configuration.takeoverDelay = .seconds(2)
                return try SQLiteProcessHost(
                    Transfers.manager(name: shop.name, events: shop.topic("events"), commands: shop.topic("commands")),
                    database: try EventDatabase(path: "\(folder)/transfers.sqlite"),
                    configuration: configuration,
                    logger: shop.logger
                )
            }
            func transfer(_ numbers: Range<Int>) async throws {
                for number in numbers { try await self.send(shop, "\(number)", self.requested, .withdrawn) }
                try await eventually(pause: 100, "all commands are there") {
                    let commands = try await self.commands(shop)
                    return commands.count == numbers.upperBound
                        && commands.values.allSatisfy { $0 == [self.withdraw, self.deposit] }
                }
            }
            var hosts: [(host: SQLiteProcessHost<TransferState>, run: Task<Void, any Error>)] = []
            for _ in 1...2 {
                let host = try makeHost()
                hosts.append((host, Task { try await host.run() }))
                try await transfer(hosts.count * 10 - 10..<hosts.count * 10)
            }
            #expect(hosts.allSatisfy { $0.host.status.phase == .running })
            try await transfer(20..<30)
            // Whichever publishes goes.
            try await eventually("one publishes") { hosts.contains { $0.host.relayStatus.phase == .running } }
            let publisher = hosts.firstIndex { $0.host.relayStatus.phase == .running } ?? 0
            let gone = hosts.remove(at: publisher)
            gone.run.cancel()
            try await gone.run.value
            try await transfer(30..<40)
            #expect(hosts[0].host.status.phase == .running)
            hosts[0].run.cancel()
            try await hosts[0].run.value
            #expect(try await self.commands(shop).count == 40)
        }
    }

    /// What can't be undone is visible, with the reason, and can be tried again.
    @Test func aDeadEndIsVisible() async throws {
        let shop = try await self.make()
        try await withTemporaryFolder { folder in
            // Time goes by for deadlines as the test says.
            let offset = Mutex(Duration.zero)
            let manager = Transfers.manager(
                name: shop.name,
                events: shop.topic("events"),
                commands: shop.topic("commands")
            )
            var configuration = SQLiteProcessConfiguration(name: shop.name, bootstrapServers: shop.servers)
            configuration.projector.consumer = shop.consuming
            configuration.now = { UTCTime.now.advanced(by: offset.withLock { $0 }) }
            let host = try SQLiteProcessHost(
                manager,
                database: try EventDatabase(path: "\(folder)/transfers.sqlite"),
                configuration: configuration,
                logger: shop.logger
            )
            try await withRunning({ try await host.run() }) {
                try await self.send(shop, "1", self.requested, .withdrawn, .refused)
                for attempt in 1...3 {
                    try await eventually(pause: 100, "attempt \(attempt)") {
                        try await self.commands(shop)["1"]?.count { $0 == self.giveBack } == attempt
                    }
                    try await self.send(shop, "1", .returnFailed)
                    try await eventually(pause: 100, "it is told") {
                        let error = try await host.instance("1")?.steps.first?.error
                        let failures = try await host.timeline(of: "1").count { $0.kind == .failed }
                        return error == "the account is closed" && failures == attempt
                    }
                    offset.withLock { $0 += .seconds(10) }
                    // Whoever waits for a deadline looks at the clock when something has happened.
                    try await self.send(shop, "other-\(attempt)", self.requested)
                }
                try await eventually(pause: 100, "it is stuck") { try await host.instances(.stuck).map(\.id) == ["1"] }
                let stuck = try #require(try await host.instances(.stuck).first)
                #expect(stuck.problem == "withdrawal can't be undone: the account is closed")
                #expect(try await host.counts()[.stuck] == 1)
                #expect(try await host.timeline(of: "1").last?.kind == .stuck)
                #expect(try await host.resume("other-1") == false)
                #expect(try await host.resume("1"))
                try await eventually(pause: 100, "it is tried again") {
                    try await self.commands(shop)["1"]?.count { $0 == self.giveBack } == 4
                }
                try await self.send(shop, "1", .returned)
                try await eventually(pause: 100, "it has ended") {
                    try await host.instance("1")?.status == .compensated
                }
            }
            // Each attempt that was refused is followed by another command; one without an answer would be the same.
            let ids = try await shop.records(of: "commands")
                .filter { $0.value.map { String(decoding: $0, as: UTF8.self).contains("giveBack") } == true }
                .compactMap { EventMetadata(headers: $0.headers)?.id }
            #expect(Set(ids).count == 4)
            #expect(try await host.forgetEnded(olderThan: .seconds(-60)) == 1)
            #expect(try await host.instance("1") == nil)
            #expect(try await host.timeline(of: "1").isEmpty)
        }
    }

    // MARK: Kafka alone

    @Test func onKafkaTheKeyIsTheInstance() async throws {
        let shop = try await self.make()
        let topic = Topic<String, TransferEvent>(shop.topic("events"), key: .string, value: .json())
        let manager = ProcessManager(
            name: shop.name,
            initialState: TransferState(),
            inputs: [ProcessInput(topic, by: { _ in "another" }, handler: { _, _, _ in })]
        )
        var configuration = KafkaProcessConfiguration(journal: shop.topic("journal"), bootstrapServers: shop.servers)
        configuration.consumer = shop.consuming
        try await self.send(shop, "1", self.requested)
        let host = KafkaProcessHost(manager, configuration: configuration, logger: shop.logger)
        let error = await #expect(throws: ProjectionError.self) { try await host.run() }
        #expect(error?.description.contains("the key of the record is not") == true)
    }

    @Test func onKafkaInstancesMoveBetweenProcesses() async throws {
        let shop = try await self.make()
        try await withTemporaryFolder { folder in
            let steady = try self.host(.kafka, shop, folder, patience: .seconds(1))
            try await withRunning(steady.run) {
                for round in 0..<3 {
                    let other = try self.host(.kafka, shop, folder, patience: .seconds(1))
                    try await withRunning(other.run) {
                        for number in 0..<10 { try await self.send(shop, "\(round)-\(number)", self.requested) }
                        try await eventually(pause: 100, "all have passed") {
                            let commands = try await self.commands(shop)
                            return commands.count == (round + 1) * 10 && commands.values.allSatisfy { $0.count >= 2 }
                        }
                    }
                }
            }
            let commands = try await self.commands(shop)
            #expect(commands.values.allSatisfy { $0 == [self.withdraw, .tell("late")] })
        }
    }
}

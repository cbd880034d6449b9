import CryptoShredding
import EventSourcing
import EventSourcingSQLite
import EventSourcingTesting
import EventStreaming
import GRDB
import KafkaClient

// The code of the articles, which `ArticleTests` compares with them. It is compiled, not run.

private enum AccountCommand: Codable {
    case deposit(Int)
    case withdraw(Int)
}

private enum AccountEvent: Equatable {
    case deposited(Int)
    case withdrawn(Int)
}

private enum AccountError: Error {
    case overdrawn
}

private struct Amount: Codable {
    var pence: Int
}

private struct OldAmount: Codable {
    var pounds: Int
}

private struct Transfer: Codable {
    var from = ""
    var to = ""
    var amount = 0
}

private enum TransferEvent: Codable {
    case requested(from: String, to: String, amount: Int)
    case withdrawn
    case deposited
    case refused(String)
    case returned
}

private enum Bank {
    struct Account: Decider {
        let initialState = 0

        func decide(_ command: AccountCommand, _ balance: Int) throws -> [AccountEvent] {
            switch command {
            case .deposit(let amount): return [.deposited(amount)]
            case .withdraw(let amount):
                guard amount <= balance else { throw AccountError.overdrawn }
                return [.withdrawn(amount)]
            }
        }

        func evolve(_ balance: inout Int, _ event: AccountEvent) {
            switch event {
            case .deposited(let amount): balance += amount
            case .withdrawn(let amount): balance -= amount
            }
        }
    }
}

private typealias Account = Bank.Account

private func makeRegistry() -> EventRegistry<AccountEvent> {
    var events = EventRegistry<AccountEvent>(unknown: .skip)
    events.register("account.deposited", version: 2, Amount.self) {
        .deposited($0.pence)
    } from: { event in
        if case .deposited(let pence) = event { Amount(pence: pence) } else { nil }
    }
    // Version 1 counted pounds.
    events.upcast("account.deposited", from: 1, OldAmount.self) { Amount(pence: $0.pounds * 100) }
    return events
}

private func storing(
    _ events: EventRegistry<AccountEvent>,
    _ projector: Projector<SQLiteProjectionStorage>,
    _ branches: Topic<String, String>
) async throws {
    let database = try EventDatabase(path: "bank.sqlite")
    let store = try SQLiteEventStore(database, publishing: { _ in "accounts.events" })
    let accounts = EntityStore(store, decider: Account(), events: events, category: "account")
    let result = try await accounts.handle(.deposit(100), of: "42")
    let outbox = try SQLiteOutbox(database)
    let relay = OutboxRelay(outbox, OutboxRelayConfiguration(name: "bank", bootstrapServers: ["localhost:9092"]))
    try await withThrowingTaskGroup(of: Void.self) { group in
        group.addTask { try await relay.run() }
        group.addTask { try await projector.run() }
        try await group.next()
        group.cancelAll()
    }
    try await database.write { db in
        try db.execute(sql: "UPDATE branches SET open = 0 WHERE id = 7")
        try outbox.add(Message(key: "7", value: "closed"), to: branches, source: "/bank", in: db)
    }
    print(result)
}

private func notify(_ id: String) async {}

private func projecting(
    _ events: EventRegistry<AccountEvent>,
    _ store: SQLiteEventStore,
    _ accounts: EntityStore<Account>,
    _ outbox: SQLiteOutbox,
    _ deposits: SQLiteProjectionStorage
) async throws {
    let balances = Projection<Database>(
        name: "balances",
        version: 1,
        inputs: [
            ProjectionInput(topic: "accounts.events", events: events) { event, db, context in
                guard case .deposited(let amount) = event.event else { return }
                try db.execute(
                    sql: """
                        INSERT INTO balances (id, balance) VALUES (?1, ?2)
                        ON CONFLICT (id) DO UPDATE SET balance = balance + ?2
                        """,
                    arguments: [event.entity.id, amount]
                )
                context.whenLive { await notify(event.entity.id) }
            }
        ]
    )
    let readModels = try SQLiteReadModels(folder: "read-models")
    let storage = try await readModels.storage(of: "balances", version: 1) { db in
        try db.execute(sql: "CREATE TABLE balances (id TEXT PRIMARY KEY, balance INTEGER NOT NULL)")
    }
    let projector = Projector(
        balances,
        storage: storage,
        configuration: ProjectorConfiguration(bootstrapServers: ["localhost:9092"])
    )
    try await accounts.handle(.deposit(100), of: "42")
    guard let token = try await outbox.published(to: "accounts.events", within: .seconds(2)) else { return }  // not yet
    let model = readModels["balances"]
    let balance = try await model.read(after: token, timeout: .seconds(2)) { db in
        try Int.fetchOne(db, sql: "SELECT balance FROM balances WHERE id = '42'")
    }
    print(balance.value ?? 0, balance.isStale ? "(still on its way)" : "")
    let input = ProjectionInput<Database>(store: store.name, category: "account", events: events) { event, db, _ in
        guard case .deposited = event.event else { return }
        try db.execute(sql: "UPDATE deposits SET count = count + 1")
    }
    let counting = StoreProjector(Projection(name: "deposits", inputs: [input]), storage: deposits, store: store)
    try await counting.run()
    let total = model.answers { db in try Int.fetchOne(db, sql: "SELECT sum(balance) FROM balances") ?? 0 }
    for try await total in total { print(total) }
    if let progress = try await projector.progress() {
        print("\(Int(progress.fraction * 100)) %", progress.timeLeft ?? .zero)
    }
    print(try await readModels.compare("balances", old: 1, new: 2))
    try await readModels.promote("balances", to: 2)
    try await readModels.rollBack("balances")
    try await readModels.drop("balances", version: 2)
}

private func hosting(_ events: EventRegistry<AccountEvent>) async throws {
    var configuration = EntityProcessorConfiguration<Int>(name: "accounts", bootstrapServers: ["localhost:9092"])
    configuration.instance = "accounts-0"
    configuration.replies = "accounts.replies"
    configuration.snapshots = EntitySnapshots(folder: "snapshots", serde: .json())
    let processor = EntityProcessor(
        Account(),
        events: events,
        commands: Topic("accounts.commands", key: .string, value: .json()),
        into: "accounts.events",
        configuration: configuration
    )
    try await processor.run()
    try await withCommandBus(
        RequesterConfiguration(name: "/web", bootstrapServers: ["localhost:9092"]),
        sending: Topic<String, AccountCommand>("accounts.commands", key: .string, value: .json()),
        replies: "accounts.replies"
    ) { bus in
        let outcome = try await bus.send(.deposit(100), to: "42", timeout: .seconds(5))
        print(outcome.version, outcome.token)
    }
}

private func leading(
    _ transferEvents: Topic<String, TransferEvent>,
    _ commands: Topic<String, AccountCommand>
) async throws {
    let transfers = ProcessManager(
        name: "transfers",
        initialState: Transfer(),
        inputs: [
            ProcessInput(transferEvents, by: { try $0.key }) { transfer, message, actions in
                switch try message.value {
                case .requested(let from, let to, let amount):
                    transfer = Transfer(from: from, to: to, amount: amount)
                    try actions.send(Message(key: from, value: .withdraw(amount)), to: commands)
                    actions.schedule("answer", after: .seconds(60))
                case .withdrawn:
                    try actions.onCompensation(
                        of: "withdrawal",
                        send: Message(key: transfer.from, value: .deposit(transfer.amount)),
                        to: commands
                    )
                    try actions.send(Message(key: transfer.to, value: .deposit(transfer.amount)), to: commands)
                case .deposited: actions.complete()
                case .refused(let reason): actions.compensate(because: reason)
                case .returned: actions.compensated("withdrawal")
                }
            }
        ],
        onDeadline: { transfer, deadline, actions in
            actions.compensate(because: "no answer")
        }
    )
    let host = try SQLiteProcessHost(
        transfers,
        database: try EventDatabase(path: "transfers.sqlite"),
        configuration: SQLiteProcessConfiguration(name: "transfers", bootstrapServers: ["localhost:9092"])
    )
    async let running: Void = host.run()
    for instance in try await host.instances(.stuck) {
        print(instance.id, instance.problem ?? "")
        for entry in try await host.timeline(of: instance.id) { print("  \(entry)") }
        try await host.resume(instance.id)
    }
    try await running
    let onKafka = KafkaProcessHost(
        transfers,
        configuration: KafkaProcessConfiguration(journal: "transfers.journal", bootstrapServers: ["localhost:9092"])
    )
    async let leading: Void = onKafka.run()
    for instance in onKafka.instances where instance.status == .stuck { try await onKafka.resume(instance.id) }
    try await onKafka.forgetEnded(olderThan: .seconds(30 * 86_400))
    try await leading
}

private enum Customers {
    struct Registered: Codable, Sendable {
        var customer: String
        var email: Personal<String>
    }
}

private typealias Registered = Customers.Registered

private enum CustomerEvent {
    case registered(Registered)
}

private func forgetting() throws {
    let keys = try SQLiteSubjectKeys(path: "keys.sqlite")
    var registry = EventRegistry<CustomerEvent>()
    registry.register("customer.registered", serde: .json(shredding: keys) { $0.customer }) {
        .registered($0)
    } from: { (event: CustomerEvent) -> Registered? in
        if case .registered(let registered) = event { registered } else { nil }
    }
    try keys.forget("ada")
    print(registry.types)
}

private func specifying(
    _ events: EventRegistry<AccountEvent>,
    _ balances: Projection<Database>,
    _ setUp: (Database) throws -> Void,
    _ transfers: ProcessManager<Transfer>,
    _ requested: TestMessage
) async throws {
    try Account().given(.deposited(100)).when(.withdraw(30)).then(.withdrawn(30))
    try Account().given(.deposited(100)).when(.withdraw(300)).thenRejected(with: AccountError.overdrawn)
    let deposit = try TestMessage(topic: "accounts.events", events, EntityID("account", "42"), .deposited(100))
    try await ProjectionSpecification(balances, setUp: setUp)
        .given(deposit)
        .then { db in
            let balance = try Int.fetchOne(db, sql: "SELECT balance FROM balances WHERE id = '42'")
            assert(balance == 100)
        }
    try ProcessSpecification(transfers)
        .when(requested)
        .thenSends("accounts.commands")
        .after(.seconds(60))
        .thenStatus(.compensated, of: "1")
    for check in EventStoreContract.checks { try await check.run(MemoryEventStore()) }
}

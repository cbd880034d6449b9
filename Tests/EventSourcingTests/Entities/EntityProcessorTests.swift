import EmbeddedKafka
import EventSourcing
import EventStreaming
import Foundation
import KafkaClient
import TestAccounts
import TestSupport
import Testing

@Suite(.timeLimit(.minutes(2)))
struct EntityProcessorTests {
    /// The topics and the configuration of one test.
    struct Fixture: Sendable {
        let shop: Shop
        let commands: Topic<String, AccountCommand>
        var configuration: EntityProcessorConfiguration<AccountState>

        static func make(partitions: Int = 3) async throws -> Fixture {
            let shop = try await Shop.make("commands", "events", "replies", "dead", partitions: partitions)
            var configuration = EntityProcessorConfiguration<AccountState>(
                name: shop.name,
                bootstrapServers: shop.servers
            )
            configuration.category = "account"
            configuration.replies = shop.topic("replies")
            configuration.deadLetters = shop.topic("dead")
            configuration.consumer = shop.consuming
            configuration.producer.linger = .zero
            return Fixture(
                shop: shop,
                commands: Topic(shop.topic("commands"), key: .string, value: .json()),
                configuration: configuration
            )
        }

        func processor() -> EntityProcessor<Account> {
            EntityProcessor(
                Account(),
                events: .accounts(),
                commands: self.commands,
                into: self.shop.topic("events"),
                configuration: self.configuration,
                logger: self.shop.logger
            )
        }

        func withBus<R>(_ body: (CommandBus<AccountCommand>) async throws -> R) async throws -> R {
            try await withCommandBus(
                RequesterConfiguration(name: "/test", bootstrapServers: self.shop.servers),
                sending: self.commands,
                replies: self.shop.topic("replies"),
                logger: self.shop.logger,
                body
            )
        }
    }

    /// The balances that the topic of events tells of, with the sequences checked.
    private func balances(_ fixture: Fixture) async throws -> [String: Int] {
        var states: [String: (state: AccountState, version: Int64)] = [:]
        for event in try await fixture.shop.events() {
            var entity = states[event.entity.id] ?? (AccountState(), 0)
            #expect(event.sequence == entity.version + 1)
            Account().evolve(&entity.state, event.event)
            entity.version = event.sequence
            states[event.entity.id] = entity
        }
        return states.mapValues(\.state.balance)
    }

    @Test func commandsBringAboutEventsAndOutcomes() async throws {
        let fixture = try await Fixture.make()
        let processor = fixture.processor()
        try await withRunning({ try await processor.run() }) {
            try await fixture.withBus { bus in
                let first = try await bus.send(.deposit(10), to: "a")
                #expect((first.version, first.events, first.isRepetition) == (1, 1, false))
                let second = try await bus.send(.close, to: "a")
                #expect((second.version, second.events) == (3, 2))
                let error = await #expect(throws: CommandError.self) { try await bus.send(.deposit(1), to: "a") }
                #expect(error?.code == .rejected)
                #expect(error?.type == "AccountError")
                #expect(error?.message == "closed")
                // The token is behind the last event.
                let last = try #require(try await fixture.shop.records(of: "events").last)
                let place = KafkaTopicPartition(topic: last.topic, partition: last.partition)
                #expect(second.token.positions == [place: last.offset + 1])
            }
        }
        let status = processor.status
        #expect((status.accepted, status.rejected, status.events) == (2, 1, 3))
        #expect(try await fixture.shop.events().map(\.event) == [.deposited(10), .withdrawn(10), .closed])
    }

    @Test func aCommandThatComesAgainHasTheOutcomeItHad() async throws {
        let fixture = try await Fixture.make()
        let processor = fixture.processor()
        try await withRunning({ try await processor.run() }) {
            try await fixture.withBus { bus in
                let first = try await bus.send(.deposit(10), to: "a", commandID: "c1")
                let again = try await bus.send(.deposit(10), to: "a", commandID: "c1")
                #expect(again.isRepetition)
                #expect((again.version, again.events, again.token) == (first.version, first.events, first.token))
            }
        }
        // Another instance knows it from the events.
        let next = fixture.processor()
        try await withRunning({ try await next.run() }) {
            try await fixture.withBus { bus in
                let again = try await bus.send(.deposit(10), to: "a", commandID: "c1")
                #expect(again.isRepetition)
                let other = try await bus.send(.withdraw(10), to: "a", commandID: "c2")
                #expect(other.version == 2)
            }
        }
        #expect(next.status.restored == 1)
        #expect(try await self.balances(fixture) == ["a": 0])
    }

    /// Both in one batch: the second one sees the first.
    @Test func repetitionsWithinABatchAreOne() async throws {
        let fixture = try await Fixture.make(partitions: 1)
        let record = try fixture.commands.record(
            of: Message(
                key: "a",
                value: .deposit(5),
                metadata: EventMetadata(id: "same", source: "/test", type: "deposit")
            ),
            source: "/test"
        )
        try await fixture.shop.send(Array(repeating: record, count: 20))
        let processor = fixture.processor()
        try await withRunning({ try await processor.run() }) {
            try await eventually("all are handled") {
                let status = processor.status
                return status.accepted == 1 && status.repeated == 19
            }
        }
        #expect(try await self.balances(fixture) == ["a": 5])
    }

    @Test func whatCannotBeReadIsADeadLetter() async throws {
        let fixture = try await Fixture.make(partitions: 1)
        try await fixture.shop.send([
            KafkaProducerRecord(topic: fixture.commands.name, key: "a", value: "no command"),
            KafkaProducerRecord(topic: fixture.commands.name, key: "a", value: nil as [UInt8]?),
            KafkaProducerRecord(topic: fixture.commands.name, key: [0xFF], value: Array(#"{"close":{}}"#.utf8)),
            try fixture.commands.record(of: Message(key: "a", value: .deposit(3)), source: "/test"),
        ])
        let processor = fixture.processor()
        try await withRunning({ try await processor.run() }) {
            try await eventually("all are handled") {
                let status = processor.status
                return status.unreadable == 3 && status.accepted == 1
            }
        }
        let letters = try await fixture.shop.records(of: "dead")
        #expect(letters.count == 3)
        #expect(letters.first?.value == Array("no command".utf8))
        #expect(letters.compactMap { DeadLetter(headers: $0.headers) }.map(\.offset) == [0, 1, 2])
        #expect(try await self.balances(fixture) == ["a": 3])
    }

    /// What a number brings about: nothing that JSON can hold, something too large, something of no type, or a text.
    private struct Notes: Decider {
        enum Event: Sendable {
            case text(String)
            case number(Double)
            case secret
        }

        let initialState = 0

        func decide(_ length: Int, _ count: Int) throws -> [Event] {
            switch length {
            case 0: [.number(.nan)]
            case ..<0: [.secret]
            default: [.text(String(repeating: "x", count: length))]
            }
        }

        func evolve(_ count: inout Int, _ event: Event) { count += 1 }

        static var registry: EventRegistry<Event> {
            var registry = EventRegistry<Event>()
            registry.register("text", String.self) {
                .text($0)
            } from: {
                if case .text(let text) = $0 { text } else { nil }
            }
            registry.register("number", Double.self) {
                .number($0)
            } from: {
                if case .number(let number) = $0 { number } else { nil }
            }
            return registry
        }
    }

    /// It is no rejection by the rules, and no command may keep others from being handled.
    @Test(arguments: [true, false])
    func whatCannotBeWrittenIsNotTheRulesAffair(hasDeadLetters: Bool) async throws {
        let fixture = try await Fixture.make(partitions: 1)
        var configuration = EntityProcessorConfiguration<Int>(
            name: fixture.shop.name,
            bootstrapServers: fixture.shop.servers
        )
        configuration.consumer = fixture.shop.consuming
        configuration.producer.linger = .zero
        if hasDeadLetters { configuration.deadLetters = fixture.shop.topic("dead") }
        let commands = Topic<String, Int>(fixture.commands.name, key: .string, value: .decimal)
        func send(_ lengths: Int...) async throws {
            try await fixture.shop.send(
                try lengths.map { try commands.record(of: Message(key: "a", value: $0), source: "/test") }
            )
        }
        let processor = EntityProcessor(
            Notes(),
            events: Notes.registry,
            commands: commands,
            into: fixture.shop.topic("events"),
            configuration: configuration,
            logger: fixture.shop.logger
        )
        try await send(0, 5, 2_000_000, 7)
        let running = Task { try await processor.run() }
        try await eventually("all are handled") { processor.status.accepted == 2 && processor.status.failed == 2 }
        #expect(processor.status.phase == .running)
        #expect(processor.status.rejected == 0)
        try await send(-1, 9)
        if hasDeadLetters {
            try await eventually("it goes on") { processor.status.accepted == 3 && processor.status.failed == 3 }
            running.cancel()
            try await running.value
            let letters = try await fixture.shop.records(of: "dead").map { try commands.value.decode($0.value) }
            #expect(letters == [0, 2_000_000, -1])
        } else {
            // A type that is not registered is not the sender's fault.
            let error = await #expect(throws: EntityProcessorError.self) { try await running.value }
            #expect(error?.code == .failed)
            #expect(processor.status.phase == .failed)
            #expect(processor.status.problem?.contains("Event.secret, version 0 is not registered") == true)
        }
        #expect(try await fixture.shop.records(of: "events").count == (hasDeadLetters ? 3 : 2))
    }

    private func request(
        _ fixture: Fixture,
        _ topic: String,
        _ partition: String,
        until deadline: String = "9999-01-01T00:00:00Z"
    ) throws -> KafkaProducerRecord {
        var record = try fixture.commands.record(of: Message(key: "a", value: .deposit(1)), source: "/test")
        record.headers += [
            KafkaHeader(key: "kstream-request-id", value: "r"),
            KafkaHeader(key: "kstream-requester", value: "q"),
            KafkaHeader(key: "kstream-reply-topic", value: topic),
            KafkaHeader(key: "kstream-reply-partition", value: partition),
            KafkaHeader(key: "kstream-request-deadline", value: deadline),
        ]
        return record
    }

    /// A request for a reply elsewhere, or in a partition that does not exist, is no reason to end.
    @Test func strangeRequestsAreHandledWithoutAReply() async throws {
        let fixture = try await Fixture.make(partitions: 1)
        try await fixture.shop.send([
            try self.request(fixture, fixture.shop.topic("replies"), "77"),
            try self.request(fixture, "elsewhere", "0"),
            try self.request(fixture, fixture.shop.topic("replies"), "x"),
        ])
        let processor = fixture.processor()
        try await withRunning({ try await processor.run() }) {
            try await eventually("all are handled") { processor.status.accepted == 3 }
        }
        #expect(try await fixture.shop.records(of: "replies").isEmpty)
    }

    @Test func aCommandThatNobodyWaitsForIsNotBegunWith() async throws {
        let fixture = try await Fixture.make(partitions: 1)
        let replies = fixture.shop.topic("replies")
        try await fixture.shop.send([
            try self.request(fixture, replies, "0", until: "2020-01-01T00:00:00Z"),
            try self.request(fixture, replies, "0"),
        ])
        let processor = fixture.processor()
        try await withRunning({ try await processor.run() }) {
            try await eventually("both are handled") {
                processor.status.expired == 1 && processor.status.accepted == 1
            }
        }
        #expect(try await fixture.shop.records(of: "events").count == 1)
        #expect(try await fixture.shop.records(of: "replies").count == 1)
    }

    @Test func aBusWaitsNoLongerThanItIsTold() async throws {
        let fixture = try await Fixture.make()
        try await fixture.withBus { bus in
            let error = await #expect(throws: CommandError.self) {
                try await bus.send(.deposit(1), to: "a", timeout: .milliseconds(300))
            }
            #expect(error?.code == .timedOut)
        }
    }

    // MARK: States

    @Test func statesAreRestoredFromSnapshotsAndEvents() async throws {
        try await withTemporaryFolder { folder in
            var fixture = try await Fixture.make(partitions: 1)
            fixture.configuration.snapshots = EntitySnapshots(folder: folder, serde: .json())
            fixture.configuration.snapshots?.interval = 40
            let first = fixture.processor()
            try await withRunning({ try await first.run() }) {
                try await fixture.withBus { bus in
                    for number in 0..<100 {
                        _ = try await bus.send(.deposit(1), to: "\(number % 3)", commandID: "\(number)")
                    }
                }
            }
            #expect(FileManager.default.fileExists(atPath: "\(folder)/\(fixture.shop.topic("events"))-0.snapshot"))
            // One that was given up in order has a snapshot of everything.
            let second = fixture.processor()
            try await withRunning({ try await second.run() }) {
                try await fixture.withBus { bus in
                    let again = try await bus.send(.deposit(1), to: "0", commandID: "99")
                    #expect(again.isRepetition)
                    let next = try await bus.send(.deposit(1), to: "0")
                    #expect(next.version == 35)
                }
            }
            #expect(second.status.restored == 0)
            #expect(second.status.entities == [:])
            // A damaged one is not used.
            let path = "\(folder)/\(fixture.shop.topic("events"))-0.snapshot"
            var bytes = [UInt8](try Data(contentsOf: URL(filePath: path)))
            bytes[bytes.count / 2] ^= 1
            try Data(bytes).write(to: URL(filePath: path))
            let third = fixture.processor()
            try await withRunning({ try await third.run() }) {
                try await fixture.withBus { bus in
                    let next = try await bus.send(.deposit(1), to: "0")
                    #expect(next.version == 36)
                }
            }
            #expect(third.status.restored == 101)
            #expect(try await self.balances(fixture) == ["0": 36, "1": 33, "2": 33])
        }
    }

    /// A snapshot of a topic that was deleted and made again.
    @Test func aSnapshotOfAnotherLogIsNotUsed() async throws {
        try await withTemporaryFolder { folder in
            var fixture = try await Fixture.make(partitions: 1)
            fixture.configuration.snapshots = EntitySnapshots(folder: folder, serde: .json())
            var other = try await Fixture.make(partitions: 1)
            other.configuration.snapshots = EntitySnapshots(folder: folder, serde: .json())
            for (fixture, amount) in [(fixture, 5), (other, 7)] {
                let processor = fixture.processor()
                try await withRunning({ try await processor.run() }) {
                    _ = try await fixture.withBus { bus in try await bus.send(.deposit(amount), to: "a") }
                }
            }
            func path(_ fixture: Fixture) -> String { "\(folder)/\(fixture.shop.topic("events"))-0.snapshot" }
            try FileManager.default.removeItem(atPath: path(other))
            try FileManager.default.moveItem(atPath: path(fixture), toPath: path(other))
            let processor = other.processor()
            try await withRunning({ try await processor.run() }) {
                _ = try await other.withBus { bus in try await bus.send(.withdraw(7), to: "a") }
            }
            #expect(processor.status.restored == 1)
            #expect(try await self.balances(other) == ["a": 0])
        }
    }

    /// Instances come and go while commands come in: each is handled once, and every sequence is whole.
    @Test func entitiesMoveBetweenInstances() async throws {
        let fixture = try await Fixture.make(partitions: 4)
        let steady = fixture.processor()
        try await withRunning({ try await steady.run() }) {
            try await fixture.withBus { bus in
                for round in 0..<3 {
                    let other = fixture.processor()
                    try await withRunning({ try await other.run() }) {
                        try await eventually("the other one has a share") { !other.status.entities.isEmpty }
                        try await withThrowingTaskGroup(of: Void.self) { group in
                            for number in 0..<200 {
                                group.addTask {
                                    let id = "\(number % 20)"
                                    _ = try await bus.send(.deposit(1), to: id, commandID: "\(round)-\(number)")
                                }
                            }
                            try await group.waitForAll()
                        }
                        // A reply may be there before it is counted.
                        try await eventually("the other one has handled some") { other.status.accepted > 0 }
                    }
                }
            }
        }
        let expected = Dictionary(uniqueKeysWithValues: (0..<20).map { ("\($0)", 30) })
        #expect(try await self.balances(fixture) == expected)
    }

    /// Ids are unique within their source, and a command may be sent to several entities.
    @Test func commandsOfOtherSourcesAndEntitiesAreOthers() async throws {
        let fixture = try await Fixture.make(partitions: 1)
        func command(_ source: String, _ entity: String) throws -> KafkaProducerRecord {
            let metadata = EventMetadata(id: "1", source: source, type: "deposit")
            let message = Message(key: entity, value: AccountCommand.deposit(1), metadata: metadata)
            return try fixture.commands.record(of: message, source: "/test")
        }
        let records = [
            try command("/a", "x"), try command("/b", "x"), try command("/a", "y"), try command("/a", "x"),
        ]
        for round in 1...2 {
            try await fixture.shop.send(records)
            let processor = fixture.processor()
            try await withRunning({ try await processor.run() }) {
                try await eventually("all are handled") {
                    processor.status.accepted + processor.status.repeated == 4
                }
            }
            #expect(processor.status.repeated == (round == 1 ? 1 : 4))
        }
        #expect(try await self.balances(fixture) == ["x": 2, "y": 1])
    }

    /// Events of another category on the same topic are another's; a hole in the own ones is told.
    @Test func sequencesAreChecked() async throws {
        let fixture = try await Fixture.make(partitions: 1)
        let event = try EventRegistry.accounts().encode(.deposited(5), source: "/test")
        func record(_ category: String, _ sequence: Int64) -> KafkaProducerRecord {
            EntityEventRecord.record(
                of: event,
                entity: EntityID(category, "a"),
                sequence: sequence,
                topic: fixture.shop.topic("events")
            )
        }
        try await fixture.shop.send([record("other", 7), record("account", 1)])
        let processor = fixture.processor()
        try await withRunning({ try await processor.run() }) {
            let outcome = try await fixture.withBus { try await $0.send(.deposit(1), to: "a") }
            #expect(outcome.version == 2)
        }
        try await fixture.shop.send([
            record("account", .max), try fixture.commands.record(of: Message(key: "a", value: .close), source: "/test"),
        ])
        let next = fixture.processor()
        let error = await #expect(throws: EntityProcessorError.self) { try await next.run() }
        #expect(error?.code == .restore)
    }

    // MARK: Misuse

    @Test func topicsThatDoNotMatchAreRefused() async throws {
        let fixture = try await Fixture.make()
        try await fixture.shop.cluster.createTopic(fixture.shop.topic("few"), partitions: 2)
        let processor = EntityProcessor(
            Account(),
            events: .accounts(),
            commands: fixture.commands,
            into: fixture.shop.topic("few"),
            configuration: fixture.configuration,
            logger: fixture.shop.logger
        )
        let error = await #expect(throws: EntityProcessorError.self) { try await processor.run() }
        #expect(error?.code == .configuration)
        #expect(error?.description.contains("must have the same number") == true)
    }

    @Test func eventsThatCannotBeReadAreAnError() async throws {
        let fixture = try await Fixture.make(partitions: 1)
        var record = try deposits(0..<1, to: fixture.shop.topic("events"))[0]
        record.value = Array("{}".utf8)
        try await fixture.shop.send([
            record, try fixture.commands.record(of: Message(key: "a", value: .deposit(1)), source: "/test"),
        ])
        let processor = fixture.processor()
        let error = await #expect(throws: EntityProcessorError.self) { try await processor.run() }
        #expect(error?.code == .restore)
    }
}

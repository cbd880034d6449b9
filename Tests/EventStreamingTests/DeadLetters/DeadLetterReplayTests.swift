import EmbeddedKafka
import EventStreaming
import KafkaClient
import Synchronization
import TestSupport
import Testing

@Suite(.timeLimit(.minutes(2)))
struct DeadLetterReplayTests {
    static let guarantees: [ProcessingGuarantee] = [.exactlyOnce, .atLeastOnce]

    /// Fails for values below 100 until it is mended, and collects what it handled.
    private final class Handler: Sendable {
        let isMended = Atomic<Bool>(false)
        let handled = Collected<Int>()

        func callAsFunction(_ message: ReceivedMessage<String, Int>, _ output: ProcessorOutput) async throws {
            let value = try message.value
            if value < 100, !self.isMended.load(ordering: .relaxed) {
                throw HandlerFailure(description: "low \(value)")
            }
            self.handled.append(value)
        }
    }

    private func configuration(_ fixture: ProcessorFixture, _ guarantee: ProcessingGuarantee) -> ProcessorConfiguration
    {
        var configuration = fixture.configuration(guarantee)
        configuration.retry = .never
        return configuration
    }

    @Test(arguments: guarantees)
    func aPoisonRecordIsReplayedAfterAFixWithItsBytes(guarantee: ProcessingGuarantee) async throws {
        let fixture = try await ProcessorFixture.make(partitions: 3)
        let poison = KafkaProducerRecord(
            topic: fixture.input.name,
            partition: 2,
            key: [0xFF, 0x00],
            value: [0xDE, 0xAD],
            headers: [KafkaHeader(key: "h", value: nil), KafkaHeader(key: "h", value: "2")]
        )
        try await fixture.fill([("a", 101)])
        try await fixture.send(poison)
        try await fixture.fill([("b", 102), ("a", 103)])
        let handler = Handler()
        let copies = Collected<KafkaRecord>()
        try await fixture.withProcessor(self.configuration(fixture, guarantee)) { message, output in
            if handler.isMended.load(ordering: .relaxed), message.record.key == poison.key {
                return copies.append(message.record.detached())
            }
            try await handler(message, output)
        } _: {
            try await eventually("the others go on") { handler.handled.count == 3 }
            let stored = try #require(try await fixture.letters(1, .outstanding).first)
            #expect(stored.letter?.errorType == "SerdeError")
            #expect(stored.letter?.partition == 2)
            #expect(try await fixture.letters.list(state: .replayed).isEmpty)

            handler.isMended.store(true, ordering: .relaxed)
            let replay = try await fixture.letters.replay()
            #expect(replay.replayed == 1)
            try await eventually("the copy is handled") { copies.count == 1 }
            let copy = copies.elements[0]
            #expect(copy.partition == 2)
            #expect(copy.value == poison.value)
            #expect(Array(copy.headers.prefix(2)) == poison.headers)
            #expect(DeadLetter(headers: copy.headers)?.replayOf == stored.position)
            // Its own headers are all that came to it.
            #expect(copy.headers.dropFirst(2).allSatisfy { $0.key.hasPrefix("kstream-dead-letter-") })

            let again = try await fixture.letters.replay()
            #expect(again.replayed == 0)
            #expect(again.replayedBefore == 1)
            let whole = try await fixture.letters.letter(
                partition: stored.record.partition,
                offset: stored.record.offset
            )
            #expect(whole.state == .replayed)
            #expect(whole.record == stored.record)
        }
        #expect(copies.count == 1)
    }

    @Test func lettersAreChosen() async throws {
        let fixture = try await ProcessorFixture.make(partitions: 2)
        try await fixture.fill((0..<12).map { ("k\($0 % 3)", $0) })
        let handler = Handler()
        try await fixture.withProcessor(self.configuration(fixture, .exactlyOnce)) { message, output in
            if try message.value == 7, !handler.isMended.load(ordering: .relaxed) {
                throw DeadlineExceeded(description: "late")
            }
            try await handler(message, output)
        } _: {
            let all = try await fixture.letters(12, .outstanding)
            handler.isMended.store(true, ordering: .relaxed)
            #expect(try await fixture.letters.list(.key("k1")).count == 4)
            #expect(try await fixture.letters.list(limit: 5).count == 5)

            let byType = try await fixture.letters.replay(.errorType("DeadlineExceeded"))
            #expect(byType.replayed == 1)
            #expect(byType.notMatching == 11)
            let byText = try await fixture.letters.replay(.errorText("low 1"))
            #expect(byText.replayed == 3)
            #expect(byText.notMatching == 9)
            let byKey = try await fixture.letters.replay(.key("k0"))
            #expect(byKey.replayed == 4)
            #expect(byKey.notMatching == 8)
            let last = try #require(try await fixture.letters.list(state: .outstanding).last)
            let one = try await fixture.letters.replay(
                .letter(partition: last.record.partition, offset: last.record.offset)
            )
            #expect(one.replayed == 1)
            let some = try await fixture.letters.replay(limit: 1)
            #expect(some.replayed == 1)
            #expect(some.replayedBefore == 9)
            #expect(some.beyondLimit == 2)
            let rest = try await fixture.letters.replay()
            #expect(rest.replayed == 2)
            #expect(rest.replayedBefore == 10)
            try await eventually("all are handled") { handler.handled.count == 12 }
            #expect(handler.handled.elements.sorted() == Array(0..<12))
            #expect(try await fixture.letters.list(state: .replayed).count == all.count)
        }
    }

    @Test(arguments: guarantees)
    func whatFailsAgainAndAgainIsRefusedUnlessForced(guarantee: ProcessingGuarantee) async throws {
        let fixture = try await ProcessorFixture.make()
        try await fixture.fill([("a", 1)])
        var letters = fixture.letters
        var configuration = DeadLetters.Configuration(bootstrapServers: fixture.cluster.bootstrapServers)
        configuration.maxCount = 3
        letters = DeadLetters(topic: fixture.deadLetters, configuration: configuration, logger: fixture.logger)
        let handler = Handler()
        try await fixture.withProcessor(self.configuration(fixture, guarantee), handler: handler.callAsFunction) {
            for count in 1...2 {
                let outstanding = try await fixture.letters(1, .outstanding)
                #expect(outstanding.map(\.letter?.count) == [count])
                #expect(try await letters.replay().replayed == 1)
                try await eventually("it fails again") {
                    try await letters.list().count == count + 1
                }
            }
            let refused = try await letters.replay()
            #expect(refused.replayed == 0)
            #expect(refused.refused == 1)
            #expect(refused.replayedBefore == 2)
            handler.isMended.store(true, ordering: .relaxed)
            #expect(try await letters.replay(isForced: true).replayed == 1)
            try await eventually("it is handled") { handler.handled.count == 1 }
            let stored = try await letters.list()
            #expect(stored.map(\.state) == [.replayed, .replayed, .replayed])
            #expect(stored[2].letter?.replaces == stored[1].position)
        }
    }

    @Test func recordsOfOthersAreToldAndLeftAlone() async throws {
        let fixture = try await ProcessorFixture.make()
        let foreign: [KafkaProducerRecord] = [
            KafkaProducerRecord(topic: fixture.deadLetters, key: "a", value: "by hand"),
            KafkaProducerRecord(topic: fixture.deadLetters, value: nil),
            KafkaProducerRecord(
                topic: fixture.deadLetters,
                value: "x",
                headers: [
                    KafkaHeader(key: "kstream-dead-letter-topic", value: nil),
                    KafkaHeader(key: "kstream-dead-letter-count", value: "99999999999999999999"),
                    KafkaHeader(key: "kstream-dead-letter-mark", value: "resolved"),
                    KafkaHeader(key: "kstream-dead-letter-marked", value: "no/place"),
                ]
            ),
        ]
        for record in foreign { try await fixture.send(record) }
        try await fixture.fill([("a", 1)])
        let handler = Handler()
        try await fixture.withProcessor(self.configuration(fixture, .exactlyOnce), handler: handler.callAsFunction) {
            _ = try await fixture.letters(1, .outstanding)
            let all = try await fixture.letters.list()
            #expect(all.map(\.state) == [.foreign, .foreign, .foreign, .outstanding])
            #expect(all.prefix(3).map(\.record.value) == foreign.map(\.value))
            let replay = try await fixture.letters.replay()
            #expect(replay.replayed == 1)
            #expect(replay.foreign == 3)
            #expect(try await fixture.letters.letter(partition: 0, offset: 1).state == .foreign)
        }
        await #expect {
            try await fixture.letters.letter(partition: 0, offset: 1_000)
        } throws: {
            ($0 as? DeadLetterError)?.code == .notFound
        }
    }

    /// A letter whose source is gone, or never was one, holds up no other.
    @Test func lettersOfTopicsThatAreGoneAreCounted() async throws {
        let fixture = try await ProcessorFixture.make()
        try await fixture.fill([("a", 1)])
        let handler = Handler()
        try await fixture.withProcessor(self.configuration(fixture, .exactlyOnce), handler: handler.callAsFunction) {
            let stored = try #require(try await fixture.letters(1, .outstanding).first)
            for name in ["gone-\(fixture.name)", "no topic/at all", fixture.deadLetters] {
                var headers = stored.record.headers
                headers.removeAll { $0.key == "kstream-dead-letter-topic" }
                headers.append(KafkaHeader(key: "kstream-dead-letter-topic", value: name))
                try await fixture.send(
                    KafkaProducerRecord(topic: fixture.deadLetters, key: "a", value: "1", headers: headers)
                )
            }
            let replay = try await fixture.letters.replay()
            #expect(replay.replayed == 1)
            #expect(replay.withoutTopic == 3)
        }
    }

    /// A replay that is killed between its copies and its commit leaves nothing behind but what the next one ends.
    @Test func aReplayThatIsInterruptedIsDoneOnce() async throws {
        let fixture = try await ProcessorFixture.make()
        try await fixture.fill((0..<5).map { ("k\($0)", $0) })
        let handler = Handler()
        try await fixture.withProcessor(self.configuration(fixture, .exactlyOnce), handler: handler.callAsFunction) {
            let stored = try await fixture.letters(5, .outstanding)
            handler.isMended.store(true, ordering: .relaxed)
            // What a replay does, up to a point where it is killed: its transaction stays open.
            var configuration = KafkaProducer.Configuration(bootstrapServers: fixture.cluster.bootstrapServers)
            configuration.transactionalID = "kstream-dead-letters-\(fixture.deadLetters)"
            try await withKafkaProducer(configuration, logger: fixture.logger) { killed in
                let isOpen = Atomic<Bool>(false)
                let zombie = Task {
                    try await killed.withTransaction { transaction in
                        for letter in stored {
                            try await transaction.send(
                                KafkaProducerRecord(
                                    topic: fixture.input.name,
                                    key: letter.record.key,
                                    value: letter.record.value,
                                    headers: letter.record.headers
                                )
                            )
                        }
                        isOpen.store(true, ordering: .relaxed)
                        try await eventually(within: .seconds(60), "the other replay is done") {
                            !isOpen.load(ordering: .relaxed)
                        }
                    }
                }
                try await eventually("the copies are sent") { isOpen.load(ordering: .relaxed) }
                let replay = try await fixture.letters.replay()
                #expect(replay.replayed == 5)
                isOpen.store(false, ordering: .relaxed)
                await #expect {
                    try await zombie.value
                } throws: {
                    ($0 as? KafkaError)?.code == .fenced
                }
            }
            let again = try await fixture.letters.replay()
            #expect(again.replayed == 0)
            #expect(again.replayedBefore == 5)
            try await eventually("all are handled") { handler.handled.count == 5 }
            #expect(handler.handled.elements.sorted() == Array(0..<5))
        }
        #expect(handler.handled.count == 5)
    }

    /// Two that run at the same time send each letter once: one of them is fenced or comes too late.
    @Test func replaysBesideEachOtherSendEachLetterOnce() async throws {
        let fixture = try await ProcessorFixture.make()
        try await fixture.fill((0..<50).map { ("k\($0)", $0) })
        let handler = Handler()
        try await fixture.withProcessor(self.configuration(fixture, .exactlyOnce), handler: handler.callAsFunction) {
            _ = try await fixture.letters(50, .outstanding)
            handler.isMended.store(true, ordering: .relaxed)
            var configuration = DeadLetters.Configuration(bootstrapServers: fixture.cluster.bootstrapServers)
            configuration.batchSize = 5
            let letters = DeadLetters(topic: fixture.deadLetters, configuration: configuration, logger: fixture.logger)
            await withTaskGroup(of: Void.self) { group in
                for _ in 0..<3 {
                    group.addTask { _ = try? await letters.replay() }
                }
            }
            _ = try await letters.replay()
            #expect(try await letters.replay().replayedBefore == 50)
            try await eventually("all are handled") { handler.handled.count >= 50 }
        }
        #expect(handler.handled.elements.sorted() == Array(0..<50))
    }

    @Test func aProcessorOfDeadLettersSendsNoneThere() async throws {
        let fixture = try await ProcessorFixture.make()
        try await fixture.cluster.createTopic("\(fixture.deadLetters).dead-letters", partitions: 1)
        let topic = Topic<String, Int>(fixture.deadLetters, key: .string, value: .decimal)
        let processor = Processor(fixture.configuration(.exactlyOnce), reading: [topic], logger: fixture.logger) {
            _,
            _ in
        }
        await #expect {
            try await processor.run()
        } throws: {
            guard let error = $0 as? ProcessorError else { return false }
            return error.code == .configuration && error.message.contains("dead letters of dead letters")
        }
        // Nor where its names say nothing: it stops.
        var configuration = fixture.configuration(.exactlyOnce)
        configuration.name += "-letters"
        configuration.consumer.group = configuration.name
        configuration.retry = .never
        let names = [fixture.input.name: fixture.deadLetters]
        let last = "\(fixture.deadLetters).dead-letters"
        configuration.deadLetters?.topic = { names[$0] ?? last }
        try await fixture.fill([("a", 1)])
        let handler = Handler()
        try await fixture.withProcessor(self.configuration(fixture, .exactlyOnce), handler: handler.callAsFunction) {
            _ = try await fixture.letters(1, .outstanding)
        }
        let second = Processor(configuration, reading: [topic], logger: fixture.logger, handler: handler.callAsFunction)
        await #expect {
            try await second.run()
        } throws: {
            ($0 as? ProcessorError)?.code == .stopped
        }
    }
}

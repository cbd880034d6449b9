import EmbeddedKafka
import EventStreaming
import KafkaClient
import Synchronization
import TestSupport
import Testing

@Suite(.timeLimit(.minutes(2)))
struct OrderedLettersTests {
    static let guarantees: [ProcessingGuarantee] = [.exactlyOnce, .atLeastOnce]

    /// Fails for the values it is told, and collects what it handled.
    private final class Handler: Sendable {
        let bad: Mutex<Set<Int>>
        let handled = Collected<(key: String, value: Int)>()

        init(bad: Set<Int>) {
            self.bad = Mutex(bad)
        }

        func callAsFunction(_ message: ReceivedMessage<String, Int>, _ output: ProcessorOutput) async throws {
            let value = try message.value
            if self.bad.withLock({ $0.contains(value) }) { throw HandlerFailure(description: "bad \(value)") }
            self.handled.append((try message.key, value))
        }

        func values(_ key: String) -> [Int] { self.handled.elements.filter { $0.key == key }.map(\.value) }
    }

    private func configuration(_ fixture: ProcessorFixture, _ guarantee: ProcessingGuarantee) -> ProcessorConfiguration
    {
        var configuration = fixture.configuration(guarantee)
        configuration.retry = .never
        configuration.deadLetters = .ordered
        configuration.producer.transactionalID = "\(fixture.name)-1"
        return configuration
    }

    /// Values of `a` with a bad one in the middle, between values of `b`.
    private func fill(_ fixture: ProcessorFixture, _ values: ClosedRange<Int>) async throws {
        try await fixture.fill(values.flatMap { [("a", $0), ("b", 100 + $0)] })
    }

    @Test(arguments: guarantees)
    func laterMessagesOfAKeyFollowItsLetterAndComeBackInOrder(guarantee: ProcessingGuarantee) async throws {
        let fixture = try await ProcessorFixture.make(partitions: 2)
        try await self.fill(fixture, 1...6)
        let handler = Handler(bad: [3])
        try await fixture.withProcessor(self.configuration(fixture, guarantee), handler: handler.callAsFunction) {
            try await eventually("others go on") { Set(handler.values("b")).count == 6 }
            let letters = try await fixture.letters(4, .outstanding)
            #expect(letters.count == 4)
            let head = letters[0]
            #expect(head.letter?.follows == nil)
            #expect(head.letter?.attempts == 1)
            for follower in letters.dropFirst() {
                #expect(follower.letter?.follows == head.position)
                #expect(follower.letter?.error == "bad 3")
                #expect(follower.letter?.attempts == 0)
                #expect(follower.record.partition == follower.letter?.partition)
            }
            #expect(handler.values("a") == [1, 2])

            // It fails again: all go behind it again.
            #expect(try await fixture.letters.replay().replayed == 4)
            let again = try await eventuallyLetters(fixture, all: 8)
            #expect(again.suffix(4).map(\.letter?.count) == [2, 1, 1, 1])
            #expect(again[4].letter?.replaces == head.position)
            #expect(again[5].letter?.follows == again[4].position)

            // One that follows stays where it is while its letter does.
            let alone = try await fixture.letters.replay(
                .letter(partition: again[5].record.partition, offset: again[5].record.offset)
            )
            #expect(alone.replayed == 0)
            #expect(alone.waiting == 1)

            handler.bad.withLock { $0 = [] }
            try await fixture.fill([("a", 7)])
            _ = try await fixture.letters(5, .outstanding)
            let replay = try await fixture.letters.replay(.errorText("bad 3"))
            #expect(replay.replayed == 5)
            try await eventually("all are handled") { handler.values("a").count == 7 }
            // The key is free.
            try await fixture.fill([("a", 8)])
            try await eventually("the next one is handled") { handler.values("a").count == 8 }
            #expect(handler.values("a") == Array(1...8))
            #expect(try await fixture.letters.list(state: .outstanding).isEmpty)
        }
    }

    private func eventuallyLetters(_ fixture: ProcessorFixture, all count: Int) async throws -> [StoredDeadLetter] {
        var found: [StoredDeadLetter] = []
        try await eventually("\(count) letters") {
            found = try await fixture.letters.list()
            return found.count >= count
        }
        return found
    }

    /// Each step in a processor of its own, which knows nothing but what is in the log.
    @Test(arguments: guarantees)
    func aKeyStaysBlockedWhenProcessorsComeAndGo(guarantee: ProcessingGuarantee) async throws {
        let fixture = try await ProcessorFixture.make(partitions: 2)
        let configuration = self.configuration(fixture, guarantee)
        let handler = Handler(bad: [2])
        try await self.fill(fixture, 1...3)
        try await fixture.withProcessor(configuration, handler: handler.callAsFunction) {
            _ = try await fixture.letters(2, .outstanding)
        }
        try await self.fill(fixture, 4...5)
        try await fixture.withProcessor(configuration, handler: handler.callAsFunction) {
            _ = try await fixture.letters(4, .outstanding)
            try await eventually("others go on") { Set(handler.values("b")).count == 5 }
        }
        #expect(handler.values("a") == [1])
        // Replayed while no processor is there; it fails again in the next one.
        #expect(try await fixture.letters.replay().replayed == 4)
        try await fixture.withProcessor(configuration, handler: handler.callAsFunction) {
            _ = try await fixture.letters(4, .outstanding)
        }
        handler.bad.withLock { $0 = [] }
        #expect(try await fixture.letters.replay().replayed == 4)
        try await self.fill(fixture, 6...7)
        try await fixture.withProcessor(configuration, handler: handler.callAsFunction) {
            try await eventually("all are handled") { Set(handler.values("a")).count == 7 }
        }
        // What a processor had handled when it was ended may not have been committed.
        #expect(handler.values("a").lastOfEach() == Array(1...7))
        #expect(try await fixture.letters.list(state: .outstanding).isEmpty)
        // And free it stays.
        try await self.fill(fixture, 8...8)
        try await fixture.withProcessor(configuration, handler: handler.callAsFunction) {
            try await eventually("all are handled") { handler.values("a").contains(8) }
        }
        #expect(handler.values("a").lastOfEach() == Array(1...8))
        #expect(try await fixture.letters.list(state: .outstanding).isEmpty)
    }

    /// A letter of a transaction that is aborted blocks nothing; its message is handled again.
    @Test func whatIsAbortedBlocksAndFreesNothing() async throws {
        let fixture = try await ProcessorFixture.make()
        var configuration = self.configuration(fixture, .exactlyOnce)
        configuration.errorAction = { ($0 as? HandlerFailure)?.description == "dies" ? .stop : .deadLetter }
        configuration.consumer.maxBatchRecords = 100
        try await fixture.fill([("a", 1), ("a", 2), ("b", 3)])
        let handler = Handler(bad: [1])
        let dying = fixture.processor(configuration) { message, output in
            if try message.value == 3 {
                try await eventually("the others have their letters") {
                    try await fixture.uncommitted(fixture.deadLetters) >= 2
                }
                throw HandlerFailure(description: "dies")
            }
            try await handler(message, output)
        }
        await #expect(throws: ProcessorError.self) { try await dying.run() }
        handler.bad.withLock { $0 = [] }
        try await fixture.withProcessor(configuration, handler: handler.callAsFunction) {
            try await eventually("all are handled") { handler.handled.count == 3 }
        }
        #expect(handler.values("a") == [1, 2])
        #expect(try await fixture.letters.list().isEmpty)
    }

    /// Makes the next record for the output fail, which aborts its transaction; the processor begins another one.
    private func fault(_ fixture: ProcessorFixture) -> EmbeddedKafkaFault {
        // Unknown producer id, after which the producer needs a new epoch (KIP-360).
        EmbeddedKafkaFault(.produce, .error(59), topic: fixture.output.name)
    }

    @Test func aKeyIsNotBlockedByALetterThatWasAborted() async throws {
        let fixture = try await ProcessorFixture.make()
        let fault = try await fixture.cluster.faults.add(self.fault(fixture))
        try await fixture.fill([("a", 1), ("a", 2), ("b", 3)])
        let handler = Handler(bad: [1])
        try await fixture.withProcessor(self.configuration(fixture, .exactlyOnce)) { message, output in
            if try message.value == 3 {
                try await eventually("the others have their letters") {
                    try await fixture.uncommitted(fixture.deadLetters) >= 2
                }
                handler.bad.withLock { $0 = [] }
                try output.send(Message(key: "b", value: 3), to: fixture.output)
            }
            try await handler(message, output)
        } _: {
            #expect(try await fixture.read(fixture.output.name, count: 1).count == 1)
            #expect(handler.values("a") == [1, 2])
            #expect(try await fault.count == 1)
            #expect(try await fixture.letters.list().isEmpty)
            try await fixture.fill([("a", 4)])
            try await eventually("the key is free") { handler.values("a") == [1, 2, 4] }
        }
    }

    @Test func aKeyIsNotFreedByACopyWhoseTransactionWasAborted() async throws {
        let fixture = try await ProcessorFixture.make()
        let configuration = self.configuration(fixture, .exactlyOnce)
        let handler = Handler(bad: [1])
        try await fixture.fill([("a", 1), ("a", 2)])
        try await fixture.withProcessor(configuration, handler: handler.callAsFunction) {
            _ = try await fixture.letters(2, .outstanding)
        }
        #expect(try await fixture.letters.replay().replayed == 2)
        try await fixture.fill([("b", 3)])
        let fault = try await fixture.cluster.faults.add(self.fault(fixture))
        handler.bad.withLock { $0 = [] }
        let before = try await fixture.uncommitted(fixture.deadLetters)
        try await fixture.withProcessor(configuration) { message, output in
            if try message.value == 3 {
                if handler.handled.count < 3 {
                    try await eventually("the copies are processed") { handler.values("a") == [1, 2] }
                    handler.bad.withLock { $0 = [1] }
                }
                try output.send(Message(key: "b", value: 3), to: fixture.output)
            }
            try await handler(message, output)
        } _: {
            // The second time the first copy fails.
            #expect(try await fixture.read(fixture.output.name, count: 1).count == 1)
            #expect(try await fault.count == 1)
            let letters = try await fixture.letters(2, .outstanding)
            #expect(letters.map(\.letter?.count) == [2, 1])
            #expect(letters.allSatisfy { $0.record.offset >= before })
            handler.bad.withLock { $0 = [] }
            #expect(try await fixture.letters.replay().replayed == 2)
            try await eventually("all are handled") { handler.values("a") == [1, 2, 1, 2] }
        }
    }

    /// Who reads the same topics under another name gets the copies too, and says nothing of the letters.
    @Test func anotherProcessorLeavesLettersAlone() async throws {
        let fixture = try await ProcessorFixture.make()
        let configuration = self.configuration(fixture, .exactlyOnce)
        var other = configuration
        other.name += "-other"
        other.consumer.group = other.name
        other.producer.transactionalID = other.name
        let handler = Handler(bad: [1])
        try await fixture.fill([("a", 1), ("a", 2), ("a", 3)])
        try await fixture.withProcessor(configuration, handler: handler.callAsFunction) {
            _ = try await fixture.letters(3, .outstanding)
        }
        #expect(try await fixture.letters.replay().replayed == 3)
        try await fixture.withProcessor(other) { message, output in
            try output.send(Message(key: "a", value: try message.value), to: fixture.output)
        } _: {
            // It gets the copies as well.
            _ = try await fixture.read(fixture.output.name, count: 6)
        }
        handler.bad.withLock { $0 = [] }
        try await fixture.withProcessor(configuration, handler: handler.callAsFunction) {
            try await eventually("all are handled") { handler.values("a").count >= 3 }
        }
        #expect(handler.values("a").lastOfEach() == [1, 2, 3])
    }

    /// Two instances share partitions, one comes and goes while letters are written, replayed and fail again.
    @Test(arguments: guarantees)
    func orderHoldsWhilePartitionsMove(guarantee: ProcessingGuarantee) async throws {
        let fixture = try await ProcessorFixture.make(partitions: 4)
        let keys = (0..<8).map { "k\($0)" }
        let handler = Handler(bad: Set((0..<8).map { $0 * 1_000 + 5 }))
        var first = self.configuration(fixture, guarantee)
        first.consumer.maxBatchRecords = 20
        var second = first
        second.producer.transactionalID = "\(fixture.name)-2"
        let visitor = fixture.processor(second, handler.callAsFunction)
        try await fixture.withProcessor(first, handler: handler.callAsFunction) {
            for round in 0..<4 {
                let visit = Task { try await visitor.run() }
                let values = round * 10..<round * 10 + 10
                try await fixture.fill(values.flatMap { value in keys.indices.map { (keys[$0], $0 * 1_000 + value) } })
                try await eventually("it has partitions") { visitor.status.isReady }
                if round == 2 { handler.bad.withLock { $0 = [] } }
                _ = try? await fixture.letters.replay(isForced: true)
                visit.cancel()
                try await visit.value
            }
            // Handlers of transactions that were aborted have run, too, and run again: what counts is the order of those that
            // came last, when they have.
            try await eventually(within: .seconds(90), "all are handled") {
                _ = try? await fixture.letters.replay(isForced: true)
                let outstanding = try await fixture.letters.list(state: .outstanding)
                return outstanding.isEmpty && Set(handler.handled.elements.map(\.value)).count == 320
                    && keys.indices.allSatisfy { handler.values(keys[$0]).lastOfEach().last == $0 * 1_000 + 39 }
            }
        }
        for (index, key) in keys.enumerated() {
            #expect(handler.values(key).lastOfEach() == (0..<40).map { index * 1_000 + $0 }, "\(key)")
        }
        #expect(try await fixture.letters.list(state: .outstanding).isEmpty)
    }

    @Test func theTopicForDeadLettersNeedsAsManyPartitions() async throws {
        let fixture = try await ProcessorFixture.make(partitions: 3, hasDeadLetterTopic: false)
        try await fixture.cluster.createTopic(fixture.deadLetters, partitions: 2)
        await #expect {
            try await fixture.processor(self.configuration(fixture, .exactlyOnce)) { _, _ in }.run()
        } throws: {
            guard let error = $0 as? ProcessorError else { return false }
            return error.code == .configuration && error.message.contains("has 2 partitions")
        }
    }

    @Test func moreLettersThanMayWaitStopTheProcessor() async throws {
        let fixture = try await ProcessorFixture.make()
        try await fixture.fill((1...6).map { ("a", $0) })
        var configuration = self.configuration(fixture, .atLeastOnce)
        configuration.deadLetters?.maxWaiting = 3
        let handler = Handler(bad: [1])
        for _ in 0..<2 {
            await #expect {
                try await fixture.processor(configuration, handler.callAsFunction).run()
            } throws: {
                guard let error = $0 as? ProcessorError else { return false }
                return error.code == .stopped && error.message.contains("maxWaiting")
            }
        }
    }

    /// What the owner before left in an open transaction is waited for, and not missed.
    @Test func lettersOfATransactionThatIsOpenAreWaitedFor() async throws {
        let fixture = try await ProcessorFixture.make()
        let configuration = self.configuration(fixture, .exactlyOnce)
        let handler = Handler(bad: [1])
        try await fixture.fill([("a", 1)])
        try await fixture.withProcessor(configuration, handler: handler.callAsFunction) {
            _ = try await fixture.letters(1, .outstanding)
        }
        let letter = try #require(try await fixture.letters.list().first)
        var producer = KafkaProducer.Configuration(bootstrapServers: fixture.cluster.bootstrapServers)
        producer.transactionalID = "\(fixture.name)-other"
        try await withKafkaProducer(producer, logger: fixture.logger) { other in
            let listed = Collected<Int>()
            var listing: Task<Void, any Error>?
            try await other.withTransaction { transaction in
                try await transaction.send(
                    KafkaProducerRecord(
                        topic: fixture.deadLetters,
                        key: "b",
                        value: "1",
                        headers: letter.record.headers
                    )
                )
                listing = Task { listed.append(try await fixture.letters.list().count) }
                let end = ContinuousClock.now + .milliseconds(500)
                try await eventually("a moment") { ContinuousClock.now >= end }
                #expect(listed.elements.isEmpty)
            }
            try await listing?.value
            #expect(listed.elements == [2])
        }
    }
}

extension Array where Element: Hashable {
    /// Of elements that are equal the last.
    fileprivate func lastOfEach() -> [Element] {
        var seen: Set<Element> = []
        return self.reversed().filter { seen.insert($0).inserted }.reversed()
    }
}

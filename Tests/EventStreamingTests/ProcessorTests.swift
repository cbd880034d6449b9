import EventStreaming
import KafkaClient
import Synchronization
import TestSupport
import Testing

@Suite(.timeLimit(.minutes(2)))
struct ProcessorTests {
    static let guarantees: [ProcessingGuarantee] = [.exactlyOnce, .atLeastOnce]

    @Test(arguments: guarantees)
    func eachMessageIsAnsweredOnceWithItsCorrelation(guarantee: ProcessingGuarantee) async throws {
        let fixture = try await ProcessorFixture.make(partitions: 3)
        try await fixture.fill((0..<300).map { ("k\($0 % 17)", $0) })
        try await fixture.withProcessor(fixture.configuration(guarantee)) { message, output in
            let value = try message.value
            try output.send(Message(key: try message.key, value: value * 2), to: fixture.output)
        } _: {
            let answers = try await fixture.read(fixture.output.name, count: 300)
            let values = try answers.map { try fixture.output.value.decode($0.value) }
            #expect(values.sorted() == (0..<300).map { $0 * 2 })
            let questions = try await fixture.read(fixture.input.name, count: 300)
            var ids: [Int: String] = [:]
            for question in questions {
                let metadata = try #require(EventMetadata(headers: question.headers))
                ids[try fixture.input.value.decode(question.value) * 2] = metadata.id
            }
            for answer in answers {
                let metadata = try #require(EventMetadata(headers: answer.headers))
                let cause = ids[try fixture.output.value.decode(answer.value)]
                #expect(metadata.causationID == cause)
                #expect(metadata.correlationID == cause)
                #expect(metadata.source == fixture.name)
                #expect(metadata.type == "Int")
                #expect(metadata.contentType == "text/plain; charset=utf-8")
            }
        }
    }

    @Test(arguments: guarantees)
    func messagesOfAKeyAreHandledInTheirOrder(guarantee: ProcessingGuarantee) async throws {
        let fixture = try await ProcessorFixture.make()
        try await fixture.fill((0..<200).map { ("k\($0 % 5)", $0) })
        let running = Mutex<(now: [String: Int], most: Int)>(([:], 0))
        let handled = Collected<(key: String, value: Int)>()
        try await fixture.withProcessor(fixture.configuration(guarantee)) { message, _ in
            let key = try message.key
            let isAlone = running.withLock { running in
                running.now[key, default: 0] += 1
                running.most = max(running.most, running.now.values.reduce(0, +))
                return running.now[key] == 1
            }
            #expect(isAlone, "\(key) is being handled")
            await Task.yield()
            handled.append((key, try message.value))
            running.withLock { $0.now[key, default: 0] -= 1 }
        } _: {
            try await eventually("all are handled") { handled.count == 200 }
        }
        for (_, values) in Dictionary(grouping: handled.elements, by: \.key) {
            #expect(values.map(\.value) == values.map(\.value).sorted())
        }
        #expect(running.withLock { $0.most } > 1, "keys are handled beside each other")
    }

    @Test(arguments: guarantees)
    func anErrorThatPassesLeavesNothingBehind(guarantee: ProcessingGuarantee) async throws {
        let fixture = try await ProcessorFixture.make()
        try await fixture.fill([("a", 1), ("a", 2), ("a", 3)])
        let attempts = Mutex<[Int: Int]>([:])
        try await fixture.withProcessor(fixture.configuration(guarantee)) { message, output in
            let value = try message.value
            try output.send(Message(key: try message.key, value: value), to: fixture.output)
            let attempt = attempts.withLock { attempts in
                attempts[value, default: 0] += 1
                return attempts[value] ?? 0
            }
            if value == 2, attempt < 4 { throw HandlerFailure(description: "attempt \(attempt)") }
        } _: {
            let answers = try await fixture.read(fixture.output.name, count: 3)
            #expect(try answers.map { try fixture.output.value.decode($0.value) } == [1, 2, 3])
        }
        #expect(attempts.withLock { $0 } == [1: 1, 2: 4, 3: 1])
    }

    @Test(arguments: guarantees)
    func whatCannotBeProcessedIsADeadLetter(guarantee: ProcessingGuarantee) async throws {
        let fixture = try await ProcessorFixture.make()
        try await fixture.fill([("a", 1)])
        let poison = KafkaProducerRecord(
            topic: fixture.input.name,
            key: [0xFF, 0x00],
            value: [0xDE, 0xAD],
            headers: [KafkaHeader(key: "h", value: nil), KafkaHeader(key: "h", value: "2")],
            timestamp: KafkaTimestamp(millisecondsSince1970: 1_291_191_960_000)
        )
        try await fixture.send(poison)
        try await fixture.send(KafkaProducerRecord(topic: fixture.input.name, key: "a", value: nil))
        try await fixture.fill([("a", 13), ("a", 2)])
        try await fixture.withProcessor(fixture.configuration(guarantee)) { message, output in
            let value = try message.value
            if value == 13 { throw HandlerFailure(description: "unlucky") }
            try output.send(Message(key: try message.key, value: value), to: fixture.output)
        } _: {
            let answers = try await fixture.read(fixture.output.name, count: 2)
            #expect(try answers.map { try fixture.output.value.decode($0.value) } == [1, 2])
            let letters = try await fixture.read(fixture.deadLetters, count: 3)
            let told = Dictionary(
                try letters.map { record in (try #require(DeadLetter(headers: record.headers)).offset, record) }
            ) { first, _ in first }
            #expect(told.keys.sorted() == [1, 2, 3])

            let unreadable = try #require(told[1])
            #expect(unreadable.key == poison.key)
            #expect(unreadable.value == poison.value)
            #expect(Array(unreadable.headers.prefix(2)) == poison.headers)
            let letter = try #require(DeadLetter(headers: unreadable.headers))
            #expect(letter.topic == fixture.input.name)
            #expect(letter.partition == 0)
            #expect(letter.processor == fixture.name)
            #expect(letter.error == "can't read Int: the bytes are not a decimal number")
            #expect(letter.errorType == "SerdeError")
            #expect(letter.attempts == 1, "trying again would not help")
            #expect(letter.count == 1)
            #expect(letter.time?.description == "2010-12-01T08:26:00Z")
            #expect(letter.firstTime <= letter.lastTime)

            let tombstone = try #require(told[2])
            #expect(tombstone.value == nil)
            let unlucky = try #require(told[3].flatMap { DeadLetter(headers: $0.headers) })
            #expect(unlucky.error == "unlucky")
            #expect(unlucky.attempts == 5)
        }
    }

    /// One that was replayed and fails again keeps the beginning of its story, and no header twice.
    @Test func aDeadLetterThatFailsAgainIsCounted() async throws {
        let fixture = try await ProcessorFixture.make()
        try await fixture.send(KafkaProducerRecord(topic: fixture.input.name, key: "a", value: "x"))
        try await fixture.withProcessor(fixture.configuration(.exactlyOnce)) { message, _ in
            _ = try message.value
        } _: {
            let first = try #require(try await fixture.read(fixture.deadLetters, count: 1).first)
            let replayed = KafkaProducerRecord(
                topic: fixture.input.name,
                key: first.key,
                value: first.value,
                headers: first.headers
            )
            try await fixture.send(replayed)
            let second = try #require(try await fixture.read(fixture.deadLetters, count: 2).last)
            let before = try #require(DeadLetter(headers: first.headers))
            let after = try #require(DeadLetter(headers: second.headers))
            #expect(after.count == 2)
            #expect(after.offset == 1)
            #expect(after.firstTime == before.firstTime)
            #expect(second.headers.count == first.headers.count)
        }
    }

    @Test(arguments: guarantees)
    func whatStopsTheProcessorIsNotProcessed(guarantee: ProcessingGuarantee) async throws {
        let fixture = try await ProcessorFixture.make()
        try await fixture.fill([("a", 1), ("a", 2), ("a", 3)])
        var configuration = fixture.configuration(guarantee)
        configuration.errorAction = { $0 is HandlerFailure ? .stop : .standard($0) }
        let failing = fixture.processor(configuration) { message, output in
            let value = try message.value
            if value == 2 { throw HandlerFailure(description: "no disk") }
            try output.send(Message(key: try message.key, value: value), to: fixture.output)
        }
        await #expect {
            try await failing.run()
        } throws: { error in
            guard let error = error as? ProcessorError else { return false }
            return error.code == .stopped && error.message.contains("\(fixture.input.name)[0]@1")
                && error.message.contains("no disk") && (error.cause as? HandlerFailure) != nil
        }
        try await fixture.withProcessor(configuration) { message, output in
            try output.send(Message(key: try message.key, value: try message.value), to: fixture.output)
        } _: {
            // At least once, what was done before the failure is committed.
            let answers = try await fixture.read(fixture.output.name, count: 3)
            #expect(try answers.map { try fixture.output.value.decode($0.value) } == [1, 2, 3])
        }
    }

    /// Instances that die by an error in the middle of a batch leave no output of it.
    @Test func eachMessageHasItsEffectOnceAlthoughInstancesFail() async throws {
        let fixture = try await ProcessorFixture.make(partitions: 2)
        try await fixture.fill((0..<400).map { ("k\($0 % 7)", $0) })
        var configuration = fixture.configuration(.exactlyOnce)
        configuration.errorAction = { _ in .stop }
        configuration.consumer.maxBatchRecords = 20
        configuration.producer.transactionalID = "\(fixture.name)-1"
        let failures = Atomic<Int>(0)
        let calls = Atomic<Int>(0)
        for _ in 0..<5 {
            let processor = fixture.processor(configuration) { message, output in
                if calls.add(1, ordering: .relaxed).newValue % 53 == 0 { throw HandlerFailure(description: "dies") }
                try output.send(Message(key: try message.key, value: try message.value), to: fixture.output)
            }
            do {
                try await processor.run()
            } catch let error as ProcessorError where error.code == .stopped {
                failures.add(1, ordering: .relaxed)
            }
        }
        #expect(failures.load(ordering: .relaxed) == 5)
        try await fixture.withProcessor(configuration) { message, output in
            try output.send(Message(key: try message.key, value: try message.value), to: fixture.output)
        } _: {
            let answers = try await fixture.read(fixture.output.name, count: 400)
            #expect(try answers.map { try fixture.output.value.decode($0.value) }.sorted() == Array(0..<400))
        }
    }

    @Test(arguments: guarantees)
    func anOutputThatIsTooLargeIsTheFailureOfItsMessage(guarantee: ProcessingGuarantee) async throws {
        let fixture = try await ProcessorFixture.make()
        let texts = Topic<String, String>(fixture.output.name, key: .string, value: .string)
        try await fixture.fill((0..<10).map { ("k\($0)", $0) })
        try await fixture.withProcessor(fixture.configuration(guarantee)) { message, output in
            let value = try message.value
            try output.send(Message(key: try message.key, value: "\(value)"), to: texts)
            let large = String(repeating: "x", count: value == 5 ? 2_000_000 : 1)
            try output.send(Message(key: try message.key, value: large), to: texts)
        } _: {
            let letter = try #require(try await fixture.letters(1, .outstanding).first)
            #expect(letter.record.key == Array("k5".utf8))
            #expect(letter.letter?.error.contains("`maxMessageBytes` is 1000000") == true)
            // Of the message that failed there is nothing, also not what was sent first.
            let sent = try await fixture.read(fixture.output.name, count: 18)
            #expect(!sent.contains { $0.key == Array("k5".utf8) })
        }
    }

    @Test func withoutDeadLettersItStops() async throws {
        let fixture = try await ProcessorFixture.make(hasDeadLetterTopic: false)
        try await fixture.send(KafkaProducerRecord(topic: fixture.input.name, key: "a", value: "x"))
        var configuration = fixture.configuration(.exactlyOnce)
        configuration.deadLetters = nil
        await #expect {
            try await fixture.processor(configuration) { message, _ in _ = try message.value }.run()
        } throws: {
            ($0 as? ProcessorError)?.code == .stopped
        }
    }

    @Test func aTopicForDeadLettersMustExist() async throws {
        try await withStrictCluster { cluster in
            let fixture = try await ProcessorFixture.make(hasDeadLetterTopic: false, on: cluster)
            await #expect {
                try await fixture.processor(fixture.configuration(.exactlyOnce)) { _, _ in }.run()
            } throws: {
                guard let error = $0 as? ProcessorError else { return false }
                return error.code == .configuration && error.message.contains(fixture.deadLetters)
            }
        }
    }

    @Test func configurationsThatCannotWorkAreRefused() async throws {
        func problem(_ change: (inout ProcessorConfiguration) -> Void) async -> String? {
            var configuration = ProcessorConfiguration(name: "p", bootstrapServers: ["127.0.0.1:1"])
            change(&configuration)
            let topic = Topic<String, Int>("in", key: .string, value: .decimal)
            do {
                try await Processor(configuration, reading: [topic]) { _, _ in }.run()
                return nil
            } catch {
                return (error as? ProcessorError)?.message
            }
        }
        #expect(await problem { $0.name = "" } == "`name` is empty")
        #expect(await problem { $0.concurrency = 0 }?.hasPrefix("`concurrency` is 0") == true)
        #expect(await problem { $0.retry.attempts = 0 }?.hasPrefix("`retry`: `attempts`") == true)
        #expect(await problem { $0.retry.attempts = 100 }?.contains("maxPollInterval") == true)
        #expect(await problem { $0.retry.attempts = 15 }?.contains("transactionTimeout") == true)
        #expect(await problem { $0.deadLetters = DeadLetterPolicy(topic: "in") }?.contains("reads itself") == true)
    }
}

import EmbeddedKafka
import KafkaClient
import Synchronization
import TestSupport
import Testing

@testable import EventStreaming

@Suite(.timeLimit(.minutes(2)))
struct RetryTopicsTests {
    static let guarantees: [ProcessingGuarantee] = [.exactlyOnce, .atLeastOnce]

    private struct Attempt: Sendable {
        var value: Int
        var time: UTCTime
        var retry: MessageRetry?
        var record: KafkaRecord
    }

    private func configuration(
        _ fixture: ProcessorFixture,
        _ guarantee: ProcessingGuarantee,
        delays: [Duration]
    ) async throws -> ProcessorConfiguration {
        var configuration = fixture.configuration(guarantee)
        configuration.retry.attempts = 2
        configuration.retryTopics = RetryTopics(delays: delays)
        for delay in delays {
            try await fixture.cluster.createTopic(
                "\(fixture.input.name).retry.\(RetryTopics.name(of: delay))",
                partitions: 2
            )
        }
        return configuration
    }

    /// Its handler had come to the end of the body, and failed after it: what the body had sent was not sent.
    @Test(arguments: guarantees)
    func aMessageThatIsRetriedIsNoRepetition(guarantee: ProcessingGuarantee) async throws {
        let fixture = try await ProcessorFixture.make()
        var configuration = try await self.configuration(fixture, guarantee, delays: [.milliseconds(100)])
        configuration.retry.attempts = 1
        let store = MemoryDeduplicationStore()
        try await fixture.fill([("a", 1), ("b", 2)])
        try await fixture.withProcessor(configuration) { message, output in
            try await message.once(in: store) {
                try output.send(Message(key: try message.key, value: try message.value), to: fixture.output)
            }
            if message.retry == nil, try message.value == 1 { throw HandlerFailure(description: "unlucky") }
        } _: {
            let sent = try await fixture.read(fixture.output.name, count: 2)
            #expect(sent.map(\.key) == [Array("b".utf8), Array("a".utf8)])
        }
    }

    @Test(arguments: guarantees)
    func aMessageWaitsInEachTopicAndIsADeadLetterThen(guarantee: ProcessingGuarantee) async throws {
        let fixture = try await ProcessorFixture.make(partitions: 2)
        let delays = [Duration.milliseconds(400), .milliseconds(900)]
        let configuration = try await self.configuration(fixture, guarantee, delays: delays)
        try await fixture.fill([("a", 1)])
        let poison = KafkaProducerRecord(
            topic: fixture.input.name,
            partition: 1,
            key: "p",
            value: "13",
            headers: [KafkaHeader(key: "h", value: nil), KafkaHeader(key: "h", value: "2")],
            timestamp: KafkaTimestamp(millisecondsSince1970: 1_291_191_960_000)
        )
        try await fixture.send(poison)
        try await fixture.fill([("a", 2), ("p", 3)])
        let attempts = Collected<Attempt>()
        try await fixture.withProcessor(configuration) { message, output in
            let value = try message.value
            attempts.append(Attempt(value: value, time: .now, retry: message.retry, record: message.record.detached()))
            if value == 13 { throw HandlerFailure(description: "unlucky") }
            try output.send(Message(key: try message.key, value: value), to: fixture.output)
        } _: {
            let letter = try #require(try await fixture.letters(1, .outstanding).first)
            let told = try #require(letter.letter)
            #expect(told.topic == fixture.input.name)
            #expect(told.partition == 1)
            #expect(told.offset == 0)
            #expect(told.attempts == 4)
            #expect(told.error == "unlucky")
            #expect(told.time?.description == "2010-12-01T08:26:00Z")
            #expect(letter.record.key == poison.key)
            #expect(letter.record.value == poison.value)
            #expect(Array(letter.record.headers.prefix(2)) == poison.headers)
            #expect(letter.record.headers.allSatisfy { !$0.key.hasPrefix("kstream-retry-") })
            #expect(try await fixture.read(fixture.output.name, count: 3).count == 3, "others do not wait")
        }
        let poisoned = attempts.elements.filter { $0.value == 13 }
        #expect(poisoned.map(\.retry?.attempts) == [nil, nil, 2, 3])
        for (attempt, delay) in zip(poisoned.dropFirst(2), delays) {
            let retry = try #require(attempt.retry)
            #expect(retry.topic == fixture.input.name)
            #expect(retry.partition == 1)
            #expect(retry.offset == 0)
            #expect(retry.error == "unlucky")
            #expect(retry.firstTime == poisoned.last?.retry?.firstTime)
            #expect(attempt.time >= retry.dueTime, "not before it is due")
            #expect(Array(attempt.record.headers.prefix(2)) == poison.headers)
            let before = try #require(poisoned.last { $0.time < attempt.time })
            let waited = attempt.time.millisecondsSince1970 - before.time.millisecondsSince1970
            #expect(waited >= RetryTopics.milliseconds(delay))
        }
    }

    @Test(arguments: guarantees)
    func whatPassesIsProcessedOnce(guarantee: ProcessingGuarantee) async throws {
        let fixture = try await ProcessorFixture.make(partitions: 2)
        let configuration = try await self.configuration(fixture, guarantee, delays: [.milliseconds(200)])
        try await fixture.fill((0..<60).map { ("k\($0 % 7)", $0) })
        try await fixture.withProcessor(configuration) { message, output in
            let value = try message.value
            if value % 3 == 0, message.retry == nil { throw HandlerFailure(description: "not yet") }
            try output.send(Message(key: try message.key, value: value), to: fixture.output)
        } _: {
            let answers = try await fixture.read(fixture.output.name, count: 60)
            let values = try answers.map { try fixture.output.value.decode($0.value) }
            #expect(values.sorted() == Array(0..<60))
            // Metadata says what came of what, through the retry topic.
            #expect(answers.allSatisfy { EventMetadata(headers: $0.headers)?.causationID != nil })
        }
        #expect(try await fixture.letters.list().isEmpty)
    }

    /// What waits when the processor ends is handled by the next one, and not before it is due.
    @Test(arguments: guarantees)
    func waitingSurvivesARestart(guarantee: ProcessingGuarantee) async throws {
        let fixture = try await ProcessorFixture.make()
        let configuration = try await self.configuration(fixture, guarantee, delays: [.seconds(8)])
        try await fixture.fill([("a", 1), ("b", 2)])
        let attempts = Collected<Attempt>()
        let handler: ProcessorInput.Handler<String, Int> = { message, _ in
            let attempt = Attempt(
                value: try message.value,
                time: .now,
                retry: message.retry,
                record: message.record.detached()
            )
            attempts.append(attempt)
            if attempt.retry == nil { throw HandlerFailure(description: "not yet") }
        }
        var ending = UTCTime.now
        try await fixture.withProcessor(configuration, handler: handler) {
            _ = try await fixture.read("\(fixture.input.name).retry.8s", count: 2)
            ending = .now
        }
        #expect(
            attempts.elements.allSatisfy { $0.retry.map { $0.dueTime <= ending } ?? true },
            "the end does not wait for what is not due"
        )
        try await fixture.withProcessor(configuration, handler: handler) {
            try await eventually("both are retried") { attempts.elements.count { $0.retry != nil } == 2 }
        }
        for attempt in attempts.elements {
            if let retry = attempt.retry { #expect(attempt.time >= retry.dueTime) }
        }
    }

    /// A partition that is waited for can be taken away at once.
    @Test func waitingHoldsUpNoRebalance() async throws {
        let fixture = try await ProcessorFixture.make()
        let configuration = try await self.configuration(fixture, .exactlyOnce, delays: [.seconds(60)])
        try await fixture.fill((0..<20).map { ("k\($0)", $0) })
        let retryTopic = "\(fixture.input.name).retry.1m"
        try await fixture.withProcessor(configuration) { _, _ in
            throw HandlerFailure(description: "not yet")
        } _: {
            _ = try await fixture.read(retryTopic, count: 20)
            var member = KafkaConsumer.Configuration(
                bootstrapServers: fixture.cluster.bootstrapServers,
                group: "\(fixture.name).retry.1m"
            )
            member.heartbeatInterval = .milliseconds(100)
            member.sessionTimeout = .seconds(6)
            let start = ContinuousClock.now
            try await withKafkaConsumer(member, subscribedTo: [retryTopic], logger: fixture.logger) { consumer in
                let reader = Task { for try await _ in consumer.records {} }
                try await eventually("it gets a partition") { consumer.assignment.count == 1 }
                reader.cancel()
            }
            // What waits does so for a minute.
            #expect(start.duration(to: .now) < .seconds(40))
        }
    }

    /// Records that lack the headers, or have nonsense in them, are handled like any other.
    @Test(arguments: guarantees)
    func nonsenseInRetryTopicsIsHandledInTime(guarantee: ProcessingGuarantee) async throws {
        let fixture = try await ProcessorFixture.make()
        let configuration = try await self.configuration(fixture, guarantee, delays: [.milliseconds(300)])
        let topic = "\(fixture.input.name).retry.300ms"
        try await fixture.send(KafkaProducerRecord(topic: topic, key: "a", value: "1"))
        var headers = [
            "topic": fixture.input.name, "partition": "0", "offset": "0", "attempts": "9223372036854775807",
            "error": "e",
            "first-time": "2026-01-01T00:00:00Z", "due-time": "9999-12-31T23:59:59Z",
        ].map { KafkaHeader(key: "kstream-retry-\($0)", value: $1) }
        try await fixture.send(KafkaProducerRecord(topic: topic, key: "a", value: "2", headers: headers))
        headers.append(KafkaHeader(key: "kstream-retry-partition", value: "-5"))
        try await fixture.send(KafkaProducerRecord(topic: topic, key: "a", value: "3", headers: headers))
        headers.append(KafkaHeader(key: "kstream-retry-topic", value: [0xFF]))
        try await fixture.send(KafkaProducerRecord(topic: topic, value: nil, headers: headers))
        try await fixture.withProcessor(configuration) { message, _ in
            throw HandlerFailure(description: "\(try message.value)")
        } _: {
            let letters = try await fixture.letters(4, .outstanding)
            #expect(Set(letters.map(\.letter?.errorType)) == ["HandlerFailure", "SerdeError"])
        }
    }

    @Test func retryTopicsMustExist() async throws {
        try await withStrictCluster { cluster in
            let fixture = try await ProcessorFixture.make(on: cluster)
            var configuration = fixture.configuration(.exactlyOnce)
            configuration.retryTopics = RetryTopics(delays: [.seconds(5)])
            await #expect {
                try await fixture.processor(configuration) { _, _ in }.run()
            } throws: {
                guard let error = $0 as? ProcessorError else { return false }
                return error.code == .configuration && error.message.contains("\(fixture.input.name).retry.5s")
            }
        }
    }

    @Test func namesOfDelays() {
        let names: [(Duration, String)] = [
            (.milliseconds(250), "250ms"), (.seconds(5), "5s"), (.seconds(60), "1m"), (.seconds(90), "90s"),
            (.seconds(3_600), "1h"), (.seconds(86_400), "1d"), (.nanoseconds(1), "1ms"),
        ]
        for (delay, name) in names { #expect(RetryTopics.name(of: delay) == name) }
    }

    @Test func topicsThatGoRoundInCirclesAreRefused() {
        func problem(
            _ inputs: [String] = ["in"],
            letters: DeadLetterPolicy? = DeadLetterPolicy(),
            _ change: (inout RetryTopics) -> Void
        ) -> String? {
            var topics = RetryTopics()
            change(&topics)
            return topics.problem(inputs: inputs, deadLetters: letters)
        }
        #expect(problem { _ in } == nil)
        #expect(problem { $0.delays = [] }?.contains("0 delays") == true)
        #expect(problem { $0.delays = [.zero] }?.contains("from a millisecond") == true)
        #expect(problem { $0.delays = [.seconds(60), .milliseconds(60_000)] }?.contains("twice") == true)
        #expect(problem { $0.retry.attempts = 0 }?.contains("`retryTopics.retry`") == true)
        #expect(problem(["in", "in.retry.5s"]) { _ in }?.contains("an input") == true)
        #expect(problem { $0.topic = { topic, _ in "\(topic).later" } }?.contains("in.later") == true)
        #expect(problem(["a", "b"]) { $0.topic = { _, delay in "later.\(delay)" } }?.contains("later") == true)
        #expect(
            problem(letters: DeadLetterPolicy(suffix: ".retry.5s")) { _ in }?.contains("one for dead letters") == true
        )
        #expect(problem(letters: .ordered) { _ in }?.contains("order") == true)
    }
}

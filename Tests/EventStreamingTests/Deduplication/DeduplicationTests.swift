import KafkaClient
import TestSupport
import Testing

@testable import EventStreaming

@Suite(.timeLimit(.minutes(1)))
struct DeduplicationTests {
    private struct Failure: Error {}

    private static func event(_ id: Int) -> EventIdentity { EventIdentity(source: "/test", id: "\(id)") }

    private static func position(_ offset: Int64) -> RecordPosition {
        RecordPosition(partition: KafkaTopicPartition(topic: "t", partition: 0), offset: offset)
    }

    @Test func anEventIsHandledOnce() async throws {
        let store = MemoryDeduplicationStore()
        #expect(try await store.once(Self.event(1), at: Self.position(0)) { "first" } == "first")
        #expect(try await store.once(Self.event(1), at: Self.position(1)) { "again" } == nil)
        #expect(try await store.once(Self.event(2), at: Self.position(2)) { "other" } == "other")
        let elsewhere = EventIdentity(source: "/other", id: "1")
        #expect(try await store.once(elsewhere, at: Self.position(3)) { "other" } == "other")
        #expect(store.count == 3)
    }

    /// The transaction of a record was aborted: what was sent for it has to be sent again.
    @Test func theSameRecordIsHandledAgain() async throws {
        let store = MemoryDeduplicationStore()
        for _ in 0..<2 {
            #expect(try await store.once(Self.event(1), at: Self.position(0)) { "sent" } == "sent")
        }
        #expect(try await store.once(Self.event(1), at: Self.position(1)) { "sent" } == nil)
    }

    @Test func whatFailedWasNotHandled() async throws {
        let store = MemoryDeduplicationStore()
        await #expect(throws: Failure.self) {
            try await store.once(Self.event(1), at: Self.position(0)) { throw Failure() }
        }
        #expect(store.count == 0)
        #expect(try await store.once(Self.event(1), at: Self.position(1)) { "then" } == "then")
    }

    @Test(arguments: [false, true])
    func whoComesAtTheSameTimeWaits(firstFails: Bool) async throws {
        let store = MemoryDeduplicationStore()
        let gate = Deferred<Void>()
        let log = Collected<String>()
        let first = Task {
            try await store.once(Self.event(1), at: Self.position(0)) {
                log.append("first")
                try await gate.value
                if firstFails { throw Failure() }
                return "first"
            }
        }
        try await eventually("the first has begun") { log.count == 1 }
        let second = Task { try await store.once(Self.event(1), at: Self.position(1)) { "second" } }
        gate.fulfil(.success(()))
        #expect(try await second.value == (firstFails ? "second" : nil))
        _ = await first.result
    }

    @Test func theWindowIsBoundedInNumberAndAge() {
        var window = DeduplicationWindow(maxCount: 1_000, maxAge: .seconds(10))
        let start = ContinuousClock.now
        for number in 0..<5_000 {
            window.add(Self.event(number), at: Self.position(Int64(number)), now: start + .milliseconds(number))
        }
        let end = start + .seconds(5)
        #expect(window.count == 1_000)
        #expect(window.position(of: Self.event(3_999), now: end) == nil)
        #expect(window.position(of: Self.event(4_000), now: end) == Self.position(4_000))
        // Half of them are too old.
        #expect(window.position(of: Self.event(4_499), now: start + .milliseconds(14_499)) == nil)
        #expect(window.position(of: Self.event(4_500), now: start + .milliseconds(14_499)) == Self.position(4_500))
        #expect(window.count == 500)
        #expect(window.position(of: Self.event(4_999), now: start + .seconds(60)) == nil)
        #expect(window.count == 0)
    }

    @Test(arguments: [ProcessingGuarantee.exactlyOnce, .atLeastOnce])
    func aProcessorPassesOverRepetitions(guarantee: ProcessingGuarantee) async throws {
        let fixture = try await ProcessorFixture.make()
        let store = MemoryDeduplicationStore()
        let event = try fixture.input.record(of: Message(key: "a", value: 1), source: "/test")
        for _ in 0..<5 { try await fixture.send(event) }
        // Not events: they may be the same or not.
        for _ in 0..<2 { try await fixture.send(.init(topic: fixture.input.name, key: "a", value: "2")) }
        try await fixture.fill([("a", 3)])
        try await fixture.withProcessor(fixture.configuration(guarantee)) { message, output in
            try await message.once(in: store) {
                try output.send(Message(key: "a", value: try message.value), to: fixture.output)
            }
        } _: {
            let answers = try await fixture.read(fixture.output.name, count: 4)
            #expect(try answers.map { try fixture.output.value.decode($0.value) } == [1, 2, 2, 3])
        }
    }
}

import EmbeddedKafka
import TestSupport
import Testing

@testable import KafkaClient

/// Members with a name that survives restarts (KIP-345).
@Suite(.timeLimit(.minutes(1)))
struct StaticMembershipTests {
    private func configuration(
        _ cluster: EmbeddedKafkaCluster,
        _ assignor: KafkaConsumer.Assignor
    ) -> KafkaConsumer.Configuration {
        var configuration = KafkaConsumer.Configuration.test(cluster, group: uniqueName("group"))
        configuration.assignors = [assignor]
        configuration.sessionTimeout = .seconds(30)
        return configuration
    }

    @Test(arguments: RebalanceHookTests.assignors)
    func aMemberThatComesBackInTimeDisturbsNobody(assignor: KafkaConsumer.Assignor) async throws {
        try await withTopic(partitions: 2) { cluster, topic in
            var first = self.configuration(cluster, assignor)
            var second = first
            first.groupInstanceID = "one"
            second.groupInstanceID = "two"
            let hooks = HookLog()
            hooks.listen(&second)
            try await withConsumer(second, subscribedTo: [topic]) { stays in
                try await eventually("it has all") { stays.assignment.count == 2 }
                let share = try await withConsumer(first, subscribedTo: [topic]) { leaves in
                    try await eventually("each has one") { stays.assignment.count == 1 && leaves.assignment.count == 1 }
                    return leaves.assignment
                }
                try await eventually("its hooks have heard of it") {
                    hooks.events.map(\.what).contains("revoked") && hooks.events.last?.what == "assigned"
                }
                let before = hooks.events
                // A static member does not leave when it closes: its session goes on.
                try await withConsumer(first, subscribedTo: [topic]) { back in
                    try await eventually("it has its partition again") { back.assignment == share }
                    try await always(for: .milliseconds(700), "the other one keeps its own") {
                        stays.assignment.isDisjoint(with: share) && stays.assignment.count == 1
                    }
                }
                #expect(hooks.events == before, "there was no rebalance")
            }
        }
    }

    @Test(arguments: RebalanceHookTests.assignors)
    func aSecondMemberOfTheSameNameFencesTheFirst(assignor: KafkaConsumer.Assignor) async throws {
        try await withTopic { cluster, topic in
            try await withProducer(.test(cluster)) { try await $0.fill(topic, values: ["1"]) }
            var configuration = self.configuration(cluster, assignor)
            configuration.groupInstanceID = "one"
            try await withConsumer(configuration, subscribedTo: [topic]) { first in
                var iterator = first.records.makeAsyncIterator()
                let record = try #require(try await iterator.next(isolation: nil))
                try await withConsumer(configuration, subscribedTo: [topic]) { second in
                    try await eventually("the second has the partition") { second.assignment.count == 1 }
                    do throws(KafkaError) {
                        _ = try await iterator.next(isolation: nil)
                        Issue.record("the first must learn that it was replaced")
                    } catch {
                        #expect(error.code == .fenced)
                        #expect(error.isFatal)
                    }
                    #expect(await code { try await first.commit(record) } != nil)
                }
            }
        }
    }
}

/// What a handler that takes too long does to others and to itself.
@Suite(.timeLimit(.minutes(1)))
struct SlowHandlerTests {
    /// Each revocation is answered, also one that a second one overtakes: else the group would not meet again.
    @Test func aRevocationThatWaitsEndsWhenTheMemberLeaves() async throws {
        try await withTopic(partitions: 2) { cluster, topic in
            try await withProducer(.test(cluster)) { try await $0.fill(topic, values: ["1", "2"]) }
            var configuration = KafkaConsumer.Configuration.test(cluster, group: uniqueName("group"))
            configuration.assignors = [.range]
            configuration.commitPolicy = .manual
            configuration.sessionTimeout = .seconds(2)
            configuration.maxPollInterval = .seconds(2)
            let plain = configuration
            let hooks = HookLog()
            hooks.listen(&configuration)
            let log = CapturedLog()
            try await withConsumer(configuration, subscribedTo: [topic], log: log) { slow in
                let taken = Collected<KafkaConsumerRecord>()
                let codes = Collected<KafkaError.Code?>()
                let gate = Gate()
                let reader = Task {
                    var iterator = slow.records.makeAsyncIterator()
                    if let record = try await iterator.next(isolation: nil) { taken.append(record) }
                    await gate.wait()
                    codes.append(await code { _ = try await iterator.next(isolation: nil) })
                    while try await iterator.next(isolation: nil) != nil {}
                }
                try await eventually("a record is in hand") { taken.count == 1 }
                let record = try #require(taken.elements.first)
                try await withConsumer(plain, subscribedTo: [topic]) { other in
                    try await eventually("a revocation waits") { log.contains("giving up") }
                    try await eventually("the member leaves") { hooks.events.last == .init("lost", [0, 1]) }
                    #expect(await code { try await slow.commit(record) } == .groupMembership)
                    try await eventually("the other one has all") { other.assignment.count == 2 }
                    gate.open()
                    try await eventually("they share again") {
                        slow.assignment.count == 1 && other.assignment.count == 1
                    }
                    #expect(codes.elements == [.maxPollIntervalExceeded])
                    reader.cancel()
                    try await reader.value
                }
            }
            #expect(hooks.events.prefix(2) == [.init("assigned", [0, 1]), .init("lost", [0, 1])], "not revoked, too")
        }
    }

    @Test func whatOthersHaveProcessedMeanwhileIsNotProcessedAgain() async throws {
        try await withTopic { cluster, topic in
            try await withProducer(.test(cluster)) { try await $0.fill(topic, values: ["1", "2", "3"]) }
            var configuration = KafkaConsumer.Configuration.test(cluster, group: uniqueName("group"))
            configuration.sessionTimeout = .seconds(2)
            configuration.maxPollInterval = .seconds(2)
            let plain = configuration
            let hooks = HookLog()
            hooks.listen(&configuration)
            try await withConsumer(configuration, subscribedTo: [topic]) { slow in
                var iterator = slow.records.makeAsyncIterator()
                let record = try #require(try await iterator.next(isolation: nil))
                try await eventually("it is lost") { hooks.events.last == .init("lost", [0]) }
                try await withConsumer(plain, subscribedTo: [topic]) { other in
                    #expect(try await other.read(3).map(\.valueString) == ["1", "2", "3"])
                    try await other.commit([record.topicPartition: 3])
                }
                #expect(await code { try await slow.commit(record) } == .groupMembership)
                do throws(KafkaError) {
                    _ = try await iterator.next(isolation: nil)
                    Issue.record("the reader must learn that it took too long")
                } catch {
                    #expect(error.code == .maxPollIntervalExceeded)
                    #expect(error.isRetriable)
                }
                try await withProducer(.test(cluster)) { try await $0.fill(topic, values: ["4"]) }
                let next = try await iterator.next(isolation: nil)
                #expect(next?.valueString == "4", "the others were processed")
            }
            #expect(hooks.events.filter { $0.what == "lost" }.count == 1)
            #expect(
                hooks.events == [
                    .init("assigned", [0]), .init("lost", [0]), .init("assigned", [0]), .init("revoked", [0]),
                ]
            )
        }
    }
}

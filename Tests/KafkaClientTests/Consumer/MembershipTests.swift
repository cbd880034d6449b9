import EmbeddedKafka
import Logging
import TestSupport
import Testing

@testable import KafkaClient

/// How long a member stays in its group while its reader is busy or has nothing to read (promise 5).
@Suite(.timeLimit(.minutes(1)))
struct MembershipTests {
    private func configuration(
        _ cluster: EmbeddedKafkaCluster,
        maxPollInterval: Duration = .seconds(3)
    ) -> KafkaConsumer.Configuration {
        var configuration = KafkaConsumer.Configuration.test(cluster, group: uniqueName("group"))
        configuration.sessionTimeout = .seconds(3)
        configuration.maxPollInterval = maxPollInterval
        return configuration
    }

    @Test func aBusyReaderStaysAMemberBeyondTheSessionTimeout() async throws {
        try await withTopic { cluster, topic in
            try await withProducer(.test(cluster)) { try await $0.fill(topic, values: ["1", "2"]) }
            let configuration = self.configuration(cluster, maxPollInterval: .seconds(300))
            try await withConsumer(configuration, subscribedTo: [topic]) { consumer in
                var iterator = consumer.records.makeAsyncIterator()
                let inHand = try await iterator.next()
                let first = try #require(inHand)
                try await always(for: .seconds(5), "the partition stays assigned") { !consumer.assignment.isEmpty }
                try await consumer.commit(first)
                let second = try await iterator.next()
                #expect(second?.valueString == "2")
            }
        }
    }

    @Test func aReaderThatTakesTooLongLearnsItOnceAndRejoins() async throws {
        try await withTopic { cluster, topic in
            try await withProducer(.test(cluster)) { try await $0.fill(topic, values: ["1", "2"]) }
            let log = CapturedLog()
            try await withConsumer(self.configuration(cluster), subscribedTo: [topic], log: log) { consumer in
                var iterator = consumer.records.makeAsyncIterator()
                let inHand = try await iterator.next()
                let first = try #require(inHand)
                try await eventually("the consumer leaves its group") { consumer.assignment.isEmpty }
                let refused = await #expect(throws: KafkaError.self) { try await consumer.commit(first) }
                #expect(refused?.code == .groupMembership)

                do throws(KafkaError) {
                    _ = try await iterator.next()
                    Issue.record("the reader must learn that it took too long")
                } catch {
                    #expect(error.code == .maxPollIntervalExceeded)
                    #expect(error.description.contains("maxPollInterval"))
                }
                // What was not committed is read again, and the error does not come back.
                let again = try await iterator.next()
                #expect(again?.valueString == "1")
                let second = try await iterator.next()
                #expect(second?.valueString == "2")
            }
            #expect(log.lines.filter { $0.level == .error && $0.message.contains("maxPollInterval") }.count == 1)
        }
    }

    @Test func anIdleReaderStaysAMemberBeyondMaxPollInterval() async throws {
        try await withTopic { cluster, topic in
            try await withConsumer(self.configuration(cluster), subscribedTo: [topic]) { consumer in
                let reading = Task { try await consumer.read(1) }
                try await eventually("the partition is assigned") { !consumer.assignment.isEmpty }
                try await always(for: .seconds(5), "the partition stays assigned") { !consumer.assignment.isEmpty }
                try await withProducer(.test(cluster)) { try await $0.fill(topic, values: ["late"]) }
                #expect(try await reading.value.map(\.valueString) == ["late"])
            }
        }
    }
}

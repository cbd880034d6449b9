import EmbeddedKafka
import KafkaClient
import TestSupport
import Testing

@testable import kstream

@Suite(.timeLimit(.minutes(3)))
struct GroupWaitRunTests {
    @Test func `a member without partitions says why it waits, and ends at the end`() async throws {
        let cluster = try await TestCluster("share", records: [.value("0")])
        var configuration = KafkaConsumer.Configuration(
            bootstrapServers: cluster.cluster.bootstrapServers,
            group: cluster.group
        )
        configuration.fetchMaxWait = .milliseconds(20)
        configuration.sessionTimeout = .seconds(6)
        configuration.heartbeatInterval = .milliseconds(200)
        try await withKafkaConsumer(configuration, subscribedTo: [cluster.topic], logger: .silent) { consumer in
            try await eventually("the only partition is taken") { !consumer.assignment.isEmpty }
            #expect(consumer.hasAssignment)
            let second = try await cluster.run(
                "consume",
                "--group",
                cluster.group,
                "--exit-at-end",
                "-X",
                "session.timeout.ms=6000",
                "-X",
                "heartbeat.interval.ms=200"
            )
            #expect(second.status == 5)
            #expect(second.output == "")
            let lines = second.errors.split(separator: "\n")
            #expect(lines.count { $0.hasPrefix("waiting for the group \(cluster.group): ") } == 1)
            #expect(
                lines.suffix(2) == [
                    "the group \(cluster.group) has no partition of \(cluster.topic) for this member: others read them",
                    "\(cluster.topic): there is no record to show",
                ]
            )
            #expect(consumer.assignment.count == 1)
        }
    }
}

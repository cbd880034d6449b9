import EmbeddedKafka
import TestSupport
import Testing

@testable import KafkaClient

/// Commits of a member that reads on while its group shares out anew.
@Suite(.timeLimit(.minutes(1)))
struct CommitWhileJoiningTests {
    @Test func theyWaitForTheGroupInsteadOfLosingEverything() async throws {
        try await withCluster(topics: ["t": 2]) { cluster in
            for partition in Int32(0)...1 {
                try await withProducer(.test(cluster)) {
                    try await $0.fill("t", partition: partition, values: (0..<10).map { "\($0)" })
                }
            }
            var configuration = KafkaConsumer.Configuration.manual(cluster, group: "g")
            configuration.clientID = "reader"
            configuration.sessionTimeout = .seconds(30)
            let losses = Collected<Set<KafkaTopicPartition>>()
            configuration.onLost = { losses.append($0.partitions) }
            try await withConsumer(configuration, subscribedTo: ["t"]) { reader in
                _ = try await reader.read(1)
                try await eventually("it has both partitions") { reader.assignment.count == 2 }

                // The group goes on to another generation, and the reader's answer to that takes its time.
                let joins = try await cluster.faults.add(.init(.joinGroup, .delay(.seconds(4)), clientID: "reader"))
                let commits = try await cluster.observe(.offsetCommit, group: "g")
                try await withConsumer(.manual(cluster, group: "g"), subscribedTo: ["t"]) { other in
                    let reading = Task { try await other.read(1) }
                    try await joins.happened()
                    // The broker may know it before the thread that has sent it.
                    try await eventually("the client knows that it is joining") {
                        try reader.core.client(for: "test").joins?.isJoining == true
                    }
                    let place = try #require(reader.assignment.min())
                    try await reader.commit([place: 5])
                    #expect(try await commits.count == 1, "it was held back, and sent once")
                    #expect(reader.acknowledgedCommits == [place: 5])
                    _ = try await reading.value
                    #expect(reader.assignment.count == 1, "the other one has moved")
                    #expect(losses.elements == [])
                }
            }
        }
    }
}

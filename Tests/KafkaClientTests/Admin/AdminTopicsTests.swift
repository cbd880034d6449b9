import EmbeddedKafka
import TestSupport
import Testing

@testable import KafkaClient

/// Topics made, grown, described and deleted.
@Suite(.timeLimit(.minutes(1)))
struct AdminTopicsTests {
    @Test func aTopicIsMadeDescribedGrownAndDeleted() async throws {
        try await withCluster(nodes: 3) { cluster in
            try await withAdmin(cluster) { admin in
                try await admin.createTopic(
                    "orders",
                    partitions: 3,
                    replicationFactor: 2,
                    settings: ["retention.ms": "1234"]
                )
                let made = try await admin.describeTopic("orders")
                #expect(made.name == "orders")
                #expect(made.partitions.map(\.partition) == [0, 1, 2])
                #expect(!made.isInternal)
                for partition in made.partitions {
                    #expect(partition.replicas.count == 2)
                    #expect(partition.leader == partition.replicas.first)
                    #expect(partition.inSyncReplicas == partition.replicas)
                }
                let settings = try await admin.describeConfigs(of: .topic("orders"))
                #expect(settings.first { $0.name == "retention.ms" }?.value == "1234")

                try await admin.createPartitions(of: "orders", total: 5)
                let grown = try await admin.describeTopic("orders")
                #expect(grown.partitions.count == 5)
                #expect(Array(grown.partitions.prefix(3)) == made.partitions)

                let listed = try await admin.listTopics()
                #expect(listed == [grown])
                try await admin.deleteTopic("orders")
                let left = try await admin.listTopics(includingInternal: true)
                #expect(left.isEmpty)
            }
        }
    }

    @Test func severalTopicsHaveAResultEach() async throws {
        try await withTopic { cluster, existing in
            let good = uniqueName("good")
            let twice = uniqueName("twice")
            let long = String(repeating: "x", count: 250)
            try await withAdmin(cluster) { admin in
                let results = try await admin.createTopics([
                    KafkaNewTopic(good),
                    KafkaNewTopic(existing),
                    KafkaNewTopic(twice, partitions: 1), KafkaNewTopic(twice, partitions: 2),
                    KafkaNewTopic("", partitions: 1),
                    KafkaNewTopic("a\0b", partitions: 1),
                    KafkaNewTopic("a b", partitions: 1),
                    KafkaNewTopic(long, partitions: 1),
                    KafkaNewTopic("none", partitions: 0),
                    KafkaNewTopic("less", partitions: -1),
                    KafkaNewTopic("many", partitions: .max),
                    KafkaNewTopic("copies", partitions: 1, replicationFactor: 100),
                    KafkaNewTopic("nocopies", partitions: 1, replicationFactor: -1),
                    KafkaNewTopic("setting", settings: ["no.such.setting": "1"]),
                    KafkaNewTopic("value", settings: ["retention.ms": "soon"]),
                    KafkaNewTopic("nul", settings: ["retention.ms": "1\0"]),
                    KafkaNewTopic("noname", settings: ["": "1"]),
                ])
                #expect(succeeded(results[good]))
                #expect(code(results[existing]) == .topicAlreadyExists)
                for name in ["", "a\0b", "a b", long] {
                    #expect(code(results[name]) == .unknownTopicOrPartition, "\(name)")
                }
                for name in [
                    twice, "none", "less", "many", "copies", "nocopies", "setting", "value", "nul", "noname",
                ] {
                    #expect(code(results[name]) == .invalidRequest, "\(name)")
                }
                #expect(results.count == 16)
                for (name, result) in results {
                    guard let error = failure(of: result) else { continue }
                    #expect(error.topic == name)
                    #expect(error.operation == "create topics")
                    #expect(!error.message.isEmpty)
                }
                let none = try await admin.createTopics([])
                #expect(none.isEmpty)
            }
            let topics = try await cluster.topics
            #expect(topics.contains(good))
            #expect(!topics.contains(twice))
        }
    }

    @Test func placesOfReplicas() async throws {
        try await withCluster(nodes: 3) { cluster in
            try await withAdmin(cluster) { admin in
                var wrong = KafkaNewTopic("wrong", replicas: [[1]])
                wrong.partitions = 1
                let results = try await admin.createTopics([
                    KafkaNewTopic("placed", replicas: [[3, 1], [2, 3]]),
                    KafkaNewTopic("nowhere", replicas: [[77]]),
                    KafkaNewTopic("empty", replicas: []),
                    wrong,
                ])
                #expect(succeeded(results["placed"]))
                #expect(code(results["nowhere"]) == .invalidRequest)
                #expect(code(results["empty"]) == .invalidRequest)
                #expect(code(results["wrong"]) == .invalidRequest)
                let grown = try await admin.createPartitions([
                    KafkaNewPartitions(topic: "placed", total: 3, replicas: [[1, 2]])
                ])
                #expect(succeeded(grown["placed"]))
                let topic = try await admin.describeTopic("placed")
                #expect(topic.partitions.map(\.replicas) == [[3, 1], [2, 3], [1, 2]])
                #expect(topic.partitions.map(\.leader) == [3, 2, 1])
            }
        }
    }

    @Test func validationChangesNothing() async throws {
        try await withTopic { cluster, existing in
            let name = uniqueName("trial")
            try await withAdmin(cluster) { admin in
                let topics = try await admin.createTopics(
                    [KafkaNewTopic(name, partitions: 1), KafkaNewTopic(existing, partitions: 1)],
                    validateOnly: true
                )
                #expect(succeeded(topics[name]))
                #expect(code(topics[existing]) == .topicAlreadyExists)
                let partitions = try await admin.createPartitions(
                    [KafkaNewPartitions(topic: existing, total: 9)],
                    validateOnly: true
                )
                #expect(succeeded(partitions[existing]))
                let described = try await admin.describeTopics([name, existing])
                #expect(code(described[name]) == .unknownTopicOrPartition)
                let topic = try #require(try described[existing]?.get())
                #expect(topic.partitions.count == 1)
            }
        }
    }

    @Test func partitionsHaveAResultEach() async throws {
        try await withTopic(partitions: 3) { cluster, topic in
            let other = uniqueName("other")
            let missing = uniqueName("missing")
            try await cluster.createTopic(other, partitions: 1)
            try await withAdmin(cluster) { admin in
                let results = try await admin.createPartitions([
                    KafkaNewPartitions(topic: topic, total: 3),
                    KafkaNewPartitions(topic: other, total: 2),
                    KafkaNewPartitions(topic: missing, total: 2),
                    KafkaNewPartitions(topic: "a\0b", total: 2),
                    KafkaNewPartitions(topic: "zero", total: 0),
                    KafkaNewPartitions(topic: "many", total: .max),
                ])
                #expect(code(results[topic]) == .invalidRequest)
                #expect(succeeded(results[other]))
                #expect(code(results[missing]) == .unknownTopicOrPartition)
                #expect(code(results["a\0b"]) == .unknownTopicOrPartition)
                #expect(code(results["zero"]) == .invalidRequest)
                #expect(code(results["many"]) == .invalidRequest)
                #expect(results.count == 6)
            }
        }
    }

    @Test func deletionsAndDescriptionsHaveAResultEach() async throws {
        try await withTopic(partitions: 2) { cluster, topic in
            let other = uniqueName("other")
            let missing = uniqueName("missing")
            try await cluster.createTopic(other, partitions: 1)
            try await withAdmin(cluster) { admin in
                let described = try await admin.describeTopics([topic, other, missing, topic, "", "a\0b", "a b"])
                let one = try #require(try described[topic]?.get())
                let two = try #require(try described[other]?.get())
                #expect(one.partitions.count == 2)
                #expect(two.partitions.count == 1)
                for name in [missing, "", "a\0b", "a b"] {
                    #expect(code(described[name]) == .unknownTopicOrPartition, "\(name)")
                    let error = described[name].flatMap { failure(of: $0) }
                    #expect(error?.topic == name)
                }
                #expect(described.count == 6)
                let deleted = try await admin.deleteTopics([topic, other, missing, topic, "", "a\0b"])
                #expect(succeeded(deleted[topic]))
                #expect(succeeded(deleted[other]))
                #expect(code(deleted[missing]) == .unknownTopicOrPartition)
                #expect(code(deleted[""]) == .unknownTopicOrPartition)
                #expect(code(deleted["a\0b"]) == .unknownTopicOrPartition)
                #expect(deleted.count == 5)
                let error = await #expect(throws: KafkaError.self) { try await admin.deleteTopic(missing) }
                #expect(error?.topic == missing)
                let unknown = await #expect(throws: KafkaError.self) { try await admin.describeTopic(missing) }
                #expect(unknown?.code == .unknownTopicOrPartition)
            }
            let topics = try await cluster.topics
            #expect(!topics.contains(topic))
            #expect(!topics.contains(missing), "asking does not make a topic")
        }
    }

    @Test func aPartitionWithoutALeaderIsDescribed() async throws {
        try await withCluster(nodes: 2) { cluster in
            try await withAdmin(cluster) { admin in
                let made = try await admin.createTopics([KafkaNewTopic("t", replicas: [[1], [2]])])
                #expect(succeeded(made["t"]))
                try await cluster.stopNode(2)
                try await eventually("the leader is gone") {
                    let topic = try await admin.describeTopic("t")
                    return topic.partitions.map(\.leader) == [1, nil]
                }
                let topic = try await admin.describeTopic("t")
                #expect(topic.partitions.map(\.replicas) == [[1], [2]])
                #expect(topic.partitions.map(\.inSyncReplicas) == [[1], []])
                let cluster = try await admin.describeCluster()
                #expect(cluster.brokers.map(\.id) == [1])
                #expect(cluster.controller == 1)
            }
        }
    }

    @Test func internalTopicsAreKnownByName() {
        #expect(KafkaTopicDescription(name: "__consumer_offsets", partitions: []).isInternal)
        #expect(!KafkaTopicDescription(name: "__mine", partitions: []).isInternal)
    }

    @Test func theCluster() async throws {
        try await withCluster(nodes: 3) { cluster in
            try await withAdmin(cluster) { admin in
                let described = try await admin.describeCluster()
                #expect(described.brokers.map(\.id) == [1, 2, 3])
                #expect(described.brokers.map { "\($0.host):\($0.port)" } == cluster.bootstrapServers)
                let controller = try #require(described.controller)
                #expect([1, 2, 3].contains(controller))
                #expect(described.clusterID?.isEmpty == false)
            }
        }
    }
}

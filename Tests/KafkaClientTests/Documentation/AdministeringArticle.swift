import KafkaClient

// The code of the article "Administering a cluster", which `ArticleTests` compares with the article. It is compiled, not run.

private func topics() async throws {
    try await withKafkaAdmin(.init(bootstrapServers: ["localhost:9092"])) { admin in
        try await admin.createTopic("orders", partitions: 8, settings: ["retention.ms": "604800000"])
        let topic = try await admin.describeTopic("orders")
        print(topic.partitions.count)
    }
}

private func groups(_ admin: KafkaAdmin) async throws {
    let group = try await admin.describeGroup("billing")
    for member in group.members {
        print(member.clientID, member.host, member.assignment.sorted())
    }
    for (partition, lag) in try await admin.lag(of: "billing") {
        print(partition, lag.records)
    }
}

private func offsets(_ admin: KafkaAdmin, _ partition: KafkaTopicPartition) async throws {
    for (partition, result) in try await admin.alterGroupOffsets("billing", to: [partition: 0]) {
        print(partition, result)
    }
}

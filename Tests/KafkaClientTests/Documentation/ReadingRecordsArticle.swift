import KafkaClient

// The code of the article "Reading records", which `ArticleTests` compares with the article. It is compiled, not run.

private func asMember(_ bill: @escaping (KafkaConsumerRecord) async throws -> Void) async throws {
    try await withKafkaConsumer(
        .init(bootstrapServers: ["localhost:9092"], group: "billing"),
        subscribedTo: ["orders"]
    ) { consumer in
        for try await record in consumer.records {
            try await bill(record)
        }
    }
}

private func ofPartitions() async throws {
    let partition = KafkaTopicPartition(topic: "orders", partition: 0)
    let configuration = KafkaConsumer.Configuration(bootstrapServers: ["localhost:9092"])
    try await withKafkaConsumer(configuration, assigned: [partition: .beginning]) { consumer in
        for try await batch in consumer.batches {
            print(batch.count)
        }
    }
}

private func policies(_ configuration: inout KafkaConsumer.Configuration) {
    configuration.commitPolicy = .afterProcessing(interval: .seconds(1), count: 10_000)

    configuration.commitPolicy = .manual
}

private func committing(_ consumer: KafkaConsumer, _ store: (KafkaConsumerBatch) async throws -> Void) async throws {
    for try await batch in consumer.batches {
        try await store(batch)
        try await consumer.commit(batch)
    }
}

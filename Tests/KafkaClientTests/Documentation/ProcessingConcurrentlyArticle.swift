import KafkaClient

// The code of the article "Processing concurrently", which `ArticleTests` compares with the article. It is compiled, not run.

private func byKey(
    _ consumer: KafkaConsumer,
    _ bill: @escaping @Sendable (KafkaConsumerRecord) async throws -> Void
) async throws {
    try await consumer.process(ordering: .key, concurrency: 16) { record in
        try await bill(record)
    }
}

private func byPartition(_ consumer: KafkaConsumer) async throws {
    try await consumer.forEachPartition { partition in
        var total = 0
        for try await record in partition.records {
            total += record.value?.count ?? 0
        }
        print(partition.topicPartition, total)
    }
}

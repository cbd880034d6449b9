import KafkaClient

// The code of the article "Exactly once", which `ArticleTests` compares with the article. It is compiled, not run.

private func transaction(_ configuration: KafkaProducer.Configuration, _ payment: [UInt8]) async throws {
    var configuration = configuration
    configuration.transactionalID = "billing-1"
    try await withKafkaProducer(configuration) { producer in
        try await producer.withTransaction { transaction in
            try await transaction.send(.init(topic: "payments", key: "42", value: payment))
            try await transaction.send(.init(topic: "orders", key: "42", value: "paid"))
        }
    }
}

private func transform(
    _ consumer: KafkaConsumer,
    _ producer: KafkaProducer,
    _ bill: (KafkaConsumerRecord) -> [UInt8]
) async throws {
    try await consumer.transform(through: producer) { batch, transaction in
        for record in batch {
            try await transaction.enqueue(.init(topic: "invoices", key: record.key, value: bill(record)))
        }
    }
}

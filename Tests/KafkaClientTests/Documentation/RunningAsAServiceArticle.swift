import KafkaClient
import KafkaClientServiceLifecycle
import Logging
import ServiceLifecycle
import UnixSignals

// The code of the article "Running as a service", which `ArticleTests` compares with the article. It is compiled, not run.

private func services(_ producer: KafkaProducer, _ consumer: KafkaConsumer, _ logger: Logger) async throws {
    let billing = KafkaConsumerService(consumer) { consumer in
        try await consumer.subscribe(to: ["orders"])
        for try await record in consumer.records {
            _ = try await producer.send(.init(topic: "invoices", key: record.key, value: record.value))
        }
    }
    let services = ServiceGroup(
        services: [KafkaProducerService(producer), billing],
        gracefulShutdownSignals: [.sigterm],
        logger: logger
    )
    try await services.run()
}

private func alone(_ consumer: KafkaConsumer) async throws {
    async let life: Void = consumer.run()
    for try await record in consumer.records {
        print(record.offset)
    }
    await life
}

import KafkaClient
import Logging
import MetricsTestKit
import Tracing

// The code of the article "Observability", which `ArticleTests` compares with the article. It is compiled, not run.

private func metrics() -> KafkaConsumer.Configuration {
    var configuration = KafkaConsumer.Configuration(bootstrapServers: ["localhost:9092"], group: "billing")
    configuration.metrics = KafkaMetrics(interval: .seconds(10))
    configuration.metrics?.labels = ["service": "billing"]

    let metrics = TestMetrics()
    configuration.metrics = KafkaMetrics(interval: .milliseconds(100), factory: metrics)
    return configuration
}

private func processing(
    _ consumer: KafkaConsumer,
    _ bill: (KafkaConsumerRecord) async throws -> Void
) async throws {
    for try await record in consumer.records {
        try await record.withProcessSpan {
            try await bill(record)
        }
    }
}

private func tracing(_ configuration: inout KafkaConsumer.Configuration) {
    configuration.tracing?.processParent = .current

    configuration.tracing?.includesKeys = false
    configuration.tracing = nil
}

private func context(_ record: KafkaConsumerRecord) -> ServiceContext {
    var context = ServiceContext.topLevel
    record.extractContext(into: &context, using: InstrumentationSystem.instrument)
    return context
}

private func logging(_ producing: KafkaProducer.Configuration) throws -> KafkaProducer {
    var logger = Logger(label: "billing.kafka")
    logger.logLevel = .notice
    let producer = try KafkaProducer(configuration: producing, logger: logger)
    return producer
}

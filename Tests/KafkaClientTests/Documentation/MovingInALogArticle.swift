import KafkaClient
import Metrics

// The code of the article "Moving in a log", which `ArticleTests` compares with the article. It is compiled, not run.

private func seeking(
    _ consumer: KafkaConsumer,
    _ partition: KafkaTopicPartition,
    _ yesterday: KafkaTimestamp
) async throws {
    try await consumer.seek(partition, to: .beginning)
    try await consumer.seek(partition, to: .absolute(1_000))
    try await consumer.seek(consumer.assignment, to: yesterday)
}

private func asking(
    _ consumer: KafkaConsumer,
    _ partition: KafkaTopicPartition,
    _ yesterday: KafkaTimestamp
) async throws {
    let next = try await consumer.position(of: partition)
    let first = try await consumer.offsets(for: [partition: yesterday])
    for (partition, lag) in try await consumer.lag() {
        print(partition, lag.records, lag.age ?? .zero)
    }
    print(next, first)
}

private func resets(_ configuration: inout KafkaConsumer.Configuration, _ lost: Counter) {
    configuration.autoOffsetReset = .earliest
    configuration.onOffsetReset = { reset in
        lost.increment(by: reset.skippedOffsets.count)
    }
}

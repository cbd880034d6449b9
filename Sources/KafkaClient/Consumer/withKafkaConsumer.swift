public import Logging

/// Makes a consumer, runs `body` with it and closes it, also when `body` throws or is cancelled.
///
/// What is processed is committed and the group is left before this returns, within
/// ``KafkaConsumer/Configuration/closeTimeout``.
///
/// - Throws: ``KafkaError`` when the configuration is wrong, and what `body` throws.
public func withKafkaConsumer<R>(
    _ configuration: KafkaConsumer.Configuration,
    logger: Logger = Logger(label: "KafkaClient.KafkaConsumer"),
    _ body: (KafkaConsumer) async throws -> R
) async throws -> R {
    let consumer = try KafkaConsumer(configuration: configuration, logger: logger)
    let result: R
    do {
        result = try await body(consumer)
    } catch {
        await consumer.close()
        throw error
    }
    await consumer.close()
    return result
}

/// Makes a consumer, subscribes it to topics, runs `body` with it and closes it, also when `body` throws or is cancelled.
///
/// - Throws: ``KafkaError`` when the configuration is wrong, and what `body` throws.
public func withKafkaConsumer<R>(
    _ configuration: KafkaConsumer.Configuration,
    subscribedTo topics: [String],
    logger: Logger = Logger(label: "KafkaClient.KafkaConsumer"),
    _ body: (KafkaConsumer) async throws -> R
) async throws -> R {
    try await withKafkaConsumer(configuration, logger: logger) { consumer in
        try await consumer.subscribe(to: topics)
        return try await body(consumer)
    }
}

/// Makes a consumer, assigns partitions to it, runs `body` with it and closes it, also when `body` throws or is cancelled.
///
/// - Throws: ``KafkaError`` when the configuration is wrong, and what `body` throws.
public func withKafkaConsumer<R>(
    _ configuration: KafkaConsumer.Configuration,
    assigned partitions: [KafkaTopicPartition: KafkaOffset],
    logger: Logger = Logger(label: "KafkaClient.KafkaConsumer"),
    _ body: (KafkaConsumer) async throws -> R
) async throws -> R {
    try await withKafkaConsumer(configuration, logger: logger) { consumer in
        try await consumer.assign(partitions)
        return try await body(consumer)
    }
}

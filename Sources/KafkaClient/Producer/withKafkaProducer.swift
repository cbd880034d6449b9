public import Logging

/// Makes a producer, runs `body` with it and closes it, also when `body` throws or is cancelled.
///
/// What `body` handed over and did not await is sent before this returns, within
/// ``KafkaProducer/Configuration/closeTimeout``.
///
/// - Throws: ``KafkaError`` when the configuration is wrong, and what `body` throws.
public func withKafkaProducer<R>(
    _ configuration: KafkaProducer.Configuration,
    logger: Logger = Logger(label: "KafkaClient.KafkaProducer"),
    _ body: (KafkaProducer) async throws -> R
) async throws -> R {
    let producer = try KafkaProducer(configuration: configuration, logger: logger)
    let result: R
    do {
        result = try await body(producer)
    } catch {
        await producer.close()
        throw error
    }
    await producer.close()
    return result
}

public import Logging

/// Makes an admin client, runs `body` with it and closes it, also when `body` throws or is cancelled.
///
/// - Throws: ``KafkaError`` when the configuration is wrong, and what `body` throws.
public func withKafkaAdmin<R>(
    _ configuration: KafkaAdmin.Configuration,
    logger: Logger = Logger(label: "KafkaClient.KafkaAdmin"),
    _ body: (KafkaAdmin) async throws -> R
) async throws -> R {
    let admin = try KafkaAdmin(configuration: configuration, logger: logger)
    let result: R
    do {
        result = try await body(admin)
    } catch {
        await admin.close()
        throw error
    }
    await admin.close()
    return result
}

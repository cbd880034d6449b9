import EmbeddedKafka
import Testing

@testable import KafkaClient

/// Runs `body` with an admin client of a cluster, whose log lines go nowhere.
func withAdmin<R>(
    _ cluster: EmbeddedKafkaCluster,
    _ body: (KafkaAdmin) async throws -> R
) async throws -> R {
    try await withKafkaAdmin(
        .init(bootstrapServers: cluster.bootstrapServers),
        logger: CapturedLog().makeLogger(),
        body
    )
}

/// The code of a failed result, or nil when it is none.
func code<R>(_ result: Result<R, KafkaError>?) -> KafkaError.Code? {
    guard case .failure(let error)? = result else { return nil }
    return error.code
}

/// Whether there is a result and it is a success.
func succeeded<R>(_ result: Result<R, KafkaError>?) -> Bool {
    if case .success? = result { true } else { false }
}

func place(_ topic: String, _ partition: Int32 = 0) -> KafkaTopicPartition {
    KafkaTopicPartition(topic: topic, partition: partition)
}

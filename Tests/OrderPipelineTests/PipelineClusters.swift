import EmbeddedKafka
import Logging

@testable import OrderPipeline

/// Runs the body with a cluster of its own that has the pipeline's topics.
func withPipelineCluster<Result>(_ body: (PipelineCluster) async throws -> Result) async throws -> Result {
    try await withEmbeddedPipelineCluster { cluster in
        try await body(PipelineCluster(bootstrapServers: cluster.bootstrapServers))
    }
}

/// Runs the body with a cluster of its own that has the pipeline's topics, to see and to spoil what happens in it.
func withEmbeddedPipelineCluster<Result>(
    _ body: (EmbeddedKafkaCluster) async throws -> Result
) async throws -> Result {
    try await withEmbeddedKafka { cluster in
        for topic in PipelineTopic.allNames {
            try await cluster.createTopic(topic, partitions: PipelineCluster.partitions)
        }
        return try await body(cluster)
    }
}

extension Logger {
    /// Says nothing.
    static var silent: Logger { Logger(label: "test") { _ in SwiftLogNoOpLogHandler() } }
}

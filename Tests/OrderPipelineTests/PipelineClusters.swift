import KafkaMockCluster
import Logging

@testable import OrderPipeline

/// Runs the body with a cluster of its own that has the pipeline's topics.
/// - Parameter isEmbedded: Whether the cluster is used as one that is there for one replay alone.
func withPipelineCluster<Result>(
    isEmbedded: Bool = true,
    _ body: (PipelineCluster) async throws -> Result
) async throws -> Result {
    let mock = try MockCluster()
    defer { withExtendedLifetime(mock) {} }
    for topic in PipelineTopic.allCases {
        try mock.createTopic(topic.rawValue, partitions: PipelineCluster.partitions)
    }
    return try await body(PipelineCluster(bootstrapServers: mock.bootstrapServers, isEmbedded: isEmbedded))
}

extension Logger {
    /// Says nothing.
    static var silent: Logger { Logger(label: "test") { _ in SwiftLogNoOpLogHandler() } }
}

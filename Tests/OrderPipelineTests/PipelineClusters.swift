import KafkaMockCluster
import Logging

@testable import OrderPipeline

/// Runs the body with a cluster of its own that has the pipeline's topics.
/// - Parameter isEmbedded: Whether the cluster is used as one that is there for one replay alone.
func withPipelineCluster<Result>(
    isEmbedded: Bool = true,
    _ body: (PipelineCluster) async throws -> Result
) async throws -> Result {
    let mock = try MockCluster.withPipelineTopics()
    defer { withExtendedLifetime(mock) {} }
    return try await body(PipelineCluster(bootstrapServers: mock.bootstrapServers, isEmbedded: isEmbedded))
}

extension MockCluster {
    /// A cluster that has the pipeline's topics.
    static func withPipelineTopics() throws -> MockCluster {
        let mock = try MockCluster()
        for topic in PipelineTopic.allCases {
            try mock.createTopic(topic.rawValue, partitions: PipelineCluster.partitions)
        }
        return mock
    }
}

extension Logger {
    /// Says nothing.
    static var silent: Logger { Logger(label: "test") { _ in SwiftLogNoOpLogHandler() } }
}

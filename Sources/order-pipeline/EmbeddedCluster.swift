internal import EmbeddedKafka
internal import OrderPipeline

/// Starts a cluster in this process, with the topics of the pipeline, and ends it after the body.
///
/// Everything that knows which cluster this is stands here.
func withEmbeddedCluster<Result>(_ body: (PipelineCluster) async throws -> Result) async throws -> Result {
    try await withEmbeddedKafka { cluster in
        for topic in PipelineTopic.allNames {
            try await cluster.createTopic(topic, partitions: PipelineCluster.partitions)
        }
        return try await body(PipelineCluster(bootstrapServers: cluster.bootstrapServers))
    }
}

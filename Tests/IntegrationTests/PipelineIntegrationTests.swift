import Foundation
import KafkaClient
import Testing

@testable import OrderPipeline

@Suite("The pipeline on a cluster", .timeLimit(.minutes(2)))
struct PipelineIntegrationTests {
    @Test("a replay comes to the totals known beforehand")
    func replay() async throws {
        let cluster = try await IntegrationCluster.shared
        for topic in PipelineTopic.allNames {
            // On a cluster from outside the topics may be there already.
            if try await !self.exists(topic, in: cluster) {
                _ = try await cluster.createTopic(topic, partitions: PipelineCluster.partitions)
            }
        }
        let folder = URL(filePath: #filePath).appending(path: "../../../Sources/order-pipeline/Resources").standardized
        let excerpt = folder.appending(path: "online-retail-excerpt.csv")
        let book = try await OrderBook(reading: OrderFile(path: excerpt.path))
        let outcome = try await Replay(
            cluster: PipelineCluster(bootstrapServers: cluster.bootstrapServers),
            logger: cluster.logger
        ).run(book.commands)
        // Computed by a script that knows nothing of the pipeline.
        let expected = try Data(contentsOf: folder.appending(path: "online-retail-excerpt.totals.json"))
        #expect(try self.object(Data(outcome.totals.json.utf8)) == self.object(expected))
    }

    private func object(_ json: Data) throws -> NSDictionary? {
        try JSONSerialization.jsonObject(with: json) as? NSDictionary
    }

    private func exists(_ topic: String, in cluster: IntegrationCluster) async throws -> Bool {
        guard cluster.isExternal else { return false }
        return try await withKafkaProducer(cluster.producer, logger: cluster.logger) { producer in
            do {
                return try await !producer.partitions(of: topic).isEmpty
            } catch let error as KafkaError {
                guard error.code == .unknownTopicOrPartition else { throw error }
                return false
            }
        }
    }
}

internal import Dispatch
internal import KafkaClient
internal import Logging

/// What must be there before the services of a replay start.
struct ReplayPreparation: Sendable {
    let cluster: PipelineCluster
    let logger: Logger

    /// Sees to it that the topics exist, and that the group begins where the event topics end now.
    ///
    /// Others may have used the cluster before: the group's replay needs nothing of what is there already.
    func prepare(group: String, topics: [PipelineTopic]) async throws {
        var configuration = self.cluster.consumer(group: group)
        configuration.commitPolicy = .manual
        let partitions = try await self.partitions()
        try await withKafkaConsumer(configuration, logger: self.logger) { consumer in
            var ends: [KafkaTopicPartition: Int64] = [:]
            for topic in topics {
                for number in partitions[topic.rawValue] ?? [] {
                    let partition = KafkaTopicPartition(topic: topic.rawValue, partition: number)
                    ends[partition] = try await consumer.watermarks(of: partition).high
                }
            }
            // From outside: the group has no members yet.
            try await consumer.commit(ends)
        }
    }

    /// The partitions of every topic. Asking for a topic creates it where the cluster allows that.
    private func partitions() async throws -> [String: [Int32]] {
        let configuration = self.cluster.producer(clientID: "order-pipeline.replay")
        return try await withKafkaProducer(configuration, logger: self.logger) { producer in
            var found: [String: [Int32]] = [:]
            for topic in PipelineTopic.allNames {
                found[topic] = try await Self.partitions(of: topic, from: producer)
            }
            return found
        }
    }

    private static func partitions(of topic: String, from producer: KafkaProducer) async throws -> [Int32] {
        // A topic that was created by the question is there a moment later.
        for _ in 0..<20 {
            do {
                let partitions = try await producer.partitions(of: topic)
                if !partitions.isEmpty { return partitions }
            } catch let error as KafkaError {
                guard error.code == .unknownTopicOrPartition || error.code == .leaderUnavailable else { throw error }
            }
            try Task.checkCancellation()
            await self.pause()
        }
        throw PipelineError.topicMissing(topic)
    }

    private static func pause() async {
        await withCheckedContinuation { continuation in
            DispatchQueue.global().asyncAfter(deadline: .now() + .milliseconds(100)) { continuation.resume() }
        }
    }
}

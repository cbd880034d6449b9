internal import EventStreaming
internal import KafkaClient
internal import Logging

/// Reads the topics of the pipeline for a read model, in batches, as a member of a group.
struct ReadModelReader: Sendable {
    /// What a reader does after a batch.
    enum Next: Sendable {
        case goOn
        case stop
    }

    var cluster: PipelineCluster
    var group: String
    var topics: [PipelineTopic]
    var commits: CommitLog
    var groups: GroupWatch
    /// Takes what the reader has to say.
    var logger: Logger
    /// Takes what its client has to say.
    var clientLogger: Logger

    /// Reads until the body says stop or the task is cancelled, and commits each batch after the body has returned. Records
    /// that are not what their topic is for are reported and passed over.
    ///
    /// - Parameter body: Takes the messages of a batch, each with its replay.
    func read(_ body: ([(PipelineMessage, replay: String?)]) async throws -> Next) async throws {
        let configuration = self.cluster.consumer(group: self.group)
        let consumer = try KafkaConsumer(configuration: configuration, logger: self.clientLogger)
        self.groups.joined(self.group) { consumer.assignment.isEmpty }
        let result: Result<Void, any Error>
        do {
            try await consumer.subscribe(to: self.topics.map(\.rawValue))
            for try await batch in consumer.batches {
                var messages: [(PipelineMessage, replay: String?)] = []
                messages.reserveCapacity(batch.count)
                for record in batch {
                    if let message = self.message(of: record) {
                        messages.append((message, replay: Replay.id(of: EventMetadata(headers: record.headers))))
                    }
                }
                if case .stop = try await body(messages) {
                    try await consumer.commit(batch)
                    break
                }
            }
            result = .success(())
        } catch {
            result = .failure(error)
        }
        self.groups.left(self.group)
        await consumer.close()
        self.commits.add(group: self.group, consumer.acknowledgedCommits)
        try result.get()
    }

    private func message(of record: KafkaConsumerRecord) -> PipelineMessage? {
        // A tombstone in the compacted topic asks to forget, which is no news to anybody here.
        guard let topic = PipelineTopic(rawValue: record.topic), let value = record.value else { return nil }
        do throws(SerdeError) {
            return try PipelineMessage(value, of: topic)
        } catch {
            self.logger.warning(
                "a record is not what its topic is for, it is passed over",
                metadata: ["record": "\(record.topicPartition)@\(record.offset)", "reason": "\(error)"]
            )
            return nil
        }
    }
}

internal import KafkaClient
internal import Logging

/// Runs services on a cluster: reads in batches, publishes, and commits what is published.
///
/// A batch counts as processed when everything that the service answered is acknowledged. A crash in between repeats the
/// batch, and no total changes.
struct ServiceRunner: Sendable {
    /// The header that says which replay a record belongs to; an answer carries that of the record it answers.
    static let replayHeader = "replay-id"

    var cluster: PipelineCluster
    var commits: CommitLog
    var groups: GroupWatch
    /// Takes what the services have to say.
    var logger: Logger
    /// Takes what the clients have to say.
    var clientLogger: Logger

    /// What a reader does after a batch.
    enum Next: Sendable {
        case goOn
        case stop
    }

    /// Runs a service until the task is cancelled.
    func run<Service: PipelineService>(_ service: Service) async throws {
        let group = PipelineCluster.group(Service.name)
        try await withKafkaProducer(self.cluster.producer(clientID: group), logger: self.clientLogger) { producer in
            var service = service
            try await self.read(group: group, topics: Service.topics) { messages in
                let codec = JSONCodec()
                var answers: [KafkaProducerRecord] = []
                for (message, replay) in messages {
                    for answer in service.handle(message, replay: replay) {
                        answers.append(try Self.record(answer, replay: replay, codec: codec))
                    }
                }
                try await Self.send(answers, with: producer)
                return .goOn
            }
        }
    }

    /// Reads the topics as a member of the group until the body says stop or the task is cancelled, and commits each batch
    /// after the body has returned. Records that are not what their topic is for are reported and passed over.
    /// - Parameter body: Takes the messages of a batch, each with its replay.
    func read(
        group: String,
        topics: [PipelineTopic],
        _ body: ([(PipelineMessage, replay: String?)]) async throws -> Next
    ) async throws {
        let consumer = try KafkaConsumer(configuration: self.cluster.consumer(group: group), logger: self.clientLogger)
        self.groups.joined(group, consumer)
        let result: Result<Void, any Error>
        do {
            try await consumer.subscribe(to: topics.map(\.rawValue))
            let codec = JSONCodec()
            for try await batch in consumer.batches {
                var messages: [(PipelineMessage, replay: String?)] = []
                messages.reserveCapacity(batch.count)
                for record in batch {
                    if let message = self.message(of: record, codec: codec) {
                        messages.append((message, replay: Self.replay(of: record)))
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
        self.groups.left(group)
        await consumer.close()
        self.commits.add(group: group, consumer.acknowledgedCommits)
        try result.get()
    }

    private func message(of record: KafkaConsumerRecord, codec: JSONCodec) -> PipelineMessage? {
        // A tombstone in the compacted topic asks to forget, which is no news to anybody here.
        guard let topic = PipelineTopic(rawValue: record.topic), let value = record.value else { return nil }
        do {
            return try codec.decode(value, from: topic)
        } catch {
            self.logger.warning(
                "a record is not what its topic is for, it is passed over",
                metadata: ["record": "\(record.topicPartition)@\(record.offset)", "reason": "\(error)"]
            )
            return nil
        }
    }

    // MARK: Records

    private static func replay(of record: KafkaConsumerRecord) -> String? {
        record.headers.last { $0.key == self.replayHeader }?.value.map { String(decoding: $0, as: UTF8.self) }
    }

    /// The message as a record of its topic.
    static func record(
        _ message: PipelineMessage,
        replay: String?,
        codec: JSONCodec
    ) throws -> KafkaProducerRecord {
        KafkaProducerRecord(
            topic: message.topic.rawValue,
            key: message.orderID,
            value: try codec.encode(message),
            headers: replay.map { [KafkaHeader(key: self.replayHeader, value: $0)] } ?? []
        )
    }

    /// Sends records and returns when all are acknowledged.
    static func send(_ records: some Collection<KafkaProducerRecord>, with producer: KafkaProducer) async throws {
        guard !records.isEmpty else { return }
        let results = try await producer.send(contentsOf: records)
        // What a cancelled task could not send is no error of the cluster.
        try Task.checkCancellation()
        for result in results { _ = try result.get() }
    }
}

internal import KafkaClient

/// The topics that a processor writes to by itself. One that is missing would stop it in the middle of the night.
struct ProcessorTopics: Sendable {
    let configuration: ProcessorConfiguration
    let routes: RetryRoutes

    /// - Returns: the partitions of the topics for dead letters.
    /// - Throws: ``ProcessorError`` for a topic that does not exist or does not suit.
    func check(inputs: [String], _ producer: KafkaProducer) async throws -> [String: Set<Int32>] {
        for topic in self.routes.tiers.flatMap(\.topics).sorted() {
            _ = try await self.partitions(of: topic, producer, what: "the retry topic", remedy: "`retryTopics`")
        }
        guard let policy = self.configuration.deadLetters else { return [:] }
        var found: [String: Set<Int32>] = [:]
        for topic in Set(inputs.map { policy.topic($0) }).sorted() {
            found[topic] = try await self.partitions(
                of: topic,
                producer,
                what: "the topic for dead letters",
                remedy: "`deadLetters`"
            )
        }
        guard policy.isOrdered else { return found }
        for input in inputs {
            let sources = try await self.partitions(of: input, producer, what: "the topic", remedy: "the inputs")
            let topic = policy.topic(input)
            guard let places = found[topic], places == sources else {
                throw ProcessorError(
                    .configuration,
                    processor: self.configuration.name,
                    message:
                        "\(topic) has \(found[topic]?.count ?? 0) partitions and \(input) has \(sources.count): to keep "
                        + "the order of dead letters, give it as many"
                )
            }
        }
        return found
    }

    private func partitions(
        of topic: String,
        _ producer: KafkaProducer,
        what: String,
        remedy: String
    ) async throws -> Set<Int32> {
        do {
            return Set(try await producer.partitions(of: topic, timeout: .seconds(30)))
        } catch let error as KafkaError where error.code == .unknownTopicOrPartition {
            throw ProcessorError(
                .configuration,
                processor: self.configuration.name,
                message: "\(what), \(topic), does not exist: create it, or set \(remedy)",
                cause: error
            )
        }
    }
}

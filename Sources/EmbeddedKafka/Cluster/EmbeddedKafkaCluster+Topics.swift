extension EmbeddedKafkaCluster {
    /// Makes a topic.
    /// - Parameters:
    ///   - partitions: `nil` for as many as the configuration says.
    ///   - replicationFactor: On how many nodes a partition may be led; `nil` for three, or all where there are fewer.
    ///   - settings: Kafka's topic settings: `cleanup.policy`, `retention.ms`, ...
    /// - Throws: ``EmbeddedKafkaError``.
    public func createTopic(
        _ name: String,
        partitions: Int? = nil,
        replicationFactor: Int? = nil,
        settings: [String: String] = [:]
    ) async throws {
        try await self.onBroker { broker in
            do {
                let topic = try broker.topics.create(
                    name,
                    partitions: partitions,
                    replicationFactor: replicationFactor,
                    settings: settings,
                    nodes: broker.nodes.ids,
                    now: broker.now
                )
                if let topic { broker.placeLeaders(of: topic) }
            } catch let refusal as TopicCatalog.Refusal {
                let code: EmbeddedKafkaError.Code =
                    refusal.code == .topicAlreadyExists ? .alreadyExists : .invalidConfiguration
                throw EmbeddedKafkaError(code, refusal.message)
            }
        }
    }

    /// Removes a topic, with the offsets that groups committed in it.
    public func deleteTopic(_ name: String) async throws {
        try await self.onBroker { broker in
            guard let topic = broker.topics.topics[name] else {
                throw EmbeddedKafkaError(.unknownTopic, "there is no topic '\(name)'")
            }
            try broker.remove(topic)
        }
    }

    /// Deletes the records of a partition before an offset, as retention would.
    /// - Parameter offset: Up to the end of the log, and where the log begins then.
    public func deleteRecords(ofTopic topic: String, partition: Int32, before offset: Int64) async throws {
        try await self.onBroker { broker in
            let id = TopicPartition(topic, partition)
            guard let log = broker.topics.partition(id)?.log else {
                throw EmbeddedKafkaError(.unknownTopic, "there is no partition \(partition) of a topic '\(topic)'")
            }
            guard case .success = log.deleteRecords(before: offset, now: broker.now) else {
                throw EmbeddedKafkaError(
                    .invalidConfiguration,
                    "the log of \(topic)[\(partition)] does not reach \(offset)"
                )
            }
            broker.wakeFetches(of: [id])
        }
    }

    /// The names of the topics, in alphabetical order.
    public var topics: [String] {
        get async throws { try await self.onBroker { $0.topics.topics.keys.sorted() } }
    }

    /// Makes the cluster as it was when it was new: no topics, groups, transactions or faults; connections are cut, stopped
    /// nodes stay stopped. Takes milliseconds.
    public func reset() async throws {
        try await self.onBroker { try $0.reset() }
    }
}

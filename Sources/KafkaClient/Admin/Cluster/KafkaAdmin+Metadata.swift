internal import CLibrdkafka

// MARK: Topics and brokers, by what each broker knows of the cluster (Metadata)

extension KafkaAdmin {
    /// The topics of the cluster, in the order of their names.
    ///
    /// Topics that can't be described at the moment, such as one that is being deleted, are left out;
    /// ``describeTopics(_:timeout:)`` says why.
    ///
    /// - Parameter includingInternal: whether those count in which the brokers keep their own state.
    /// - Throws: ``KafkaError`` with the code `brokerUnreachable` when no broker answers within `timeout`; `CancellationError`.
    public func listTopics(
        includingInternal: Bool = false,
        timeout: Duration = .seconds(30)
    ) async throws -> [KafkaTopicDescription] {
        let metadata = try await self.core.metadata(timeout: timeout, operation: "list topics")
        return metadata.topics.values.compactMap { try? $0.get() }
            .filter { includingInternal || !$0.isInternal }
            .sorted { $0.name < $1.name }
    }

    /// Topics with their partitions and where these are. No topic is made by asking for it.
    ///
    /// - Returns: a result for each topic by its name. Codes: `unknownTopicOrPartition`, `topicAuthorization`.
    /// - Throws: ``KafkaError`` with the code `brokerUnreachable` when no broker answers within `timeout`; `CancellationError`.
    public func describeTopics(
        _ topics: [String],
        timeout: Duration = .seconds(30)
    ) async throws -> [String: Result<KafkaTopicDescription, KafkaError>] {
        let operation = "describe topics"
        let request = self.core.request(operation: operation, kind: RD_KAFKA_ADMIN_OP_ANY, timeout: timeout)
        var (names, results): ([String], [String: Result<KafkaTopicDescription, KafkaError>]) = AdminNames.sort(topics)
        {
            AdminNames.problem(withTopic: $0, request)
        }
        guard !names.isEmpty else { return results }
        names.sort()
        let found = try await self.core.metadata(of: names, timeout: timeout, operation: operation).topics
        for name in names {
            results[name] =
                found[name]
                ?? .failure(KafkaError(RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART, operation: operation, topic: name))
        }
        return results
    }

    /// A topic with its partitions and where these are.
    ///
    /// - Throws: ``KafkaError``, as ``describeTopics(_:timeout:)`` has it.
    public func describeTopic(
        _ topic: String,
        timeout: Duration = .seconds(30)
    ) async throws -> KafkaTopicDescription {
        guard let result = try await self.describeTopics([topic], timeout: timeout)[topic] else {
            throw KafkaError(RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART, operation: "describe topics", topic: topic)
        }
        return try result.get()
    }

    /// The brokers of the cluster, its controller and its id.
    ///
    /// - Throws: ``KafkaError`` with the code `brokerUnreachable` when no broker answers within `timeout`; `CancellationError`.
    public func describeCluster(timeout: Duration = .seconds(30)) async throws -> KafkaClusterDescription {
        try await self.core.metadata(timeout: timeout, operation: "describe the cluster").cluster
    }
}

extension AdminCore {
    struct Metadata: Sendable {
        var cluster: KafkaClusterDescription
        var topics: [String: Result<KafkaTopicDescription, KafkaError>]
    }

    /// Asks a broker what it knows of the cluster; `nil` asks for all topics.
    func metadata(of topics: [String]? = nil, timeout: Duration, operation: String) async throws -> Metadata {
        try await self.question(operation: operation) { client in
            try await client.blocking { client throws(KafkaError) in
                try Self.metadata(of: topics, client: client, timeout: timeout, operation: operation)
            }
        }
    }

    private static func metadata(
        of topics: [String]?,
        client: ClientHandle,
        timeout: Duration,
        operation: String
    ) throws(KafkaError) -> Metadata {
        let deadline = ContinuousClock.now + timeout
        // librdkafka asks for the topics that it has handles of.
        let handles = (topics ?? []).compactMap { rd_kafka_topic_new(client.pointer, $0, nil) }
        defer { handles.forEach(rd_kafka_topic_destroy) }
        let only = handles.count == 1 ? handles[0] : nil
        let (response, metadata) = client.metadata(all: handles.isEmpty, topic: only, timeout: timeout)
        guard response == RD_KAFKA_RESP_ERR_NO_ERROR, let metadata else {
            throw client.queryError(response, operation: operation, timeout: timeout, topic: only.map(Self.name))
        }
        defer { rd_kafka_metadata_destroy(metadata) }
        client.connectionProblem.clear()
        // These two are known from the same answer.
        let left = Int32(max(1, (deadline - .now).milliseconds))
        var clusterID: String?
        if let text = rd_kafka_clusterid(client.pointer, left) {
            clusterID = String(cString: text)
            rd_kafka_mem_free(client.pointer, text)
        }
        let controller = rd_kafka_controllerid(client.pointer, left)
        return Metadata(
            cluster: KafkaClusterDescription(
                clusterID: clusterID,
                controller: controller >= 0 ? controller : nil,
                brokers: Self.brokers(metadata.pointee)
            ),
            topics: Self.topics(metadata.pointee, operation: operation)
        )
    }

    private static func name(of topic: OpaquePointer) -> String {
        rd_kafka_topic_name(topic).map { String(cString: $0) } ?? ""
    }

    private static func brokers(_ metadata: rd_kafka_metadata) -> [KafkaNode] {
        UnsafeBufferPointer(start: metadata.brokers, count: Int(metadata.broker_cnt))
            .map { KafkaNode(id: $0.id, host: $0.host.map { String(cString: $0) } ?? "", port: Int($0.port)) }
            .sorted { $0.id < $1.id }
    }

    private static func topics(
        _ metadata: rd_kafka_metadata,
        operation: String
    ) -> [String: Result<KafkaTopicDescription, KafkaError>] {
        var topics: [String: Result<KafkaTopicDescription, KafkaError>] = [:]
        for topic in UnsafeBufferPointer(start: metadata.topics, count: Int(metadata.topic_cnt)) {
            guard let name = topic.topic.map({ String(cString: $0) }) else { continue }
            guard topic.err == RD_KAFKA_RESP_ERR_NO_ERROR else {
                topics[name] = .failure(KafkaError(topic.err, operation: operation, topic: name))
                continue
            }
            let partitions = UnsafeBufferPointer(start: topic.partitions, count: Int(topic.partition_cnt))
            topics[name] = .success(
                KafkaTopicDescription(
                    name: name,
                    partitions: partitions.map { partition in
                        KafkaTopicDescription.Partition(
                            partition: partition.id,
                            leader: partition.leader >= 0 ? partition.leader : nil,
                            replicas: Array(
                                UnsafeBufferPointer(start: partition.replicas, count: Int(partition.replica_cnt))
                            ),
                            inSyncReplicas: Array(
                                UnsafeBufferPointer(start: partition.isrs, count: Int(partition.isr_cnt))
                            )
                        )
                    }.sorted { $0.partition < $1.partition }
                )
            )
        }
        return topics
    }
}

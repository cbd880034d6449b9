internal import CLibrdkafka

// MARK: Making, growing and deleting topics

extension KafkaAdmin {
    /// Makes topics (CreateTopics, KIP-4).
    ///
    /// A topic is made when the controller has taken it; the other brokers may know it a moment later.
    ///
    /// - Parameters:
    ///   - validateOnly: whether the cluster only says whether it would.
    ///   - timeout: how long it may take as a whole. The cluster gets nine tenths of it for the work.
    /// - Returns: a result for each topic by its name. Codes: `topicAlreadyExists`, `invalidRequest` for what can't be (such as
    ///   an unknown setting, or more replicas than brokers), `unknownTopicOrPartition` for what is not a topic's name.
    /// - Throws: ``KafkaError`` when the request as a whole failed; see ``KafkaAdmin``.
    public func createTopics(
        _ topics: [KafkaNewTopic],
        validateOnly: Bool = false,
        timeout: Duration = .seconds(30)
    ) async throws -> [String: Result<Void, KafkaError>] {
        let request = self.core.request(
            operation: "create topics",
            kind: RD_KAFKA_ADMIN_OP_CREATETOPICS,
            timeout: timeout,
            isChange: true,
            validateOnly: validateOnly
        )
        return try await self.core.change(
            topics,
            named: \.name,
            request: request,
            make: { topic throws(KafkaError) in try topic.makeObject(request) },
            destroy: rd_kafka_NewTopic_destroy,
            send: rd_kafka_CreateTopics,
            read: { rd_kafka_CreateTopics_result_topics(rd_kafka_event_CreateTopics_result($0), $1) }
        )
    }

    /// Makes a topic.
    ///
    /// - Throws: ``KafkaError``, as ``createTopics(_:validateOnly:timeout:)`` has it.
    public func createTopic(
        _ name: String,
        partitions: Int? = nil,
        replicationFactor: Int? = nil,
        settings: [String: String] = [:],
        timeout: Duration = .seconds(30)
    ) async throws {
        let topic = KafkaNewTopic(
            name,
            partitions: partitions,
            replicationFactor: replicationFactor,
            settings: settings
        )
        try await self.createTopics([topic], timeout: timeout)[name]?.get()
    }

    /// Deletes topics with all that is in them (DeleteTopics, KIP-4).
    ///
    /// - Returns: a result for each topic by its name. Code: `unknownTopicOrPartition`.
    /// - Throws: ``KafkaError`` when the request as a whole failed; see ``KafkaAdmin``.
    public func deleteTopics(
        _ topics: [String],
        timeout: Duration = .seconds(30)
    ) async throws -> [String: Result<Void, KafkaError>] {
        let request = self.core.request(
            operation: "delete topics",
            kind: RD_KAFKA_ADMIN_OP_DELETETOPICS,
            timeout: timeout,
            isChange: true
        )
        return try await self.core.change(
            Array(Set(topics)),
            named: \.self,
            request: request,
            make: { topic throws(KafkaError) in rd_kafka_DeleteTopic_new(topic) },
            destroy: rd_kafka_DeleteTopic_destroy,
            send: rd_kafka_DeleteTopics,
            read: { rd_kafka_DeleteTopics_result_topics(rd_kafka_event_DeleteTopics_result($0), $1) }
        )
    }

    /// Deletes a topic with all that is in it.
    ///
    /// - Throws: ``KafkaError``, as ``deleteTopics(_:timeout:)`` has it.
    public func deleteTopic(_ name: String, timeout: Duration = .seconds(30)) async throws {
        try await self.deleteTopics([name], timeout: timeout)[name]?.get()
    }

    /// Adds partitions to topics (CreatePartitions, KIP-195).
    ///
    /// Records with a key may go to another partition from then on than those of the same key before.
    ///
    /// - Returns: a result for each topic by its name. Codes: `unknownTopicOrPartition`, `invalidRequest` when the topic has
    ///   as many partitions already.
    /// - Throws: ``KafkaError`` when the request as a whole failed; see ``KafkaAdmin``.
    public func createPartitions(
        _ partitions: [KafkaNewPartitions],
        validateOnly: Bool = false,
        timeout: Duration = .seconds(30)
    ) async throws -> [String: Result<Void, KafkaError>] {
        let request = self.core.request(
            operation: "create partitions",
            kind: RD_KAFKA_ADMIN_OP_CREATEPARTITIONS,
            timeout: timeout,
            isChange: true,
            validateOnly: validateOnly
        )
        return try await self.core.change(
            partitions,
            named: \.topic,
            request: request,
            make: { partitions throws(KafkaError) in try partitions.makeObject(request) },
            destroy: rd_kafka_NewPartitions_destroy,
            send: rd_kafka_CreatePartitions,
            read: { rd_kafka_CreatePartitions_result_topics(rd_kafka_event_CreatePartitions_result($0), $1) }
        )
    }

    /// Adds partitions to a topic.
    ///
    /// - Parameter total: how many partitions the topic has then.
    /// - Throws: ``KafkaError``, as ``createPartitions(_:validateOnly:timeout:)`` has it.
    public func createPartitions(
        of topic: String,
        total: Int,
        timeout: Duration = .seconds(30)
    ) async throws {
        try await self.createPartitions([KafkaNewPartitions(topic: topic, total: total)], timeout: timeout)[topic]?
            .get()
    }
}

extension AdminCore {
    /// Changes several topics by one request, with a result for each.
    ///
    /// - Parameters:
    ///   - make: makes librdkafka's object for one of them, or says what is wrong with it.
    ///   - read: the results in an event.
    fileprivate func change<Item>(
        _ items: [Item],
        named name: (Item) -> String,
        request: AdminRequest,
        make: (Item) throws(KafkaError) -> OpaquePointer?,
        destroy: (OpaquePointer?) -> Void,
        send: (
            OpaquePointer?, UnsafeMutablePointer<OpaquePointer?>?, Int, OpaquePointer?, OpaquePointer?
        ) -> Void,
        read: @escaping @Sendable (OpaquePointer, UnsafeMutablePointer<Int>) -> UnsafeMutablePointer<OpaquePointer?>?
    ) async throws -> [String: Result<Void, KafkaError>] {
        var results: [String: Result<Void, KafkaError>] = [:]
        var objects: [OpaquePointer?] = []
        defer { objects.forEach(destroy) }
        var names: [String] = []
        for (name, items) in Dictionary(grouping: items, by: name) {
            do throws(KafkaError) {
                if let problem = AdminNames.problem(withTopic: name, request) { throw problem }
                guard items.count == 1, let item = items.first else {
                    throw request.invalid("the topic is named \(items.count) times in the same request", topic: name)
                }
                guard let object = try make(item) else { throw request.invalid("librdkafka refuses it", topic: name) }
                objects.append(object)
                names.append(name)
            } catch {
                results[name] = .failure(error)
            }
        }
        guard !objects.isEmpty else { return results }
        let answered = try await self.ask(request) { client, options, queue in
            let count = objects.count
            objects.withUnsafeMutableBufferPointer { send(client, $0.baseAddress, count, options, queue) }
        } read: { event in
            var count = 0
            let list = read(event, &count)
            var results: [String: Result<Void, KafkaError>] = [:]
            for index in 0..<count {
                guard let result = list?[index], let name = rd_kafka_topic_result_name(result) else { continue }
                let topic = String(cString: name)
                let response = rd_kafka_topic_result_error(result)
                results[topic] =
                    response == RD_KAFKA_RESP_ERR_NO_ERROR
                    ? .success(())
                    : .failure(request.error(response, text: rd_kafka_topic_result_error_string(result), topic: topic))
            }
            return .success(results)
        }
        results.merge(answered) { _, new in new }
        for name in names where results[name] == nil {
            results[name] = .failure(request.noAnswer(topic: name))
        }
        return results
    }
}

extension AdminRequest {
    /// The error of something that the brokers' answer does not mention.
    func noAnswer(topic: String? = nil, partition: Int32? = nil, group: String? = nil) -> KafkaError {
        KafkaError(
            .broker,
            operation: self.operation,
            topic: topic,
            partition: partition,
            group: group ?? self.group,
            message: "the cluster's answer does not mention it"
        )
    }
}

extension KafkaNewTopic {
    fileprivate func makeObject(_ request: AdminRequest) throws(KafkaError) -> OpaquePointer? {
        if self.replicas != nil, self.partitions != nil || self.replicationFactor != nil {
            throw request.invalid("`replicas` stand instead of `partitions` and `replicationFactor`", topic: self.name)
        }
        var text = [CChar](repeating: 0, count: 512)
        let partitions = self.replicas?.count ?? self.partitions
        // 0 is refused here, since -1 is librdkafka's name of the brokers' default.
        if let partitions, partitions < 1 {
            throw request.invalid("\(partitions) is not a number of partitions", topic: self.name)
        }
        if let replicationFactor, replicationFactor < 1 {
            throw request.invalid("\(replicationFactor) is not a replication factor", topic: self.name)
        }
        guard
            let object = rd_kafka_NewTopic_new(
                self.name,
                Int32(clamping: partitions ?? -1),
                Int32(clamping: self.replicationFactor ?? -1),
                &text,
                text.count
            )
        else {
            throw request.invalid(String(nullTerminated: text), topic: self.name)
        }
        do throws(KafkaError) {
            for (partition, brokers) in (self.replicas ?? []).enumerated() {
                var brokers = brokers
                let response = rd_kafka_NewTopic_set_replica_assignment(
                    object,
                    Int32(clamping: partition),
                    &brokers,
                    brokers.count,
                    &text,
                    text.count
                )
                guard response == RD_KAFKA_RESP_ERR_NO_ERROR else {
                    throw request.invalid(String(nullTerminated: text), topic: self.name)
                }
            }
            for (name, value) in self.settings {
                let problem = AdminNames.problem(withSetting: name, value: value, of: self.name, request)
                if let problem { throw problem }
                rd_kafka_NewTopic_set_config(object, name, value)
            }
        } catch {
            rd_kafka_NewTopic_destroy(object)
            throw error
        }
        return object
    }
}

extension KafkaNewPartitions {
    fileprivate func makeObject(_ request: AdminRequest) throws(KafkaError) -> OpaquePointer? {
        var text = [CChar](repeating: 0, count: 512)
        guard
            self.total > 0,
            let object = rd_kafka_NewPartitions_new(self.topic, Int(self.total), &text, text.count)
        else {
            let reason = String(nullTerminated: text)
            throw request.invalid(
                reason.isEmpty ? "\(self.total) is not a number of partitions" : reason,
                topic: self.topic
            )
        }
        for (index, brokers) in (self.replicas ?? []).enumerated() {
            var brokers = brokers
            let response = rd_kafka_NewPartitions_set_replica_assignment(
                object,
                Int32(clamping: index),
                &brokers,
                brokers.count,
                &text,
                text.count
            )
            guard response == RD_KAFKA_RESP_ERR_NO_ERROR else {
                rd_kafka_NewPartitions_destroy(object)
                throw request.invalid(String(nullTerminated: text), topic: self.topic)
            }
        }
        return object
    }
}

internal import Logging

extension Broker {
    /// Makes topics (API 19).
    func createTopics(_ request: CreateTopicsRequest, _ exchange: Exchange) {
        var seen: Set<String> = []
        let twice = Set(request.topics.map(\.name).filter { !seen.insert($0).inserted })
        let topics = request.topics.map { asked -> CreateTopicsResponse.Topic in
            guard !twice.contains(asked.name) else {
                return .init(name: asked.name, errorCode: .invalidRequest, errorMessage: "Duplicate topic name.")
            }
            do {
                try self.create(asked, isTrial: request.validateOnly)
                return .init(name: asked.name, errorCode: .none, errorMessage: nil)
            } catch {
                let refusal = self.refusal(error)
                return .init(name: asked.name, errorCode: refusal.code, errorMessage: refusal.message)
            }
        }
        exchange.answer(CreateTopicsResponse(topics: topics))
    }

    private func create(_ asked: CreateTopicsRequest.Topic, isTrial: Bool) throws {
        var assignments: [[Int32]]?
        if !asked.assignments.isEmpty {
            guard asked.numPartitions == -1, asked.replicationFactor == -1 else {
                throw TopicCatalog.Refusal(
                    code: .invalidRequest,
                    message: "Both numPartitions or replicationFactor and replicasAssignments were set."
                )
            }
            let sorted = asked.assignments.sorted { $0.partitionIndex < $1.partitionIndex }
            guard sorted.enumerated().allSatisfy({ Int($1.partitionIndex) == $0 }) else {
                throw TopicCatalog.Refusal(
                    code: .invalidReplicaAssignment,
                    message: "Partitions must be numbered from 0, each once."
                )
            }
            assignments = sorted.map(\.brokerIDs)
        }
        let topic = try self.topics.create(
            asked.name,
            partitions: asked.numPartitions == -1 ? nil : Int(asked.numPartitions),
            replicationFactor: asked.replicationFactor == -1 ? nil : Int(asked.replicationFactor),
            replicas: assignments,
            settings: try Self.settings(asked.configs.map { ($0.name, $0.value) }),
            nodes: self.nodes.ids,
            now: self.now,
            isTrial: isTrial
        )
        if let topic { self.placeLeaders(of: topic) }
    }

    /// Settings from a request; a null value leaves the default.
    static func settings(_ pairs: [(String, String?)]) throws -> [String: String] {
        var settings: [String: String] = [:]
        for (name, value) in pairs {
            guard let value else {
                throw TopicCatalog.Refusal(
                    code: .invalidConfig,
                    message: "Null value not supported for topic configs: \(name)"
                )
            }
            settings[name] = value
        }
        return settings
    }

    /// Removes topics and what they hold (API 20).
    func deleteTopics(_ request: DeleteTopicsRequest, _ exchange: Exchange) {
        let answers = request.topicNames.map { name -> DeleteTopicsResponse.Topic in
            guard let topic = self.topics.topics[name] else {
                return .init(name: name, errorCode: .unknownTopicOrPartition)
            }
            do {
                try self.remove(topic)
                return .init(name: name, errorCode: .none)
            } catch {
                return .init(name: name, errorCode: self.refusal(error).code)
            }
        }
        exchange.answer(DeleteTopicsResponse(responses: answers))
    }

    /// Removes a topic, the offsets that groups committed in it, and wakes who waits for its records.
    func remove(_ topic: Topic) throws {
        try self.topics.delete(topic)
        self.groups.removeTopics([topic.name])
        self.settle()
        self.wakeFetches(of: topic.partitions.map(\.id))
    }

    /// Adds partitions to topics (API 37).
    func createPartitions(_ request: CreatePartitionsRequest, _ exchange: Exchange) {
        let answers = request.topics.map { asked -> CreatePartitionsResponse.Topic in
            guard let topic = self.topics.topics[asked.name] else {
                return .init(name: asked.name, errorCode: .unknownTopicOrPartition, errorMessage: nil)
            }
            do {
                try self.topics.grow(
                    topic,
                    to: Int(asked.count),
                    replicas: asked.assignments.map { $0.map(\.brokerIDs) },
                    nodes: self.nodes.ids,
                    now: self.now,
                    isTrial: request.validateOnly
                )
                self.placeLeaders(of: topic)
                return .init(name: asked.name, errorCode: .none, errorMessage: nil)
            } catch {
                let refusal = self.refusal(error)
                return .init(name: asked.name, errorCode: refusal.code, errorMessage: refusal.message)
            }
        }
        exchange.answer(CreatePartitionsResponse(results: answers))
    }

    /// What a client is told of an error.
    func refusal(_ error: any Error) -> TopicCatalog.Refusal {
        if let refusal = error as? TopicCatalog.Refusal { return refusal }
        self.logger.error("the storage failed", metadata: ["reason": "\(error)"])
        return TopicCatalog.Refusal(code: .storageError, message: "The storage failed.")
    }

    // MARK: Leaders

    /// Gives partitions whose leader is stopped to another of their replicas, and those without a leader to one that is up.
    func placeLeaders(of topic: Topic) {
        var changed: [TopicPartition] = []
        for partition in topic.partitions {
            if let leader = partition.leader, self.nodes.isUp(leader) { continue }
            let next = partition.replicas.first(where: self.nodes.isUp)
            guard next != partition.leader else { continue }
            partition.lead(by: next)
            changed.append(partition.id)
        }
        guard !changed.isEmpty else { return }
        do {
            try self.topics.save(topic)
        } catch {
            self.logger.error("the journal can't be written", metadata: ["reason": "\(error)"])
        }
        self.wakeFetches(of: changed)
    }
}

internal import Logging

extension Broker {
    /// Says which versions of which APIs there are (API 18, KIP-35, KIP-511).
    func apiVersions(_ exchange: Exchange) {
        exchange.answer(
            ApiVersionsResponse(
                errorCode: .none,
                apiKeys: APIKey.allCases.map { api in
                    ApiVersionsResponse.ApiVersion(
                        apiKey: api.rawValue,
                        minVersion: api.advertised.lowerBound,
                        maxVersion: api.advertised.upperBound
                    )
                }
            )
        )
    }

    /// Says which nodes and topics there are, and who leads (API 3). May make topics.
    func metadata(_ request: MetadataRequest, _ exchange: Exchange) {
        let names = request.topics?.uniqued() ?? self.topics.topics.keys.sorted()
        let mayCreate =
            request.allowAutoTopicCreation && self.options.createsTopicsAutomatically && request.topics != nil
        let topics = names.map { name in
            if let topic = self.topics.topics[name] { return self.describe(topic, version: exchange.version) }
            guard Topic.isValid(name: name) else { return MetadataResponse.Topic(errorCode: .invalidTopic, name: name) }
            guard mayCreate else {
                return MetadataResponse.Topic(errorCode: .unknownTopicOrPartition, name: name)
            }
            switch self.makeTopic(name) {
            case .success(let topic): return self.describe(topic, version: exchange.version)
            case .failure(let code): return MetadataResponse.Topic(errorCode: code, name: name)
            }
        }
        exchange.answer(self.metadata(of: topics))
    }

    /// What is told of topics, with the nodes that are up.
    func metadata(of topics: [MetadataResponse.Topic]) -> MetadataResponse {
        MetadataResponse(
            brokers: self.nodes.up.map { node in
                MetadataResponse.Broker(nodeID: node.id, host: node.host, port: Int32(node.port))
            },
            clusterID: self.clusterID,
            controllerID: self.nodes.controller ?? -1,
            topics: topics
        )
    }

    /// Makes a topic that somebody uses before anybody made it.
    func makeTopic(_ name: String) -> Result<Topic, ErrorCode> {
        do {
            guard
                let topic = try self.topics.create(
                    name,
                    partitions: nil,
                    replicationFactor: nil,
                    nodes: self.nodes.ids,
                    now: self.now
                )
            else { return .failure(.unknownServerError) }
            self.placeLeaders(of: topic)
            return .success(topic)
        } catch let refusal as TopicCatalog.Refusal {
            return .failure(refusal.code)
        } catch {
            self.logger.error("a topic can't be made", metadata: ["topic": "\(name)", "reason": "\(error)"])
            return .failure(.storageError)
        }
    }

    private func describe(_ topic: Topic, version: Int16) -> MetadataResponse.Topic {
        MetadataResponse.Topic(
            errorCode: .none,
            name: topic.name,
            isInternal: topic.isInternal,
            partitions: topic.partitions.map { partition in
                let inSync = partition.replicas.filter(self.nodes.isUp)
                return MetadataResponse.Partition(
                    errorCode: partition.leader == nil ? .leaderNotAvailable : .none,
                    partitionIndex: partition.id.partition,
                    leaderID: partition.leader ?? -1,
                    leaderEpoch: partition.leaderEpoch,
                    replicaNodes: partition.replicas,
                    isrNodes: inSync,
                    offlineReplicas: partition.replicas.filter { !self.nodes.isUp($0) }
                )
            }
        )
    }

    /// Says which nodes there are (API 60, KIP-700).
    func describeCluster(_ request: DescribeClusterRequest, _ exchange: Exchange) {
        exchange.answer(
            DescribeClusterResponse(
                clusterID: self.clusterID,
                controllerID: self.nodes.controller ?? -1,
                brokers: self.nodes.up.map { node in
                    DescribeClusterResponse.Broker(brokerID: node.id, host: node.host, port: Int32(node.port))
                }
            )
        )
    }

    /// Says which node coordinates a group or a transaction (API 10).
    func findCoordinator(_ request: FindCoordinatorRequest, _ exchange: Exchange) {
        guard request.keyType == 0 || request.keyType == 1 else {
            return exchange.answer(FindCoordinatorResponse(errorCode: .invalidRequest))
        }
        let key = NodeTable.CoordinatorKey(isTransaction: request.keyType == 1, id: request.key)
        guard let id = self.nodes.coordinator(of: key), let node = self.nodes[id] else {
            return exchange.answer(FindCoordinatorResponse(errorCode: .coordinatorNotAvailable))
        }
        exchange.answer(
            FindCoordinatorResponse(errorCode: .none, nodeID: node.id, host: node.host, port: Int32(node.port))
        )
    }

    /// Whether this node coordinates the group; else the error for who asks it.
    func coordinates(group: String, _ exchange: Exchange) -> Bool {
        self.nodes.coordinator(of: .init(isTransaction: false, id: group)) == exchange.node
    }

    /// Whether this node coordinates the transaction; else the error for who asks it.
    func coordinates(transaction id: String, _ exchange: Exchange) -> Bool {
        self.nodes.coordinator(of: .init(isTransaction: true, id: id)) == exchange.node
    }
}

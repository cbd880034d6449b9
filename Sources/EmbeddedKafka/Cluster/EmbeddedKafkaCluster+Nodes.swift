extension EmbeddedKafkaCluster {
    /// Stops a node: its socket is closed, its connections are cut, and what it led goes to the other replicas.
    /// - Parameter node: From 1.
    public func stopNode(_ node: Int32) async throws {
        try await self.onBroker { try $0.stopNode(node) }
        try await self.closeSocket(of: node)
    }

    /// Starts a stopped node again, on its old address.
    public func startNode(_ node: Int32) async throws {
        try await self.onBroker { try $0.requireNode(node) }
        try await self.reopenSocket(of: node)
        try await self.onBroker { try $0.startNode(node) }
    }

    /// Makes another node lead a partition, with a new leader epoch.
    /// - Parameter node: One of the partition's replicas, and up.
    public func moveLeader(ofTopic topic: String, partition: Int32, to node: Int32) async throws {
        try await self.onBroker { try $0.moveLeader(of: TopicPartition(topic, partition), to: node) }
    }

    /// Makes another node coordinate a consumer group.
    public func moveCoordinator(ofGroup group: String, to node: Int32) async throws {
        try await self.onBroker { try $0.moveCoordinator(of: .init(isTransaction: false, id: group), to: node) }
    }

    /// Makes another node coordinate the transactions of a transactional id.
    public func moveCoordinator(ofTransactionalID id: String, to node: Int32) async throws {
        try await self.onBroker { try $0.moveCoordinator(of: .init(isTransaction: true, id: id), to: node) }
    }
}

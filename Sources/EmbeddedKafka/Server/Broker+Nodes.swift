extension Broker {
    /// Takes a node out: its partitions go to other replicas, its groups and transactions to other nodes.
    func stopNode(_ id: Int32) throws {
        try self.changeNode(id, isUp: false)
    }

    /// Brings a node back. It leads again only what has no leader; the rest stays where it went.
    func startNode(_ id: Int32) throws {
        try self.changeNode(id, isUp: true)
    }

    /// - Throws: When there is no such node.
    func requireNode(_ id: Int32) throws {
        guard self.nodes[id] != nil else {
            throw EmbeddedKafkaError(.unknownNode, "there is no node \(id); there are 1 to \(self.nodes.all.count)")
        }
    }

    private func changeNode(_ id: Int32, isUp: Bool) throws {
        try self.requireNode(id)
        self.movingCoordinators { $0.set(id, isUp: isUp) }
        for topic in self.topics.topics.values { self.placeLeaders(of: topic) }
    }

    /// Makes another replica lead.
    func moveLeader(of id: TopicPartition, to node: Int32) throws {
        guard let topic = self.topics.topics[id.topic], let partition = topic.partition(id.partition) else {
            throw EmbeddedKafkaError(.unknownTopic, "there is no partition \(id)")
        }
        guard partition.replicas.contains(node), self.nodes.isUp(node) else {
            throw EmbeddedKafkaError(
                .unknownNode,
                "node \(node) can't lead \(id): its replicas are \(partition.replicas), and it must be up"
            )
        }
        partition.lead(by: node)
        try self.topics.save(topic)
        self.wakeFetches(of: [id])
    }

    /// Makes another node coordinate a group or a transaction.
    func moveCoordinator(of key: NodeTable.CoordinatorKey, to node: Int32) throws {
        guard self.nodes.isUp(node) else {
            throw EmbeddedKafkaError(.unknownNode, "node \(node) can't coordinate: it is not up, or not there")
        }
        self.movingCoordinators { $0.movedCoordinators[key] = node }
    }

    /// Changes the nodes. Who waits at a group's old coordinator is told to look for the new one.
    private func movingCoordinators(_ change: (inout NodeTable) -> Void) {
        func coordinators() -> [String: Int32?] {
            Dictionary(
                uniqueKeysWithValues: self.groups.groups.keys.map { group in
                    (group, self.nodes.coordinator(of: .init(isTransaction: false, id: group)))
                }
            )
        }
        let before = coordinators()
        change(&self.nodes)
        for (group, node) in coordinators() where before[group] != node {
            self.perform(self.groups.moved(group: group, now: self.now))
        }
        self.settle()
    }
}

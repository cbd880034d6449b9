extension Broker {
    /// Commits a group's offsets (API 8).
    func offsetCommit(_ request: OffsetCommitRequest, _ exchange: Exchange) {
        guard self.coordinates(group: request.groupID, exchange) else {
            return request.refuse(.notCoordinator, exchange)
        }
        let topics = self.commit(request.topics) { partitions in
            self.groups.commitOffsets(
                OffsetCommit(
                    group: request.groupID,
                    member: request.memberID,
                    instance: request.groupInstanceID,
                    generation: request.generationID,
                    partitions: partitions
                ),
                now: self.now
            )
        }
        exchange.answer(OffsetCommitResponse(topics: topics))
    }

    /// Commits what is asked for the partitions that exist, and answers for all.
    func commit(
        _ topics: [OffsetCommitRequest.Topic],
        _ commit: ([OffsetCommit.Partition]) -> [ErrorCode]
    ) -> [OffsetCommitResponse.Topic] {
        var known: [OffsetCommit.Partition] = []
        for topic in topics {
            for asked in topic.partitions {
                let id = TopicPartition(topic.name, asked.partitionIndex)
                guard self.topics.partition(id) != nil else { continue }
                known.append(
                    OffsetCommit.Partition(
                        partition: id,
                        offset: asked.committedOffset,
                        leaderEpoch: asked.committedLeaderEpoch,
                        metadata: asked.committedMetadata ?? ""
                    )
                )
            }
        }
        let codes = known.isEmpty ? [] : commit(known)
        let byPartition = Dictionary(zip(known.map(\.partition), codes)) { $1 }
        return topics.map { topic in
            .init(
                name: topic.name,
                partitions: topic.partitions.map { asked in
                    .init(
                        partitionIndex: asked.partitionIndex,
                        errorCode: byPartition[TopicPartition(topic.name, asked.partitionIndex)]
                            ?? .unknownTopicOrPartition
                    )
                }
            )
        }
    }

    /// Reads a group's offsets (API 9).
    func offsetFetch(_ request: OffsetFetchRequest, _ exchange: Exchange) {
        guard self.coordinates(group: request.groupID, exchange) else {
            return request.refuse(.notCoordinator, exchange)
        }
        let asked = request.topics.map { topics in
            topics.flatMap { topic in topic.partitionIndexes.map { TopicPartition(topic.name, $0) } }.uniqued()
        }
        let found = self.groups.fetchOffsets(
            group: request.groupID,
            partitions: asked,
            requiresStable: request.requireStable
        )
        var order: [String] = []
        var partitions: [String: [OffsetFetchResponse.Partition]] = [:]
        for each in found {
            if partitions[each.partition.topic] == nil { order.append(each.partition.topic) }
            partitions[each.partition.topic, default: []].append(
                .init(
                    partitionIndex: each.partition.partition,
                    committedOffset: each.committed?.offset ?? -1,
                    committedLeaderEpoch: each.committed?.leaderEpoch ?? -1,
                    metadata: each.committed?.metadata ?? "",
                    errorCode: each.error
                )
            )
        }
        exchange.answer(OffsetFetchResponse(topics: order.map { .init(name: $0, partitions: partitions[$0] ?? []) }))
    }

    /// Removes a group's offsets (API 47, KIP-496).
    func offsetDelete(_ request: OffsetDeleteRequest, _ exchange: Exchange) {
        guard self.coordinates(group: request.groupID, exchange) else {
            return request.refuse(.notCoordinator, exchange)
        }
        let asked = request.topics.flatMap { topic in
            topic.partitions.map { TopicPartition(topic.name, $0.partitionIndex) }
        }
        let known = asked.filter { self.topics.partition($0) != nil }
        let result = self.groups.deleteOffsets(group: request.groupID, partitions: known)
        guard result.error == .none else { return exchange.answer(OffsetDeleteResponse(errorCode: result.error)) }
        let byPartition = Dictionary(zip(known, result.partitions)) { $1 }
        exchange.answer(
            OffsetDeleteResponse(
                topics: request.topics.map { topic in
                    .init(
                        name: topic.name,
                        partitions: topic.partitions.map { each in
                            .init(
                                partitionIndex: each.partitionIndex,
                                errorCode: byPartition[TopicPartition(topic.name, each.partitionIndex)]
                                    ?? .unknownTopicOrPartition
                            )
                        }
                    )
                }
            )
        )
    }
}

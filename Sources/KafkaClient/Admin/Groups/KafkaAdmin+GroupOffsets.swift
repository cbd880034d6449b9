internal import CLibrdkafka

// MARK: Offsets of consumer groups

extension KafkaAdmin {
    /// The offsets that a group has committed (OffsetFetch).
    ///
    /// - Parameters:
    ///   - partitions: which; `nil` for all that have one.
    ///   - requireStable: whether a partition fails with a retriable error while an open transaction may still change its
    ///     offset (KIP-447). Default: what is committed now.
    /// - Returns: a result for each partition; those without an offset are left out, also all of a group that does not exist.
    /// - Throws: ``KafkaError`` when the request as a whole failed; see ``KafkaAdmin``.
    public func listGroupOffsets(
        _ group: String,
        for partitions: [KafkaTopicPartition]? = nil,
        requireStable: Bool = false,
        timeout: Duration = .seconds(30)
    ) async throws -> [KafkaTopicPartition: Result<KafkaCommittedOffset, KafkaError>] {
        let request = self.core.request(
            operation: "list group offsets",
            kind: RD_KAFKA_ADMIN_OP_LISTCONSUMERGROUPOFFSETS,
            timeout: timeout,
            group: group
        )
        if let problem = AdminNames.problem(withGroup: group, request) { throw problem }
        let (asked, rejected):
            ([KafkaTopicPartition], [KafkaTopicPartition: Result<KafkaCommittedOffset, KafkaError>]) =
                AdminNames.sort(partitions ?? []) { AdminNames.problem(with: $0, request) }
        if partitions != nil, asked.isEmpty { return rejected }
        let list = partitions == nil ? nil : PartitionList(asked)
        let found = try await self.core.ask(request) { client, options, queue throws(KafkaError) in
            try request.listGroupOffsets(
                for: list,
                requireStable: requireStable,
                client: client,
                options: options,
                queue: queue
            )
        } read: {
            request.groupOffsets(in: $0)
        }
        return rejected.merging(found) { _, new in new }
    }

    /// Commits offsets for a group from outside (OffsetCommit).
    ///
    /// The group must not have members: with some, every partition is refused.
    ///
    /// - Parameter offsets: the offset of the next record to be processed, per partition.
    /// - Returns: a result for each partition. Codes: `groupMembership` while the group has members,
    ///   `unknownTopicOrPartition`, `invalidRequest` for what is not an offset.
    /// - Throws: ``KafkaError`` when the request as a whole failed; see ``KafkaAdmin``.
    public func alterGroupOffsets(
        _ group: String,
        to offsets: [KafkaTopicPartition: Int64],
        timeout: Duration = .seconds(30)
    ) async throws -> [KafkaTopicPartition: Result<Void, KafkaError>] {
        let request = self.core.request(
            operation: "alter group offsets",
            kind: RD_KAFKA_ADMIN_OP_ALTERCONSUMERGROUPOFFSETS,
            timeout: timeout,
            isChange: true,
            group: group
        )
        if let problem = AdminNames.problem(withGroup: group, request) { throw problem }
        let (asked, rejected): ([KafkaTopicPartition], [KafkaTopicPartition: Result<Void, KafkaError>]) =
            AdminNames.sort(offsets.keys) { partition in
                if let problem = AdminNames.problem(with: partition, request) { return problem }
                let offset = offsets[partition] ?? 0
                guard offset < 0 else { return nil }
                return request.invalid(
                    "\(offset) is not an offset",
                    topic: partition.topic,
                    partition: partition.partition
                )
            }
        guard !asked.isEmpty else { return rejected }
        let list = PartitionList(offsets.filter { rejected[$0.key] == nil })
        let found = try await self.core.ask(request) { client, options, queue in
            var object = rd_kafka_AlterConsumerGroupOffsets_new(group, list.pointer)
            rd_kafka_AlterConsumerGroupOffsets(client, &object, 1, options, queue)
            rd_kafka_AlterConsumerGroupOffsets_destroy(object)
        } read: { event in
            let result = rd_kafka_event_AlterConsumerGroupOffsets_result(event)
            return request.partitions(of: event) {
                rd_kafka_AlterConsumerGroupOffsets_result_groups(result, $0)
            } read: {
                _ -> Void? in
                ()
            }
        }
        return rejected.merging(request.complete(found, asked)) { _, new in new }
    }

    /// Deletes offsets that a group has committed (OffsetDelete, KIP-496).
    ///
    /// - Returns: a result for each partition; one without an offset has nothing to delete, which is no error. Codes:
    ///   `groupMembership` for a topic that members of the group read, `unknownTopicOrPartition`.
    /// - Throws: ``KafkaError`` when the request as a whole failed, with the code `unknownGroup` for a group that does not
    ///   exist; see ``KafkaAdmin``.
    public func deleteGroupOffsets(
        _ group: String,
        of partitions: [KafkaTopicPartition],
        timeout: Duration = .seconds(30)
    ) async throws -> [KafkaTopicPartition: Result<Void, KafkaError>] {
        let request = self.core.request(
            operation: "delete group offsets",
            kind: RD_KAFKA_ADMIN_OP_DELETECONSUMERGROUPOFFSETS,
            timeout: timeout,
            isChange: true,
            group: group
        )
        if let problem = AdminNames.problem(withGroup: group, request) { throw problem }
        let (asked, rejected): ([KafkaTopicPartition], [KafkaTopicPartition: Result<Void, KafkaError>]) =
            AdminNames.sort(partitions) { AdminNames.problem(with: $0, request) }
        guard !asked.isEmpty else { return rejected }
        let list = PartitionList(asked)
        let found = try await self.core.ask(request) { client, options, queue in
            var object = rd_kafka_DeleteConsumerGroupOffsets_new(group, list.pointer)
            rd_kafka_DeleteConsumerGroupOffsets(client, &object, 1, options, queue)
            rd_kafka_DeleteConsumerGroupOffsets_destroy(object)
        } read: { event in
            let result = rd_kafka_event_DeleteConsumerGroupOffsets_result(event)
            return request.partitions(of: event) {
                rd_kafka_DeleteConsumerGroupOffsets_result_groups(result, $0)
            } read: {
                _ -> Void? in
                ()
            }
        }
        return rejected.merging(request.complete(found, asked)) { _, new in new }
    }
}

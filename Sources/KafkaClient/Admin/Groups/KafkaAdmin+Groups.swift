internal import CLibrdkafka

// MARK: Consumer groups

extension KafkaAdmin {
    /// The consumer groups of the cluster, in the order of their names (ListGroups, KIP-518).
    ///
    /// - Parameter states: only groups in one of these states; `nil` for all.
    /// - Throws: ``KafkaError`` when one of the brokers could not be asked: then the list would not be whole; see
    ///   ``KafkaAdmin``.
    public func listGroups(
        states: Set<KafkaGroupState>? = nil,
        timeout: Duration = .seconds(30)
    ) async throws -> [KafkaGroupListing] {
        let request = self.core.request(
            operation: "list groups",
            kind: RD_KAFKA_ADMIN_OP_LISTCONSUMERGROUPS,
            timeout: timeout
        )
        let groups = try await self.core.ask(request) { client, options, queue in
            rd_kafka_ListConsumerGroups(client, options, queue)
        } read: { event -> Result<[KafkaGroupListing], KafkaError> in
            let result = rd_kafka_event_ListConsumerGroups_result(event)
            var count = 0
            if let errors = rd_kafka_ListConsumerGroups_result_errors(result, &count), count > 0, let error = errors[0]
            {
                return .failure(request.error(rd_kafka_error_code(error), text: rd_kafka_error_string(error)))
            }
            let list = rd_kafka_ListConsumerGroups_result_valid(result, &count)
            return .success((0..<count).compactMap { list?[$0].map(KafkaGroupListing.init) })
        }
        // Not by the brokers, since those before 2.6 know nothing of states.
        return groups.filter { states?.contains($0.state) ?? true }.sorted { $0.group < $1.group }
    }

    /// Consumer groups with their members and what these read (DescribeGroups).
    ///
    /// - Returns: a result for each group by its name; one that does not exist is `dead` (with Apache Kafka 4 the code
    ///   `unknownGroup`). Code: `invalidRequest` for a group that is not one of consumers.
    /// - Throws: ``KafkaError`` when the request as a whole failed; see ``KafkaAdmin``.
    public func describeGroups(
        _ groups: [String],
        timeout: Duration = .seconds(30)
    ) async throws -> [String: Result<KafkaGroupDescription, KafkaError>] {
        let request = self.core.request(
            operation: "describe groups",
            kind: RD_KAFKA_ADMIN_OP_DESCRIBECONSUMERGROUPS,
            timeout: timeout
        )
        var (names, results): ([String], [String: Result<KafkaGroupDescription, KafkaError>]) = AdminNames.sort(groups)
        {
            AdminNames.problem(withGroup: $0, request)
        }
        guard !names.isEmpty else { return results }
        names.sort()
        let answered = try await self.core.ask(request) { client, options, queue in
            withCStrings(names) { rd_kafka_DescribeConsumerGroups(client, $0.baseAddress, $0.count, options, queue) }
        } read: { event -> Result<[String: Result<KafkaGroupDescription, KafkaError>], KafkaError> in
            var count = 0
            let list = rd_kafka_DescribeConsumerGroups_result_groups(
                rd_kafka_event_DescribeConsumerGroups_result(event),
                &count
            )
            var results: [String: Result<KafkaGroupDescription, KafkaError>] = [:]
            for index in 0..<count {
                guard let group = list?[index] else { continue }
                let description = KafkaGroupDescription(group)
                let error = rd_kafka_ConsumerGroupDescription_error(group)
                if let error, rd_kafka_error_code(error) != RD_KAFKA_RESP_ERR_NO_ERROR {
                    results[description.group] = .failure(
                        request.error(
                            rd_kafka_error_code(error),
                            text: rd_kafka_error_string(error),
                            group: description.group
                        )
                    )
                } else {
                    results[description.group] = .success(description)
                }
            }
            return .success(results)
        }
        results.merge(answered) { _, new in new }
        for name in names where results[name] == nil { results[name] = .failure(request.noAnswer(group: name)) }
        return results
    }

    /// A consumer group with its members and what these read.
    ///
    /// - Throws: ``KafkaError``, as ``describeGroups(_:timeout:)`` has it.
    public func describeGroup(_ group: String, timeout: Duration = .seconds(30)) async throws -> KafkaGroupDescription {
        guard let result = try await self.describeGroups([group], timeout: timeout)[group] else {
            throw KafkaError(RD_KAFKA_RESP_ERR_GROUP_ID_NOT_FOUND, operation: "describe groups", group: group)
        }
        return try result.get()
    }

    /// Deletes consumer groups with all offsets that they have committed (DeleteGroups, KIP-229).
    ///
    /// - Returns: a result for each group by its name. Codes: `unknownGroup`, `groupMembership` for a group that has members.
    /// - Throws: ``KafkaError`` when the request as a whole failed; see ``KafkaAdmin``.
    public func deleteGroups(
        _ groups: [String],
        timeout: Duration = .seconds(30)
    ) async throws -> [String: Result<Void, KafkaError>] {
        let request = self.core.request(
            operation: "delete groups",
            kind: RD_KAFKA_ADMIN_OP_DELETEGROUPS,
            timeout: timeout,
            isChange: true
        )
        var (names, results): ([String], [String: Result<Void, KafkaError>]) = AdminNames.sort(groups) {
            AdminNames.problem(withGroup: $0, request)
        }
        guard !names.isEmpty else { return results }
        names.sort()
        let answered = try await self.core.ask(request) { client, options, queue in
            var objects = names.map { rd_kafka_DeleteGroup_new($0) }
            rd_kafka_DeleteGroups(client, &objects, objects.count, options, queue)
            rd_kafka_DeleteGroup_destroy_array(&objects, objects.count)
        } read: { event -> Result<[String: Result<Void, KafkaError>], KafkaError> in
            var count = 0
            let list = rd_kafka_DeleteGroups_result_groups(rd_kafka_event_DeleteGroups_result(event), &count)
            var results: [String: Result<Void, KafkaError>] = [:]
            for index in 0..<count {
                guard let result = list?[index], let name = rd_kafka_group_result_name(result) else { continue }
                let group = String(cString: name)
                results[group] = request.failure(of: result, group: group).map { .failure($0) } ?? .success(())
            }
            return .success(results)
        }
        results.merge(answered) { _, new in new }
        for name in names where results[name] == nil { results[name] = .failure(request.noAnswer(group: name)) }
        return results
    }

    /// Deletes a consumer group with all offsets that it has committed.
    ///
    /// - Throws: ``KafkaError``, as ``deleteGroups(_:timeout:)`` has it.
    public func deleteGroup(_ group: String, timeout: Duration = .seconds(30)) async throws {
        try await self.deleteGroups([group], timeout: timeout)[group]?.get()
    }
}

extension AdminRequest {
    /// What went wrong with a group as a whole.
    func failure(of result: OpaquePointer, group: String) -> KafkaError? {
        guard let error = rd_kafka_group_result_error(result),
            rd_kafka_error_code(error) != RD_KAFKA_RESP_ERR_NO_ERROR
        else { return nil }
        return self.error(rd_kafka_error_code(error), text: rd_kafka_error_string(error), group: group)
    }
}

/// Calls `body` with strings as C has them.
private func withCStrings(_ strings: [String], _ body: (UnsafeMutableBufferPointer<UnsafePointer<CChar>?>) -> Void) {
    let copies = strings.map { string -> UnsafeMutableBufferPointer<CChar> in
        let copy = UnsafeMutableBufferPointer<CChar>.allocate(capacity: string.utf8.count + 1)
        _ = copy.initialize(from: string.utf8CString)
        return copy
    }
    defer { copies.forEach { $0.deallocate() } }
    var pointers = copies.map { UnsafePointer($0.baseAddress) }
    pointers.withUnsafeMutableBufferPointer { body($0) }
}

extension KafkaGroupListing {
    fileprivate init(_ group: OpaquePointer) {
        self.init(
            group: rd_kafka_ConsumerGroupListing_group_id(group).map { String(cString: $0) } ?? "",
            state: KafkaGroupState(rd_kafka_ConsumerGroupListing_state(group)),
            isSimple: rd_kafka_ConsumerGroupListing_is_simple_consumer_group(group) == 1
        )
    }
}

extension KafkaGroupDescription {
    fileprivate init(_ group: OpaquePointer) {
        self.init(
            group: rd_kafka_ConsumerGroupDescription_group_id(group).map { String(cString: $0) } ?? "",
            state: KafkaGroupState(rd_kafka_ConsumerGroupDescription_state(group)),
            isSimple: rd_kafka_ConsumerGroupDescription_is_simple_consumer_group(group) == 1,
            assignor: rd_kafka_ConsumerGroupDescription_partition_assignor(group).map { String(cString: $0) } ?? "",
            coordinator: rd_kafka_ConsumerGroupDescription_coordinator(group).map(KafkaNode.init),
            members: (0..<rd_kafka_ConsumerGroupDescription_member_count(group)).compactMap { index in
                rd_kafka_ConsumerGroupDescription_member(group, index).map(Member.init)
            }
        )
    }
}

extension KafkaGroupDescription.Member {
    fileprivate init(_ member: OpaquePointer) {
        let partitions = rd_kafka_MemberDescription_assignment(member)
            .flatMap { rd_kafka_MemberAssignment_partitions($0) }
            .map { PartitionList(borrowing: UnsafeMutablePointer(mutating: $0)).partitions }
        self.init(
            memberID: rd_kafka_MemberDescription_consumer_id(member).map { String(cString: $0) } ?? "",
            groupInstanceID: rd_kafka_MemberDescription_group_instance_id(member).map { String(cString: $0) },
            clientID: rd_kafka_MemberDescription_client_id(member).map { String(cString: $0) } ?? "",
            host: rd_kafka_MemberDescription_host(member).map { String(cString: $0) } ?? "",
            assignment: Set(partitions ?? [])
        )
    }
}

extension KafkaNode {
    fileprivate init(_ node: OpaquePointer) {
        self.init(
            id: rd_kafka_Node_id(node),
            host: rd_kafka_Node_host(node).map { String(cString: $0) } ?? "",
            port: Int(rd_kafka_Node_port(node))
        )
    }
}

internal import CLibrdkafka

// MARK: Settings

extension KafkaAdmin {
    /// The settings of topics and brokers, each with where its value comes from (DescribeConfigs, KIP-133, KIP-226).
    ///
    /// - Returns: a result for each, with the settings in the order of their names. Code: `unknownTopicOrPartition`.
    /// - Throws: ``KafkaError`` when the request as a whole failed; see ``KafkaAdmin``.
    public func describeConfigs(
        _ resources: [KafkaConfigResource],
        timeout: Duration = .seconds(30)
    ) async throws -> [KafkaConfigResource: Result<[KafkaConfigEntry], KafkaError>] {
        let request = self.core.request(
            operation: "describe configs",
            kind: RD_KAFKA_ADMIN_OP_DESCRIBECONFIGS,
            timeout: timeout
        )
        let (good, rejected): ([KafkaConfigResource], [KafkaConfigResource: Result<[KafkaConfigEntry], KafkaError>]) =
            AdminNames.sort(resources) { $0.problem(request) }
        return try await self.core.askResources(
            good.reduce(into: [:]) { $0[$1] = [:] },
            results: rejected,
            request: request,
            make: { _, _ in nil },
            send: rd_kafka_DescribeConfigs,
            list: { rd_kafka_DescribeConfigs_result_resources(rd_kafka_event_DescribeConfigs_result($0), $1) },
            read: KafkaConfigEntry.entries
        )
    }

    /// The settings of a topic or a broker in the order of their names.
    ///
    /// - Throws: ``KafkaError``, as ``describeConfigs(_:timeout:)`` has it.
    public func describeConfigs(
        of resource: KafkaConfigResource,
        timeout: Duration = .seconds(30)
    ) async throws -> [KafkaConfigEntry] {
        try await self.describeConfigs([resource], timeout: timeout)[resource]?.get() ?? []
    }

    /// Changes single settings and leaves the others as they are (IncrementalAlterConfigs, KIP-339).
    ///
    /// librdkafka can do this since version 2.2. With an older one, or one built with older headers, the settings of a
    /// **topic** are read, changed and written as a whole: somebody who changes the same topic between the two requests is
    /// overwritten, and a topic that has a sensitive setting of its own gets an error with the code `unsupported`. So does a
    /// **broker** then, whose secrets nobody can read.
    ///
    /// ```swift
    /// try await admin.alterConfigs(of: .topic("orders"), ["retention.ms": .set("86400000"), "segment.ms": .delete])
    /// ```
    ///
    /// - Returns: a result for each. All changes of one topic or broker are made or none. Codes: `unknownTopicOrPartition`,
    ///   `invalidRequest` for a setting or a value that does not exist, `unsupported`.
    /// - Throws: ``KafkaError`` when the request as a whole failed; see ``KafkaAdmin``.
    public func alterConfigs(
        _ changes: [KafkaConfigResource: [String: KafkaConfigChange]],
        validateOnly: Bool = false,
        timeout: Duration = .seconds(30)
    ) async throws -> [KafkaConfigResource: Result<Void, KafkaError>] {
        try await self.core.alterConfigs(
            changes,
            validateOnly: validateOnly,
            isIncremental: AdminCore.canAlterIncrementally,
            timeout: timeout
        )
    }

    /// Changes single settings of a topic or a broker and leaves the others as they are.
    ///
    /// - Throws: ``KafkaError``, as ``alterConfigs(_:validateOnly:timeout:)`` has it.
    public func alterConfigs(
        of resource: KafkaConfigResource,
        _ changes: [String: KafkaConfigChange],
        timeout: Duration = .seconds(30)
    ) async throws {
        try await self.alterConfigs([resource: changes], timeout: timeout)[resource]?.get()
    }
}

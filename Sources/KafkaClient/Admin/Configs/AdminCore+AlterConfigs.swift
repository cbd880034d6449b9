internal import CLibrdkafka

/// Changing settings, one by one or as a whole.
extension AdminCore {
    /// The first librdkafka that can change single settings.
    private static let incrementalVersion = LibrdkafkaVersion(2, 2)

    /// Whether the loaded librdkafka can change single settings, and the one that we were built with.
    static var canAlterIncrementally: Bool {
        LibrdkafkaVersion.loaded >= Self.incrementalVersion && kstream_has_incremental_alter_configs() != 0
    }

    func alterConfigs(
        _ changes: [KafkaConfigResource: [String: KafkaConfigChange]],
        validateOnly: Bool,
        isIncremental: Bool,
        timeout: Duration
    ) async throws -> [KafkaConfigResource: Result<Void, KafkaError>] {
        var request = self.request(
            operation: "alter configs",
            kind: RD_KAFKA_ADMIN_OP_ALTERCONFIGS,
            timeout: timeout,
            isChange: true,
            validateOnly: validateOnly
        )
        let (good, rejected): ([KafkaConfigResource], [KafkaConfigResource: Result<Void, KafkaError>]) =
            AdminNames.sort(changes.keys) { resource in
                resource.problem(request) ?? resource.problem(changes[resource] ?? [:], request)
            }
        let valid = changes.filter { good.contains($0.key) }
        guard isIncremental else {
            return try await self.replaceConfigs(valid, results: rejected, request: request)
        }
        request.kind = rd_kafka_admin_op_t(UInt32(bitPattern: kstream_incremental_alter_configs_operation()))
        return try await self.askResources(
            valid,
            results: rejected,
            request: request,
            make: { resource, changes in
                for (name, change) in changes {
                    let error = kstream_add_incremental_config(resource, name, change.operation, change.value)
                    guard let error else { continue }
                    defer { rd_kafka_error_destroy(error) }
                    return rd_kafka_error_string(error).map { String(cString: $0) } ?? "librdkafka refuses it"
                }
                return nil
            },
            send: kstream_incremental_alter_configs,
            list: { kstream_incremental_alter_configs_result($0, $1) },
            read: { _ in }
        )
    }

    /// Changes settings of topics by replacing all of them with what they are and what changes.
    private func replaceConfigs(
        _ changes: [KafkaConfigResource: [String: KafkaConfigChange]],
        results: [KafkaConfigResource: Result<Void, KafkaError>],
        request: AdminRequest
    ) async throws -> [KafkaConfigResource: Result<Void, KafkaError>] {
        var results = results
        var topics: [KafkaConfigResource: [String: KafkaConfigChange]] = [:]
        for (resource, changes) in changes {
            if case .topic = resource {
                topics[resource] = changes
            } else {
                results[resource] = .failure(
                    Self.needsIncremental(
                        "changing single settings of a \(resource) is not possible, since replacing all of them "
                            + "would lose those that can't be read",
                        of: resource,
                        request
                    )
                )
            }
        }
        guard !topics.isEmpty else { return results }
        let deadline = ContinuousClock.now + request.timeout
        var question = request
        question.kind = RD_KAFKA_ADMIN_OP_DESCRIBECONFIGS
        question.isChange = false
        question.validateOnly = false
        let current: [KafkaConfigResource: Result<[KafkaConfigEntry], KafkaError>] = try await self.askResources(
            topics.mapValues { _ in [:] },
            results: [:],
            request: question,
            make: { _, _ in nil },
            send: rd_kafka_DescribeConfigs,
            list: { rd_kafka_DescribeConfigs_result_resources(rd_kafka_event_DescribeConfigs_result($0), $1) },
            read: KafkaConfigEntry.entries
        )
        var whole: [KafkaConfigResource: [String: KafkaConfigChange]] = [:]
        for (resource, changes) in topics {
            do throws(KafkaError) {
                let entries = try (current[resource] ?? .failure(request.noAnswer(topic: resource.topic))).get()
                whole[resource] = try Self.settings(after: changes, of: resource, entries: entries, request)
                    .mapValues { .set($0) }
            } catch {
                results[resource] = .failure(error)
            }
        }
        var change = request
        change.timeout = max(.milliseconds(1), deadline - .now)
        return try await self.askResources(
            whole,
            results: results,
            request: change,
            make: { resource, settings in
                for (name, change) in settings {
                    rd_kafka_ConfigResource_set_config(resource, name, change.value)
                }
                return nil
            },
            send: rd_kafka_AlterConfigs,
            list: { rd_kafka_AlterConfigs_result_resources(rd_kafka_event_AlterConfigs_result($0), $1) },
            read: { _ in }
        )
    }

    private static func settings(
        after changes: [String: KafkaConfigChange],
        of resource: KafkaConfigResource,
        entries: [KafkaConfigEntry],
        _ request: AdminRequest
    ) throws(KafkaError) -> [String: String] {
        do throws(ConfigChanges.Problem) {
            return try ConfigChanges.apply(changes, to: entries)
        } catch {
            switch error {
            case .sensitive(let name):
                throw Self.needsIncremental(
                    "the topic has a setting \"\(name)\" whose value can't be read, and replacing all settings would lose it",
                    of: resource,
                    request
                )
            case .unknown(let name):
                throw request.invalid("there is no setting \"\(name)\"", topic: resource.topic)
            }
        }
    }

    private static func needsIncremental(
        _ message: String,
        of resource: KafkaConfigResource,
        _ request: AdminRequest
    ) -> KafkaError {
        KafkaError(
            .unsupported,
            operation: request.operation,
            topic: resource.topic,
            message: "\(message): this needs a program that is built and run with librdkafka 2.2 or later "
                + "(loaded: \(LibrdkafkaVersion.loaded))"
        )
    }
}

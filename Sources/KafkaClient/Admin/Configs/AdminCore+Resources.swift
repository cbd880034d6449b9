internal import CLibrdkafka

/// Requests about topics and brokers that have settings.
extension AdminCore {
    /// Asks about several topics and brokers, each broker by itself and the topics together, as librdkafka wants it.
    ///
    /// - Parameters:
    ///   - make: adds settings to librdkafka's object, or says what is wrong with them.
    ///   - list: the answers in an event.
    ///   - read: what an answer says.
    func askResources<R: Sendable>(
        _ asked: [KafkaConfigResource: [String: KafkaConfigChange]],
        results: [KafkaConfigResource: Result<R, KafkaError>],
        request: AdminRequest,
        make: @escaping @Sendable (OpaquePointer, [String: KafkaConfigChange]) -> String?,
        send:
            @escaping @Sendable (
                OpaquePointer?, UnsafeMutablePointer<OpaquePointer?>?, Int, OpaquePointer?, OpaquePointer?
            ) -> Void,
        list: @escaping @Sendable (OpaquePointer, UnsafeMutablePointer<Int>) -> UnsafeMutablePointer<OpaquePointer?>?,
        read: @escaping @Sendable (OpaquePointer) -> R
    ) async throws -> [KafkaConfigResource: Result<R, KafkaError>] {
        var parts: [[KafkaConfigResource]] = asked.keys.filter { $0.topic == nil }.map { [$0] }
        let topics = asked.keys.filter { $0.topic != nil }
        if !topics.isEmpty { parts.append(topics) }
        let isSplit = parts.count > 1
        return try await withThrowingTaskGroup(of: [KafkaConfigResource: Result<R, KafkaError>].self) { group in
            for part in parts {
                group.addTask {
                    do {
                        return try await self.askTogether(
                            part.reduce(into: [:]) { $0[$1] = asked[$1] },
                            request: request,
                            make: make,
                            send: send,
                            list: list,
                            read: read
                        )
                    } catch let error as KafkaError where isSplit && error.code != .closed {
                        // The others may have an answer.
                        return part.reduce(into: [:]) { $0[$1] = .failure(error) }
                    }
                }
            }
            var results = results
            for try await some in group { results.merge(some) { _, new in new } }
            return results
        }
    }

    private func askTogether<R: Sendable>(
        _ asked: [KafkaConfigResource: [String: KafkaConfigChange]],
        request: AdminRequest,
        make: (OpaquePointer, [String: KafkaConfigChange]) -> String?,
        send: (OpaquePointer?, UnsafeMutablePointer<OpaquePointer?>?, Int, OpaquePointer?, OpaquePointer?) -> Void,
        list: @escaping @Sendable (OpaquePointer, UnsafeMutablePointer<Int>) -> UnsafeMutablePointer<OpaquePointer?>?,
        read: @escaping @Sendable (OpaquePointer) -> R
    ) async throws -> [KafkaConfigResource: Result<R, KafkaError>] {
        var results: [KafkaConfigResource: Result<R, KafkaError>] = [:]
        var objects: [OpaquePointer?] = []
        defer { objects.forEach(rd_kafka_ConfigResource_destroy) }
        for (resource, changes) in asked {
            guard let object = rd_kafka_ConfigResource_new(resource.librdkafkaType, resource.name) else {
                results[resource] = .failure(request.invalid("librdkafka refuses it", topic: resource.topic))
                continue
            }
            if let problem = make(object, changes) {
                rd_kafka_ConfigResource_destroy(object)
                results[resource] = .failure(request.invalid(problem, topic: resource.topic))
            } else {
                objects.append(object)
            }
        }
        guard !objects.isEmpty else { return results }
        let answered = try await self.ask(request) { client, options, queue in
            let count = objects.count
            objects.withUnsafeMutableBufferPointer { send(client, $0.baseAddress, count, options, queue) }
        } read: { event in
            var count = 0
            let answers = list(event, &count)
            var results: [KafkaConfigResource: Result<R, KafkaError>] = [:]
            for index in 0..<count {
                guard let answer = answers?[index], let resource = KafkaConfigResource(answer) else { continue }
                let response = rd_kafka_ConfigResource_error(answer)
                if response == RD_KAFKA_RESP_ERR_NO_ERROR {
                    results[resource] = .success(read(answer))
                } else {
                    let text = rd_kafka_ConfigResource_error_string(answer)
                    results[resource] = .failure(request.error(response, text: text, topic: resource.topic))
                }
            }
            return .success(results)
        }
        results.merge(answered) { _, new in new }
        for resource in asked.keys where results[resource] == nil {
            results[resource] = .failure(request.noAnswer(topic: resource.topic))
        }
        return results
    }
}

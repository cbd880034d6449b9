internal import CLibrdkafka
internal import Dispatch
internal import Synchronization

/// What to read, and whether there is a broker to read from.
extension ConsumerCore {
    func subscribe(to topics: [String]) async throws(KafkaError) {
        let operation = "subscribe"
        guard self.configuration.group != nil else {
            throw KafkaError(
                .invalidState,
                operation: operation,
                message: "subscribing needs a consumer group: set `group`, or assign partitions"
            )
        }
        guard !topics.isEmpty else {
            throw KafkaError(.invalidState, operation: operation, message: "there are no topics to subscribe to")
        }
        for topic in topics {
            try TopicName.check(topic, operation: operation)
        }
        let client = try self.client(for: operation)
        try self.state.withLock { state throws(KafkaError) in
            try state.subscribe(to: .topics(topics), operation: operation)
        }
        try await self.onPump(client) { client throws(KafkaError) in
            if LibrdkafkaVersion.loaded < LibrdkafkaVersion(2, 3), !self.wasAssigned {
                client.setLeaked(self.configuration.assignors.contains(.cooperativeSticky))
            }
            try Self.subscribe(client, to: topics, operation: operation)
        }
        self.watchConnection(client)
    }

    static func subscribe(_ client: ClientHandle, to topics: [String], operation: String) throws(KafkaError) {
        let list = PartitionList(topics.map { KafkaTopicPartition(topic: $0, partition: -1) })
        let response = rd_kafka_subscribe(client.pointer, list.pointer)
        guard response == RD_KAFKA_RESP_ERR_NO_ERROR else {
            throw KafkaError(response, operation: operation, topic: topics.first)
        }
    }

    func assign(_ partitions: [KafkaTopicPartition: KafkaOffset]) async throws(KafkaError) {
        let operation = "assign"
        let client = try self.client(for: operation)
        try TopicName.check(partitions.keys, operation: operation)
        try self.state.withLock { state throws(KafkaError) in
            try state.subscribe(to: .partitions, operation: operation)
        }
        await self.gate.hold()
        defer { self.openGate() }
        try await self.onPump(client) { client throws(KafkaError) in
            let old = self.assignment
            if !old.isEmpty {
                self.tellListeners { $0.gaveUp(old) }
            }
            self.state.withLock { $0.reassigned(partitions) }
            for partition in self.partitionQueues.keys where partitions[partition] == nil {
                if let queue = self.partitionQueues.removeValue(forKey: partition) {
                    rd_kafka_queue_destroy(queue)
                }
            }
            try self.replaceAssignment(
                partitions.compactMapValues(\.absoluteOffset),
                client: client,
                operation: operation
            )
            self.start(partitions.filter { $0.value.absoluteOffset == nil })
        }
        self.watchConnection(client)
    }

    /// Runs a short call of librdkafka on the pump, in order with the events.
    func onPump<R: Sendable>(
        _ client: ClientHandle,
        _ call: @escaping @Sendable (ClientHandle) throws(KafkaError) -> R
    ) async throws(KafkaError) -> R {
        let result: Result<R, KafkaError> = await withUnsafeContinuation { continuation in
            client.pump.dispatchQueue.async {
                do throws(KafkaError) {
                    continuation.resume(returning: .success(try call(client)))
                } catch {
                    continuation.resume(returning: .failure(error))
                }
            }
        }
        return try result.get()
    }

    /// No broker lets the client in: tells the reader, once each time that it asks.
    func refused(_ error: KafkaError) {
        guard !self.state.withLock({ $0.hasFailure }) else { return }
        self.fail(error)
    }

    /// Tells the reader when no broker answers in time.
    private func watchConnection(_ client: ClientHandle) {
        guard let timeout = self.configuration.connectTimeout else { return }
        let deadline = ContinuousClock.now + timeout
        client.connectionChecks.async { [weak self, weak client] in
            guard let self, let client else { return }
            self.checkConnection(client, deadline: deadline, timeout: timeout)
        }
    }

    /// Waits for a broker in short steps, so that a consumer that is closed meanwhile need not wait for this.
    private func checkConnection(_ client: ClientHandle, deadline: ContinuousClock.Instant, timeout: Duration) {
        guard self.state.withLock({ $0.phase == .open }) else { return }
        let left = deadline - .now
        let step = max(.milliseconds(1), min(left, .milliseconds(500)))
        let nextStep = DispatchTime.now() + .milliseconds(step.milliseconds)
        do throws(KafkaError) {
            try client.connect(timeout: step, total: timeout, operation: "connect")
        } catch {
            guard left > step else { return self.fail(error) }
            client.connectionChecks.asyncAfter(deadline: nextStep) { [weak self, weak client] in
                guard let self, let client else { return }
                self.checkConnection(client, deadline: deadline, timeout: timeout)
            }
        }
    }
}
